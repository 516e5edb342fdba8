//! The options of `[general]` alone that are in effect.

use super::builder::GeneralDraft;
use super::option::{Effect, OptionRow, Trouble, guard, row};
use crate::config::acl::Acl;
use crate::config::acl_conf::Lists;
use crate::config::finding;
use crate::config::value;
use std::time::Duration;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(&["realm"], "text", "asterisk", "digest realm; 'md5secret' depends on it", Effect::General(realm)),
    guard(
        &["udpbindaddr", "bindaddr"],
        "an IP address of this machine, or 0.0.0.0 for all, with ':port' if need be",
        "0.0.0.0:5060",
        "where SIP over UDP is received",
        Effect::General(bind_address),
    ),
    row(
        &["bindport"],
        "a port from 1 to 65535",
        "5060",
        "the port, when the address names none",
        Effect::General(bind_port),
    ),
    row(
        &["useragent"],
        "text",
        "strowger/VERSION",
        "User-Agent and Server header; empty: neither is sent",
        Effect::General(user_agent),
    ),
    row(&["sdpowner"], "text without blanks", "root", "user name in SDP's o=", Effect::General(sdp_owner)),
    row(
        &["sdpsession"],
        "text",
        "strowger",
        "s= in SDP that the exchange writes itself; what passes between two lines keeps its own",
        Effect::General(sdp_name),
    ),
    row(
        &["fromdomain"],
        "a host name or address, with ':port' if need be",
        "our address",
        "the host in From of our requests, to peers whose own 'fromdomain' does not say another",
        Effect::General(|draft, text| own_domain(text, &mut draft.general.from_domain)),
    ),
    row(
        &["send_diversion"],
        "yes or no",
        "yes",
        "a call that was forwarded says by whom, why and how often (Diversion, RFC 5806)",
        Effect::General(send_diversion),
    ),
    row(
        &["minexpiry", "minexpirey"],
        "seconds, at least 1",
        "60",
        "a shorter registration is refused with this time (423), and the device asks again",
        Effect::General(|draft, text| seconds(text, &mut draft.general.min_expiry)),
    ),
    row(
        &["maxexpiry", "maxexpirey"],
        "seconds, at least 1",
        "3600",
        "longer registrations are shortened",
        Effect::General(|draft, text| seconds(text, &mut draft.general.max_expiry)),
    ),
    row(
        &["defaultexpiry", "defaultexpirey"],
        "seconds, at least 1",
        "120",
        "for registrations that name no time",
        Effect::General(|draft, text| seconds(text, &mut draft.general.default_expiry)),
    ),
    row(
        &["regcontext"],
        "a context, or several with '&' between",
        "none",
        "contexts where the extensions of registered lines appear ('regexten')",
        Effect::General(reg_context),
    ),
    row(
        &["qualifygap"],
        "milliseconds",
        "100",
        "how far apart the first questions of 'qualify' to different peers are",
        Effect::General(qualify_gap),
    ),
    row(
        &["tos_sip"],
        TOS,
        "0",
        "service class of SIP packets",
        Effect::General(|draft, text| tos(text, &mut draft.general.tos_sip)),
    ),
    row(
        &["tos_audio"],
        TOS,
        "ef",
        "service class of RTP packets; 0 is none (chan_sip's default is 0)",
        Effect::General(|draft, text| tos(text, &mut draft.general.tos_audio)),
    ),
    row(
        &["media_address"],
        "an IP address",
        "the address of 'rtpbindaddr'",
        "the address of ours that SDP tells the devices",
        Effect::General(media_address),
    ),
    row(
        &["rtpbindaddr"],
        "an IP address of this machine",
        "the address the device's SIP came to",
        "where RTP is received",
        Effect::General(rtp_bind),
    ),
    row(&["callerid"], "text", "asterisk", "user in From when a caller has no number", Effect::General(caller_id)),
    guard(
        &["permit"],
        ACL,
        "everyone",
        "sources the exchange may be used from, whatever a peer says; the last line that matches decides",
        Effect::General(|draft, text| acl(&mut draft.general.acl, true, text)),
    ),
    guard(
        &["deny"],
        ACL,
        "no one",
        "sources the exchange may not be used from",
        Effect::General(|draft, text| acl(&mut draft.general.acl, false, text)),
    ),
    guard(
        &["acl"],
        NAMED,
        "everyone",
        "named lists of sources the exchange may be used from; each must allow, and 'permit' and 'deny' too",
        Effect::General(|draft, text| named(&mut draft.general.acl, &draft.lists, text)),
    ),
    guard(
        &["contactpermit"],
        ACL,
        "everyone",
        "addresses peers may register",
        Effect::General(|draft, text| acl(&mut draft.general.contact_acl, true, text)),
    ),
    guard(
        &["contactdeny"],
        ACL,
        "no one",
        "addresses peers may not register",
        Effect::General(|draft, text| acl(&mut draft.general.contact_acl, false, text)),
    ),
    guard(
        &["contactacl"],
        NAMED,
        "everyone",
        "named lists of addresses peers may register",
        Effect::General(|draft, text| named(&mut draft.general.contact_acl, &draft.lists, text)),
    ),
    row(
        &["allowguest"],
        YES_NO,
        "no",
        "callers that name no peer may call, into the 'context' of [general], ten at once (chan_sip's default is yes)",
        Effect::General(allow_guest),
    ),
    row(
        &["accept_outofcall_message"],
        "yes, no",
        "yes",
        "take text messages (MESSAGE) outside of calls",
        Effect::General(accept_messages),
    ),
    row(
        &["domain"],
        "a domain or an IP address, with ',context' for calls to it; may be repeated",
        "every domain is ours",
        "with it, registrations for other domains are refused, and calls too with 'allowexternaldomains=no'",
        Effect::General(domain),
    ),
    row(
        &["autodomain"],
        YES_NO,
        "no",
        "our own addresses are among the domains",
        Effect::General(|draft, text| yes_no(text, &mut draft.general.auto_domain)),
    ),
    row(
        &["allowexternaldomains"],
        YES_NO,
        "yes",
        "calls may be to a domain that is not ours",
        Effect::General(|draft, text| yes_no(text, &mut draft.general.allow_external_domains)),
    ),
    row(
        &["match_auth_username"],
        YES_NO,
        "no",
        "who calls is told by the digest's user name, whatever From says",
        Effect::General(|draft, text| yes_no(text, &mut draft.general.match_auth_username)),
    ),
    row(
        &["auth_options_requests"],
        YES_NO,
        "no",
        "OPTIONS is challenged like a call",
        Effect::General(|draft, text| yes_no(text, &mut draft.general.auth_options)),
    ),
    row(
        &["sipdebug"],
        YES_NO,
        "no",
        "show SIP messages from the start",
        Effect::General(|draft, text| yes_no(text, &mut draft.general.sip_debug)),
    ),
];

