//! `core show channel NAME`: Asterisk's groups and labels. What strowger does not have has no line.

use crate::observe::escape::line;
use crate::observe::snapshot::{ChannelDetail, ChannelState};

pub(super) fn detail(of: &ChannelDetail) -> String {
    let mut text = String::new();
    group(&mut text, " -- General --", general(of));
    group(&mut text, " --   PBX   --", pbx(of));
    text += "      Variables:\n";
    for (name, value) in &of.variables {
        text += &format!("{}={}\n", line(name), line(value));
    }
    text.push('\n');
    let streams = if of.direction.is_empty() { Vec::new() } else { stream(of) };
    group(&mut text, " -- Streams --", streams);
    text
}

type Row = (&'static str, String);

fn group(text: &mut String, title: &str, rows: Vec<Row>) {
    text.push_str(title);
    text.push('\n');
    for (label, value) in rows {
        text.push_str(&format!("{label:>15}: {}\n", line(&value)));
    }
}

fn general(of: &ChannelDetail) -> Vec<Row> {
    let row = &of.row;
    let codec = of.codecs.first().cloned().unwrap_or_else(|| "none".to_owned());
    let seconds = row.duration_s;
    vec![
        ("Name", row.name.clone()),
        ("Type", "SIP".to_owned()),
        ("UniqueID", row.unique_id.clone()),
        ("LinkedID", of.linked_id.clone()),
        ("Caller ID", or_none(&row.caller_id)),
        ("Caller ID Name", or_none(&of.caller_name)),
        ("Connected Line ID", or_none(&of.connected_number)),
        ("Connected Line ID Name", or_none(&of.connected_name)),
        ("DNID Digits", or_none(&of.dialled)),
        ("Language", of.language.clone()),
        ("State", state(of.state)),
        ("NativeFormats", format!("({})", of.codecs.join("|"))),
        ("WriteFormat", codec.clone()),
        ("ReadFormat", codec),
        ("Elapsed Time", format!("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60)),
        ("Bridge ID", if row.bridge_id.is_empty() { "(Not bridged)".to_owned() } else { row.bridge_id.clone() }),
    ]
}

fn pbx(of: &ChannelDetail) -> Vec<Row> {
    let row = &of.row;
    vec![
        ("Context", row.context.clone()),
        ("Extension", row.exten.clone()),
        ("Priority", row.priority.to_string()),
        ("Application", or_none(&row.application)),
        ("Data", if row.data.is_empty() { "(Empty)".to_owned() } else { row.data.clone() }),
        ("Call Identifier", or_none(&of.call_id)),
    ]
}

fn stream(of: &ChannelDetail) -> Vec<Row> {
    vec![
        ("Name", "audio-0".to_owned()),
        ("Type", "audio".to_owned()),
        ("State", of.direction.clone()),
        ("Formats", format!("({})", of.codecs.join("|"))),
    ]
}

/// The state with Asterisk's number for it.
fn state(state: ChannelState) -> String {
    match state {
        ChannelState::Down => "Down (0)",
        ChannelState::Ring => "Ring (4)",
        ChannelState::Ringing => "Ringing (5)",
        ChannelState::Up => "Up (6)",
    }
    .to_owned()
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "(N/A)".to_owned() } else { text.to_owned() }
}
