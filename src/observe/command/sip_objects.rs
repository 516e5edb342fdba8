//! `sip show objects`, `sip show domains`.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape::line;

pub(super) fn objects(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let mut peers = exchange.peers();
    peers.sort_by(|a, b| a.name.cmp(&b.name));
    let calls = exchange.in_use();
    let object = |name: &str, kind: &str, references: u64| {
        format!("name: {}\ntype: {kind}\nobjflags: 0\nrefcount: {references}\n\n", line(name))
    };
    let of_peer = |name: &str| {
        let used = calls.iter().find(|line| line.name == name).map_or(0, |line| u64::from(line.in_use));
        object(name, "peer", used.saturating_add(1))
    };
    let mut text = format!("-= Peer objects: {} static, 0 realtime, 0 autocreate =-\n\n", peers.len());
    text.extend(peers.iter().map(|peer| of_peer(&peer.name)));
    text += "-= Peer objects by IP =-\n\n";
    text.extend(peers.iter().filter(|peer| peer.host.is_some()).map(|peer| of_peer(&peer.name)));
    let dialogs = exchange.sip_channels();
    text += "-= Dialog objects:\n\n";
    text.extend(dialogs.iter().map(|dialog| object(&dialog.call_id, "dialog", 1)));
    Reply::Done(text)
}

pub(super) fn domains(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let domains = exchange.settings().domains;
    if domains.is_empty() {
        return Reply::Done("SIP Domain support not enabled.\n\n".to_owned());
    }
    let row = |domain: &str, context: &str, by: &str| format!("{domain:<40.40} {context:<20.20} {by:<16.16}\n");
    let mut text = row("Our local SIP domains:", "Context", "Set by");
    for domain in &domains {
        let context = if domain.context.is_empty() { "(default)" } else { &domain.context };
        let by = if domain.automatic { "[Automatic]" } else { "[Configured]" };
        text += &row(&line(&domain.name), &line(context), by);
    }
    Reply::Done(text + "\n")
}