/// What an address list accepts.
pub(super) const ACL: &str = "networks such as 192.168.0.0/16 or 10.0.0.0/255.0.0.0, with commas between, '!' before those meant the other way round";
/// What a list of lists accepts.
pub(super) const NAMED: &str = "names of lists in acl.conf, with commas between";
/// What to do about a list that is not there.
pub(super) const NO_LIST: &str = "a list is a section of acl.conf with 'permit' and 'deny' lines";
const YES_NO: &str = "yes or no";
const TOS: &str = "a class (cs0 to cs7, af11 to af43, ef) or a number from 0 to 255";

fn realm(draft: &mut GeneralDraft, text: &str) -> Result {
    // A quotation mark would have to be escaped in the header, and old devices do not undo that.
    if text.is_empty() || text.contains(['"', '\\']) {
        return Err(Trouble::Bad);
    }
    draft.general.realm = text.into();
    Ok(())
}

fn bind_address(draft: &mut GeneralDraft, text: &str) -> Result {
    // Listening on all addresses instead would accept requests that the line excludes: the row guards.
    draft.bind_address = Some(value::address(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn bind_port(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.bind_port = Some(value::port(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn user_agent(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.user_agent = text.into();
    Ok(())
}

fn sdp_owner(draft: &mut GeneralDraft, text: &str) -> Result {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(Trouble::Bad);
    }
    draft.general.sdp_owner = text.into();
    Ok(())
}

fn sdp_name(draft: &mut GeneralDraft, text: &str) -> Result {
    // RFC 8866 5.3: s= must not be empty; a dash stands for none.
    draft.general.sdp_name = if text.is_empty() { "-".into() } else { text.into() };
    Ok(())
}

fn seconds(text: &str, setting: &mut Duration) -> Result {
    *setting = value::seconds(text).filter(|time| !time.is_zero()).ok_or(Trouble::Bad)?;
    Ok(())
}

fn reg_context(draft: &mut GeneralDraft, text: &str) -> Result {
    let contexts = text.split('&').map(str::trim).filter(|context| !context.is_empty());
    draft.general.reg_contexts = contexts.map(String::from).collect();
    Ok(())
}

fn qualify_gap(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.qualify_gap = value::millis(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn tos(text: &str, setting: &mut u8) -> Result {
    *setting = value::tos(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn media_address(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.media_address = Some(text.parse().map_err(|_| Trouble::Bad)?);
    Ok(())
}

fn rtp_bind(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.rtp_bind = Some(text.parse().map_err(|_| Trouble::Bad)?);
    Ok(())
}

fn caller_id(draft: &mut GeneralDraft, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    draft.general.caller_id = text.into();
    Ok(())
}

fn acl(acl: &mut Acl, permit: bool, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    Trouble::skipped(acl.add(permit, text).map_err(Trouble::Word)?)
}

fn named(acl: &mut Acl, lists: &Lists, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    acl.add_named(text, lists).map_err(|say| Trouble::closed(say, NO_LIST))
}

fn accept_messages(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.accept_messages = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn allow_guest(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.allow_guest = value::boolean(text).ok_or(Trouble::Bad)?;
    if draft.general.allow_guest {
        let say = "'allowguest=yes': whoever reaches this machine may call what the context of [general] holds";
        return Err(Trouble::finding(&finding::GUESTS_ALLOWED, say));
    }
    Ok(())
}

fn domain(draft: &mut GeneralDraft, text: &str) -> Result {
    let (name, context) = text.split_once(',').map_or((text, ""), |(name, context)| (name.trim(), context.trim()));
    let name = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if name.is_empty() {
        return Err(Trouble::Bad);
    }
    let is_domain = name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c));
    // One that is none stays on the list, where it lets nobody in: without it every domain could be ours.
    draft.general.domains.insert(name, Some(context).filter(|context| !context.is_empty()).map(String::from));
    if is_domain {
        return Ok(());
    }
    let say = format!("'{text}' is no domain: no request is ever for it");
    Err(Trouble::remark(say, "write a host name or an IP address"))
}

fn yes_no(text: &str, setting: &mut bool) -> Result {
    *setting = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn send_diversion(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.send_diversion = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

/// The host of an address of ours, as `fromdomain` names it.
pub(super) fn own_domain(text: &str, domain: &mut Option<String>) -> Result {
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c)) {
        return Err(Trouble::Bad);
    }
    *domain = Some(text.to_owned()).filter(|text| !text.is_empty());
    Ok(())
}
