//! What the exchange is made of, in Asterisk's words: `core show channeltypes|codecs|translation`, `module show`.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::wording::plural;

/// A kind of channel: name, description, and whether it has device states, presence, indications and transfer.
const CHANNEL_TYPES: &[(&str, &str, [&str; 4])] = &[
    ("Local", "Local Proxy Channel Driver", ["no", "no", "yes", "no"]),
    ("SIP", "Session Initiation Protocol (SIP)", ["yes", "no", "yes", "no"]),
];

/// The modules of Asterisk whose work is done here, by name.
const MODULES: &[(&str, &str)] = &[
    ("app_authenticate.so", "Authentication Application"),
    ("app_cdr.so", "CDR on the dialplan's orders"),
    ("app_dial.so", "Dialing Application"),
    ("app_disa.so", "DISA (Direct Inward System Access)"),
    ("app_echo.so", "Simple Echo Application"),
    ("app_exec.so", "Executes dialplan applications"),
    ("app_macro.so", "Extension Macros"),
    ("app_mixmonitor.so", "Mixed Audio Monitoring"),
    ("app_originate.so", "Originate call"),
    ("app_playback.so", "Sound File Playback"),
    ("app_playtones.so", "Playtones Application"),
    ("app_read.so", "Read Variable Application"),
    ("app_record.so", "Trivial Record Application"),
    ("app_senddtmf.so", "Send DTMF digits"),
    ("app_stack.so", "Dialplan subroutines (Gosub, Return)"),
    ("app_system.so", "Generic System() application"),
    ("app_while.so", "While Loops"),
    ("cdr_sqlite3_custom.so", "Call records in SQLite"),
    ("chan_sip.so", "Session Initiation Protocol (SIP)"),
    ("pbx_config.so", "Text Extension Configuration"),
    ("pbx_spool.so", "Outgoing Spool Support"),
    ("res_agi.so", "Asterisk Gateway Interface (AGI)"),
    ("res_musiconhold.so", "Music On Hold Resource"),
    ("res_rtp_asterisk.so", "RTP Stack"),
];

pub(super) fn channel_types(arguments: &[String], _exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let row = |name: &str, description: &str, [state, presence, indications, transfer]: [&str; 4]| {
        format!(
            "{name:<15.15}  {description:<40.40} {state:<13.13} {presence:<13.13} {indications:<13.13} {transfer:<13.13}\n"
        )
    };
    let heads = ["Devicestate", "Presencestate", "Indications", "Transfer"];
    let dashes = ["-----------", "-------------", "-----------", "-----------"];
    let mut text = row("Type", "Description", heads) + &row("-----------", "-----------", dashes);
    for (name, description, has) in CHANNEL_TYPES {
        text += &row(name, description, *has);
    }
    Reply::Done(text + &format!("----------\n{} channel drivers registered.\n", CHANNEL_TYPES.len()))
}

pub(super) fn codecs(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let has_audio = match arguments {
        [] => true,
        [kind] if ["audio", "video", "image", "text"].iter().any(|known| kind.eq_ignore_ascii_case(known)) => {
            kind.eq_ignore_ascii_case("audio")
        }
        _ => return Reply::Usage,
    };
    let row = |id: &str, kind: &str, name: &str, format: &str, description: &str| {
        format!("{id:>8} {kind:<5} {name:<12} {format:<16} {description}\n")
    };
    let mut text = String::from(
        "Video, text and fax images pass as the telephones agree on them; of audio these can be allowed:\n",
    );
    text += &row("ID", "TYPE", "NAME", "FORMAT", "DESCRIPTION");
    text += &("-".repeat(96) + "\n");
    for (id, codec) in (1..).zip(exchange.core_settings().codecs).filter(|_| has_audio) {
        text += &row(&format!("{id}"), "audio", codec.name, codec.name, &format!("({})", codec.description));
    }
    Reply::Done(text)
}

/// The table of Asterisk's: nothing in it, since no codec is made of another.
pub(super) fn translation(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let names: Vec<&str> = exchange.core_settings().codecs.iter().map(|codec| codec.name).collect();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0).max(5);
    let line = |first: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells: String = cells.map(|cell| format!(" {cell:>width$}")).collect();
        format!(" {first:>width$}{cells}\n")
    };
    let mut text = String::from(
        "         Translation times between formats (in microseconds) for one second of data\n          \
         Source Format (Rows) Destination Format (Columns)\n\n",
    );
    text += &line("", &mut names.iter().copied());
    for name in &names {
        text += &line(name, &mut names.iter().map(|_| "-"));
    }
    Reply::Done(
        text + "\nNo call is converted: two lines talk in a codec that both have. Sounds are kept in ulaw and alaw.\n",
    )
}

pub(super) fn modules(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let like = match arguments {
        [] => String::new(),
        [word, like] if word.eq_ignore_ascii_case("like") => like.to_ascii_lowercase(),
        _ => return Reply::Usage,
    };
    let calls = exchange.counts().calls;
    let row = |name: &str, description: &str, uses: &str, status: &str, level: &str| {
        format!("{name:<30} {description:<40.40} {uses:<10} {status:<11} {level:>13}\n")
    };
    let mut text = row("Module", "Description", "Use Count", "Status", "Support Level");
    let shown: Vec<_> = MODULES.iter().filter(|(name, _)| name.contains(&like)).collect();
    for (name, description) in &shown {
        let uses = if *name == "chan_sip.so" { calls } else { 0 };
        text += &row(name, description, &uses.to_string(), "Running", "core");
    }
    Reply::Done(text + &format!("{} loaded\n", plural(shown.len() as u64, "module")))
}
