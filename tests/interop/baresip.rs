//! Telephones played by baresip.

use std::process::Command;

use crate::exchange::Exchange;
use crate::telephone::{Line, program};

pub fn command(exchange: &Exchange, line: &Line<'_>, tone: u16) -> Command {
    let Line { user, secret, way, server, port, folder, authority, friend } = line;
    let local = if way.is_v6() { format!("[{}]", way.address()) } else { way.address().to_owned() };
    let folder_name = folder.display();
    let config = format!(
        "sip_listen {local}:{port}\ncall_max_calls 4\naudio_source ausine,{tone}\nausrc_srate 48000\nausrc_channels 2\n\
         rtp_ports {}-{}\nsnd_path {folder_name}\nmodule_path {}\n\
         module stdio.so\nmodule g711.so\nmodule ausine.so\nmodule aufile.so\nmodule sndfile.so\n\
         {}module_app account.so\nmodule_app menu.so\nprefer_ipv6 {}\nsip_cafile {}\n{}",
        if *user == "alice" { 40_000 } else { 41_000 },
        if *user == "alice" { 40_999 } else { 41_999 },
        modules(),
        // First of all: a millisecond after its start it subscribes for each account that has subscribed already, for ever.
        if friend.is_some() { "module_app mwi.so\n" } else { "" },
        if way.is_v6() { "yes" } else { "no" },
        if way.protocol() == "tls" { authority.display().to_string() } else { String::new() },
        if friend.is_some() { "module_app contact.so\nmodule_app presence.so\n" } else { "" },
    );
    let friend = friend.map(|number| format!("sip:{number}@{server}")).unwrap_or_default();
    let contacts = if friend.is_empty() { String::new() } else { format!("\"friend\" <{friend}>;presence=p2p\n") };
    let account = format!(
        "<{}>;auth_user={user};auth_pass={secret};answermode=auto;regint=60;\
         audio_codecs=PCMU/8000/1\n",
        way.uri(&format!("{user}@{server}"))
    );
    for (name, text) in [
        ("config", config.as_str()),
        ("accounts", &account),
        ("contacts", &contacts),
        ("current_contact", &friend),
        ("uuid", "0"),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let mut command = program(exchange, "baresip");
    command.arg("-f").arg(folder).args(["-t", "90"]);
    command
}

fn modules() -> &'static str {
    let places =
        ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];
    places.into_iter().find(|place| std::path::Path::new(place).is_dir()).unwrap_or(places[0])
}
