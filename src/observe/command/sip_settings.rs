//! `sip show settings`: chan_sip's groups and labels, as far as strowger has the setting.

use std::net::SocketAddr;

use super::sip_text::{nat, t38};
use crate::observe::escape::{line, yes_no};
use crate::observe::snapshot::Settings;

pub(super) fn settings(of: &Settings) -> String {
    let mut text = String::new();
    for (title, rows) in [
        ("Global Settings:", global(of)),
        ("Network Settings:", network(of)),
        ("Global Signalling Settings:", signalling(of)),
        ("Default Settings:", defaults(of)),
    ] {
        text += &format!("\n\n{title}\n{}\n", "-".repeat(title.len()));
        for (label, value) in rows {
            text += &format!("  {label:<23} {}\n", line(&value));
        }
    }
    text + "\n"
}

type Row = (&'static str, String);

fn global(of: &Settings) -> Vec<Row> {
    vec![
        ("UDP Bindaddress:", addresses(&of.udp)),
        ("TCP SIP Bindaddress:", addresses(&of.tcp)),
        ("TLS SIP Bindaddress:", addresses(&of.tls)),
        ("RTP Ports:", format!("{}-{}", of.rtp_ports.0, of.rtp_ports.1)),
        ("Videosupport:", yes(of.secondary.video)),
        ("Textsupport:", yes(of.secondary.text)),
        ("Match Auth Username:", yes(of.match_auth_username)),
        ("Allow unknown access:", yes(of.allow_guest)),
        ("Our auth realm", of.realm.clone()),
        ("Always auth rejects:", yes(of.always_auth_reject)),
        ("User Agent:", of.user_agent.clone()),
        ("Reg. context:", or(&of.reg_context, "(not set)")),
        ("Caller ID:", of.caller_id.clone()),
    ]
}

fn network(of: &Settings) -> Vec<Row> {
    let has_external = of.extern_address.is_some() || !of.extern_host.is_empty();
    let remapping = match (of.local_nets.is_empty(), has_external) {
        (true, _) => "Disabled, no localnet list",
        (false, false) => "Disabled",
        (false, true) if of.extern_host.is_empty() => "Enabled using externaddr",
        (false, true) => "Enabled using externhost",
    };
    let mut rows = vec![
        ("SIP address remapping:", remapping.to_owned()),
        ("Externhost:", or(&of.extern_host, "<none>")),
        ("Externaddr:", of.extern_address.map_or("(null)".to_owned(), |address| address.to_string())),
    ];
    if of.local_nets.is_empty() {
        rows.push(("Localnet:", "<none>".to_owned()));
    }
    let labels = std::iter::once("Localnet:").chain(std::iter::repeat(""));
    rows.extend(labels.zip(of.local_nets.iter().cloned()));
    rows
}

fn signalling(of: &Settings) -> Vec<Row> {
    let mut rows = vec![
        ("Codecs:", format!("({})", of.codecs.join("|"))),
        ("Reg. min duration", format!("{} secs", of.min_expiry_s)),
        ("Reg. max duration:", format!("{} secs", of.max_expiry_s)),
        ("Reg. default duration:", format!("{} secs", of.default_expiry_s)),
    ];
    rows.extend(["T.38 support:", "T.38 EC mode:", "T.38 MaxDtgrm:"].into_iter().zip(t38(&of.secondary)));
    rows
}

fn defaults(of: &Settings) -> Vec<Row> {
    vec![
        ("Context:", of.context.clone()),
        ("Force rport:", nat(of.force_rport).to_owned()),
        ("DTMF:", of.dtmf_mode.clone()),
        ("Qualify:", of.qualify_ms.to_string()),
        ("Keepalive:", of.keepalive_s.to_string()),
        ("RTP Timeout:", of.rtp_times.timeout_s.to_string()),
        ("RTP Hold Timeout:", of.rtp_times.hold_timeout_s.to_string()),
        ("RTP Keepalive:", of.rtp_times.keepalive_s.to_string()),
    ]
}

fn addresses(list: &[SocketAddr]) -> String {
    if list.is_empty() {
        return "Disabled".to_owned();
    }
    list.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ")
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

fn yes(value: bool) -> String {
    yes_no(value).to_owned()
}
