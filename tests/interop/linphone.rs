//! Telephones played by linphone's console program.

use std::process::Command;

use crate::exchange::Exchange;
use crate::telephone::{Line, Telephone, Way, program};
use crate::tone;

pub fn command(exchange: &Exchange, line: &Line<'_>, frequency: u16) -> Command {
    let Line { user, secret, way, server, port, folder, authority, friend } = line;
    tone::write(&folder.join("mouth.wav"), frequency, 60);
    // Without this folder for its database it makes do, but complains.
    std::fs::create_dir_all(folder.join(".local/share/linphone")).unwrap();
    let (protocol, address) = (way.protocol(), way.address());
    let scheme = if *way == Way::Sips { "sips" } else { "sip" };
    let only = |wanted: &str| if wanted == protocol { *port } else { 0 };
    let host = if way.is_v6() { format!("[{address}]") } else { address.to_owned() };
    let config = format!(
        "[sip]\nsip_port={}\nsip_tcp_port={}\nsip_tls_port={}\nguess_hostname=0\ncontact=<{scheme}:{user}@{host}>\n\
         default_proxy=0\nuse_rfc2833=1\nuse_ipv6={}\nmedia_encryption=none\nroot_ca={}\n\n\
         [auth_info_0]\nusername={user}\npasswd={secret}\nrealm=asterisk\n\n\
         [proxy_0]\nreg_proxy=<{}>\nreg_identity={scheme}:{user}@{server}\nreg_expires=60\n\
         reg_sendregister=1\npublish=0\n\n\
         [rtp]\naudio_rtp_port={}\n\n[sound]\nechocancellation=0\nremote_ring=\n",
        only("udp"),
        only("tcp"),
        only("tls"),
        u8::from(way.is_v6()),
        authority.display(),
        way.uri(server),
        if *user == "alice" { 43_000 } else { 44_000 },
    );
    let friend =
        friend.map(|number| format!("\n[friend_0]\nurl=\"friend\" <sip:{number}@{server}>\npol=accept\nsubscribe=1\n"));
    std::fs::write(folder.join("config"), config + &friend.unwrap_or_default()).unwrap();
    let mut command = program(exchange, "linphonec");
    command.arg("-c").arg(folder.join("config")).args(["-a", "-d", "4", "-l"]).arg(folder.join("log"));
    command
}

/// Lets it play and record files, as there is no sound card.
pub fn use_files(telephone: &mut Telephone) {
    let folder = telephone.folder().display().to_string();
    for line in
        ["soundcard use files".to_owned(), format!("play {folder}/mouth.wav"), format!("record {folder}/heard.wav")]
    {
        telephone.type_in(&line);
    }
}
