//! `sip show peer NAME`: the labels in chan_sip's order. What strowger does not have has no line.

use std::net::SocketAddr;

use super::sip_text::{nat, status, t38};
use crate::observe::escape::{line, yes_no};
use crate::observe::snapshot::PeerDetail;

pub(super) fn detail(peer: &PeerDetail) -> String {
    let mut text = String::from("\n");
    for (label, value) in identity(peer).into_iter().chain(permissions(peer)).chain(transport(peer)).chain(timing(peer))
    {
        text += &format!("  {label:<13}: {}\n", line(&value));
    }
    text.push('\n');
    text
}

type Row = (&'static str, String);

fn identity(peer: &PeerDetail) -> Vec<Row> {
    let mut rows = vec![
        ("* Name", peer.row.name.clone()),
        ("Description", peer.row.description.clone()),
        ("Secret", set(peer.secret_set)),
        ("MD5Secret", set(peer.md5_secret_set)),
        ("Remote Secret", set(peer.remote_secret_set)),
        ("Context", peer.context.clone()),
        ("Language", peer.language.clone()),
    ];
    optional(&mut rows, "Accountcode", &peer.account);
    rows.push(("CallingPres", peer.presentation.clone()));
    optional(&mut rows, "FromUser", &peer.from_user);
    optional(&mut rows, "FromDomain", &peer.from_domain);
    rows.extend([("Call limit", peer.call_limit.to_string()), ("Max forwards", peer.max_forwards.to_string())]);
    rows
}

fn permissions(peer: &PeerDetail) -> Vec<Row> {
    let caller_id = format!("\"{}\" <{}>", peer.caller_name, peer.caller_number);
    let mut rows = vec![
        ("Dynamic", yes(peer.row.dynamic)),
        ("Callerid", caller_id),
        ("Expire", peer.expires_s.map_or("-1".to_owned(), |seconds| seconds.to_string())),
        ("Insecure", peer.insecure.clone()),
        ("Force rport", nat(peer.row.force_rport).to_owned()),
        ("Symmetric RTP", nat(peer.row.comedia).to_owned()),
        ("ACL", yes(peer.row.acl)),
        ("ContactACL", yes(peer.contact_acl)),
        ("DirectMedACL", yes(peer.direct_media_acl)),
    ];
    rows.extend(["T.38 support", "T.38 EC mode", "T.38 MaxDtgrm"].into_iter().zip(t38(&peer.secondary)));
    rows.extend([
        ("DirectMedia", yes(peer.direct_media)),
        ("PromiscRedir", yes(peer.promiscuous_redirect)),
        ("Video Support", yes(peer.secondary.video)),
        ("Text Support", yes(peer.secondary.text)),
        ("Trust RPID", yes(peer.trust_rpid)),
        ("Send RPID", yes(peer.send_rpid)),
        ("Path support", yes(peer.path_support)),
    ]);
    optional(&mut rows, "Path", &peer.path.join(", "));
    rows.push(("TrustIDOutbnd", if peer.trust_id { "Yes" } else { "Legacy" }.to_owned()));
    rows
}

fn transport(peer: &PeerDetail) -> Vec<Row> {
    let host = peer.row.host.map(|host| SocketAddr::new(host, peer.row.port));
    let line_kind = if peer.line_kind.is_empty() { "not said (as data)" } else { &peer.line_kind };
    let mut rows = vec![
        ("Line", line_kind.to_owned()),
        ("DTMFmode", peer.dtmf_mode.clone()),
        ("Timer T1", peer.t1_ms.to_string()),
        ("Timer B", peer.timer_b_ms.to_string()),
        ("ToHost", peer.to_host.clone()),
        ("Addr->IP", address(host)),
        ("Defaddr->IP", address(peer.default_address)),
        ("Prim.Transp.", peer.transport.clone()),
        ("Allowed.Trsp", peer.transports_allowed.clone()),
    ];
    optional(&mut rows, "Reg. exten", &peer.regexten);
    rows.extend([
        ("Def. Username", peer.default_user.clone()),
        ("Codecs", format!("({})", peer.codecs.join("|"))),
        ("Status", status(peer.row.status)),
    ]);
    optional(&mut rows, "Registration", &peer.registration);
    optional(&mut rows, "Contested", &peer.contested);
    optional(&mut rows, "Sound", &peer.sound);
    rows.extend([("Useragent", peer.user_agent.clone()), ("Reg. Contact", peer.contact.clone())]);
    rows
}

fn timing(peer: &PeerDetail) -> Vec<Row> {
    let mut rows = vec![
        ("Qualify Freq", format!("{} ms", peer.qualify_every_ms)),
        ("Keepalive", format!("{} ms", peer.keepalive_ms)),
        ("RTP Timeout", format!("{} secs", peer.rtp_times.timeout_s)),
        ("RTP Hold TO", format!("{} secs", peer.rtp_times.hold_timeout_s)),
        ("RTP Keepalv", format!("{} secs", peer.rtp_times.keepalive_s)),
    ];
    rows.extend(peer.variables.iter().map(|(name, value)| ("Variables", format!("{name} = {value}"))));
    rows.extend([
        ("Sess-Timers", peer.timer_mode.clone()),
        ("Sess-Refresh", peer.timer_refresher.clone()),
        ("Sess-Expires", format!("{} secs", peer.timer_expires_s)),
        ("Min-Sess", format!("{} secs", peer.timer_minimum_s)),
    ]);
    rows
}

fn optional(rows: &mut Vec<Row>, label: &'static str, value: &str) {
    if !value.is_empty() {
        rows.push((label, value.to_owned()));
    }
}

fn address(address: Option<SocketAddr>) -> String {
    address.map_or("(null)".to_owned(), |address| address.to_string())
}

fn set(value: bool) -> String {
    if value { "<Set>" } else { "<Not set>" }.to_owned()
}

fn yes(value: bool) -> String {
    yes_no(value).to_owned()
}
