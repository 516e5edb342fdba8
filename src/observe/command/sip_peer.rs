//! `sip show peer NAME`: the labels in chan_sip's order. What strowger has no setting for shows the value that is in effect.

use std::net::SocketAddr;

use super::sip::{nat, status};
use crate::observe::escape::{line, yes_no};
use crate::observe::snapshot::{ExtraMedia, PeerDetail};

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
        ("Record On feature ", String::new()),
        ("Record Off feature ", String::new()),
        ("Subscr.Cont.", or(&peer.subscribe_context, "<Not set>")),
        ("Language", peer.language.clone()),
        ("Tonezone", "<Not set>".to_owned()),
    ];
    optional(&mut rows, "Accountcode", &peer.account);
    rows.extend([
        ("AMA flags", "Unknown".to_owned()),
        ("Transfer mode", "open".to_owned()),
        ("CallingPres", peer.presentation.clone()),
    ]);
    optional(&mut rows, "FromUser", &peer.from_user);
    optional(&mut rows, "FromDomain", &peer.from_domain);
    rows.extend([
        ("Callgroup", peer.call_group.clone()),
        ("Pickupgroup", peer.pickup_group.clone()),
        ("Named Callgr", String::new()),
        ("Nam. Pickupgr", String::new()),
        ("MOH Suggest", String::new()),
        ("Mailbox", peer.mailbox.clone()),
        ("VM Extension", "asterisk".to_owned()),
        ("LastMsgsSent", "0/0".to_owned()),
        ("Call limit", peer.call_limit.to_string()),
        ("Max forwards", "70".to_owned()),
    ]);
    rows.extend(peer.busy_level.map(|level| ("Busy level", level.to_string())));
    rows
}

fn permissions(peer: &PeerDetail) -> Vec<Row> {
    let caller_id = format!("\"{}\" <{}>", peer.caller_name, peer.caller_number);
    vec![
        ("Dynamic", yes(peer.row.dynamic)),
        ("Callerid", caller_id),
        ("MaxCallBR", "384 kbps".to_owned()),
        ("Expire", peer.expires_s.map_or("-1".to_owned(), |seconds| seconds.to_string())),
        ("Insecure", or(&peer.insecure, "no")),
        ("Force rport", nat(peer.row.force_rport).to_owned()),
        ("Symmetric RTP", nat(peer.row.comedia).to_owned()),
        ("ACL", yes(peer.row.acl)),
        ("ContactACL", yes(peer.contact_acl)),
        ("DirectMedACL", yes(peer.direct_media_acl)),
        ("T.38 support", yes(peer.extra.t38.is_some())),
        ("T.38 EC mode", correction(&peer.extra)),
        ("T.38 MaxDtgrm", largest(&peer.extra)),
        ("DirectMedia", yes(peer.direct_media)),
        ("PromiscRedir", yes(peer.promiscuous_redirect)),
        ("User=Phone", yes(false)),
        ("Video Support", yes(peer.extra.video)),
        ("Text Support", yes(peer.extra.text)),
        ("Ign SDP ver", yes(false)),
        ("Trust RPID", yes(peer.trust_rpid)),
        ("Send RPID", yes(peer.send_rpid)),
        ("Path support", yes(peer.path_support)),
        ("TrustIDOutbnd", if peer.trust_id { "Yes" } else { "Legacy" }.to_owned()),
        ("Subscriptions", yes(true)),
        ("Overlap dial", yes(false)),
    ]
}

fn transport(peer: &PeerDetail) -> Vec<Row> {
    let host = peer.row.host.map(|host| SocketAddr::new(host, peer.row.port));
    let mut rows = vec![
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
        ("SIP Options", "(none)".to_owned()),
        ("Codecs", format!("({})", peer.codecs.join("|"))),
        ("Auto-Framing", yes(false)),
        ("Status", status(peer.row.status)),
        ("Useragent", peer.user_agent.clone()),
        ("Reg. Contact", peer.contact.clone()),
    ]);
    rows
}

fn timing(peer: &PeerDetail) -> Vec<Row> {
    let mut rows = vec![
        ("Qualify Freq", format!("{} ms", peer.qualify_every_ms)),
        ("Keepalive", format!("{} ms", peer.keepalive_ms)),
    ];
    rows.extend(peer.variables.iter().map(|(name, value)| ("Variables", format!("{name} = {value}"))));
    rows.extend([
        ("Sess-Timers", peer.timer_mode.clone()),
        ("Sess-Refresh", peer.timer_refresher.clone()),
        ("Sess-Expires", format!("{} secs", peer.timer_expires_s)),
        ("Min-Sess", format!("{} secs", peer.timer_minimum_s)),
        ("RTP Engine", "strowger".to_owned()),
        ("Parkinglot", String::new()),
        ("Use Reason", yes(false)),
        ("Encryption", yes(false)),
        ("RTCP Mux", yes(false)),
    ]);
    rows
}

/// The error correction of T.38 that is configured.
pub(super) fn correction(extra: &ExtraMedia) -> String {
    extra.t38.clone().unwrap_or_else(|| "Unknown".to_owned())
}

/// The largest datagram of T.38 that is configured; chan_sip prints -1 without its sign when none is.
pub(super) fn largest(extra: &ExtraMedia) -> String {
    extra.t38_max_datagram.unwrap_or(u32::MAX).to_string()
}

fn optional(rows: &mut Vec<Row>, label: &'static str, value: &str) {
    if !value.is_empty() {
        rows.push((label, value.to_owned()));
    }
}

fn address(address: Option<SocketAddr>) -> String {
    address.map_or("(null)".to_owned(), |address| address.to_string())
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

fn set(value: bool) -> String {
    if value { "<Set>" } else { "<Not set>" }.to_owned()
}

fn yes(value: bool) -> String {
    yes_no(value).to_owned()
}
