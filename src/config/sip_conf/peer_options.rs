//! The options of a peer alone that are in effect.

use super::builder::{HostDraft, PeerDraft};
use super::general_options::{ACL, NAMED, NO_LIST, own_domain};
use super::option::{Effect, OptionRow, Trouble, guard, row};
use crate::config::acl::Acl;
use crate::config::acl_conf::Lists;
use crate::config::peer::{CallerId, Kind, RegExten};
use crate::config::presentation::Presentation;
use crate::config::secret::Secret;
use crate::config::value;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    guard(
        &["type"],
        "friend, peer, user",
        "must be given",
        "all call. friend: known by its name in From, or by its 'host'; peer: by its 'host', or by its name when it proves that by its secret; user: by its name, and is not called",
        Effect::Peer(kind),
    ),
    guard(&["secret"], "text", "none", "the device's password", Effect::Peer(secret)),
    guard(
        &["md5secret"],
        "32 hexadecimal digits: MD5 of name:realm:password",
        "none",
        "instead of 'secret'",
        Effect::Peer(md5_secret),
    ),
    row(
        &["host"],
        "dynamic, or an IP address or host name with ':port' if need be",
        "no address: it does not register, and is called at 'defaultip' alone",
        "where the device is; dynamic: it says so by registering. A host name without a port leads to servers by NAPTR and SRV records, another when one fails (RFC 3263)",
        Effect::Peer(host),
    ),
    row(
        &["port"],
        "a port from 1 to 65535",
        "5060",
        "the port of 'host' or 'defaultip'; with it no NAPTR and SRV records are asked for",
        Effect::Peer(port),
    ),
    row(
        &["defaultip"],
        "an IP address",
        "none",
        "where to call it while it is not registered",
        Effect::Peer(default_ip),
    ),
    row(
        &["defaultuser", "username"],
        "text",
        "none",
        "the user we call at it while it is not registered",
        Effect::Peer(default_user),
    ),
    row(
        &["fromuser"],
        "text",
        "the caller's number",
        "the user in From of our requests to it",
        Effect::Peer(from_user),
    ),
    row(
        &["fromdomain"],
        "a host name or address, with ':port' if need be",
        "that of [general], else our address",
        "the host in From of our requests to it; empty: our address",
        Effect::Peer(|draft, text| own_domain(text, &mut draft.peer.from_domain)),
    ),
    row(
        &["regexten"],
        "extension or extension@context, or several with '&' between",
        "the peer's name",
        "made in 'regcontext' while it is registered, as NoOp at priority 1; without 'regcontext' nothing is made",
        Effect::Peer(regexten),
    ),
    row(
        &["callerid"],
        "\"Name\" <number>, Name <number>, or a number",
        "none",
        "the caller ID of its calls. A line that registers calls as itself: without it the number is its section's name and there \
         is no name, whatever its From says; a peer with a fixed address is believed what its From says of its callers",
        Effect::Peer(caller_id),
    ),
    row(
        &["callingpres"],
        "allowed, prohib, unavailable, ..., or their numbers",
        "as the device asks",
        "whether those it calls may see who calls; what a device asks by Privacy or an anonymous From counts without it",
        Effect::Peer(calling_pres),
    ),
    row(&["cid_number"], "a number", "none", "the number of its caller ID", Effect::Peer(cid_number)),
    row(&["fullname"], "text", "none", "the name of its caller ID", Effect::Peer(full_name)),
    guard(
        &["permit"],
        ACL,
        "everyone",
        "sources it may be used from; the last line that matches decides",
        Effect::Peer(|d, text| acl(&mut d.peer.acl, true, text)),
    ),
    guard(
        &["deny"],
        ACL,
        "no one",
        "sources it may not be used from",
        Effect::Peer(|d, text| acl(&mut d.peer.acl, false, text)),
    ),
    guard(
        &["acl"],
        NAMED,
        "everyone",
        "named lists of sources it may be used from; each must allow, and 'permit' and 'deny' too",
        Effect::Peer(|d, text| named(&mut d.peer.acl, &d.lists, text)),
    ),
    guard(
        &["contactpermit"],
        ACL,
        "everyone",
        "addresses it may register",
        Effect::Peer(|d, text| acl(&mut d.peer.contact_acl, true, text)),
    ),
    guard(
        &["contactdeny"],
        ACL,
        "no one",
        "addresses it may not register",
        Effect::Peer(|d, text| acl(&mut d.peer.contact_acl, false, text)),
    ),
    guard(
        &["contactacl"],
        NAMED,
        "everyone",
        "named lists of addresses it may register",
        Effect::Peer(|d, text| named(&mut d.peer.contact_acl, &d.lists, text)),
    ),
    row(
        &["directmediapermit"],
        ACL,
        "everyone",
        "addresses it may exchange media with directly, when 'directmedia' asks for that; others go through the exchange",
        Effect::Peer(|d, text| media_acl(&mut d.peer.direct_media_acl, true, text)),
    ),
    row(
        &["directmediadeny"],
        ACL,
        "no one",
        "addresses it may not exchange media with directly",
        Effect::Peer(|d, text| media_acl(&mut d.peer.direct_media_acl, false, text)),
    ),
    row(
        &["directmediaacl"],
        NAMED,
        "everyone",
        "named lists of addresses it may exchange media with directly",
        Effect::Peer(|d, text| media_lists(&mut d.peer.direct_media_acl, &d.lists, text)),
    ),
    row(
        &["call-limit"],
        "a number, 0 for no limit",
        "0",
        "calls it may have at once, made and received; who calls it beyond that finds it busy",
        Effect::Peer(call_limit),
    ),
    row(
        &["max_contacts"],
        "1 to 10",
        "1",
        "devices that may register as it at once (not an option of Asterisk's)",
        Effect::Peer(max_contacts),
    ),
    row(
        &["setvar"],
        "NAME=value",
        "none",
        "a channel variable of each call it makes; may be repeated",
        Effect::Peer(set_var),
    ),
    row(
        &["accountcode"],
        "text",
        "none",
        "written in the records of its calls, shown on the console and told by SIPPEER()",
        Effect::Peer(account_code),
    ),
    row(&["description"], "text", "none", "shown on the console", Effect::Peer(description)),
];

/// Contacts one peer may ask for: each is rung in parallel.
const MAX_CONTACTS: u32 = 10;

fn kind(draft: &mut PeerDraft, text: &str) -> Result {
    draft.kind = Some(match text.to_ascii_lowercase().as_str() {
        "friend" => Kind::Friend,
        "peer" => Kind::Peer,
        "user" => Kind::User,
        _ => return Err(Trouble::Bad),
    });
    Ok(())
}

fn secret(draft: &mut PeerDraft, text: &str) -> Result {
    draft.secret = some(text).map(Secret::new);
    Ok(())
}

fn md5_secret(draft: &mut PeerDraft, text: &str) -> Result {
    if !text.is_empty() && (text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        let hint = "it is the MD5 of name:realm:password, such as: printf %s 'name:asterisk:password' | md5sum";
        return Err(Trouble::closed("'md5secret' must be 32 hexadecimal digits", hint));
    }
    draft.ha1 = some(text).map(|text| Secret::new(text.to_ascii_lowercase()));
    Ok(())
}

fn host(draft: &mut PeerDraft, text: &str) -> Result {
    if text.eq_ignore_ascii_case("dynamic") {
        draft.host = Some(HostDraft::Dynamic);
        return Ok(());
    }
    let read = match value::address(text) {
        Some((ip, _)) if ip.is_unspecified() || ip.is_multicast() => None,
        Some((ip, port)) => Some((HostDraft::Static(ip), port)),
        None => value::host_name(text).map(|(name, port)| (HostDraft::Named(name), port)),
    };
    let Some((host, port)) = read else {
        // What was known by its address must not be known by its name alone, nor register from anywhere.
        draft.host = Some(HostDraft::Unreadable);
        let say = format!("'{text}' is no address of a device: '{}' has none", draft.peer.name);
        let hint = "write its IP address or host name, or 'dynamic' for a device that registers";
        return Err(Trouble::remark(say, hint));
    };
    draft.host = Some(host);
    draft.port = port.or(draft.port);
    Ok(())
}

fn port(draft: &mut PeerDraft, text: &str) -> Result {
    draft.port = Some(value::port(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn default_ip(draft: &mut PeerDraft, text: &str) -> Result {
    draft.default_ip = Some(text.parse().map_err(|_| Trouble::Bad)?);
    Ok(())
}

fn default_user(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.default_user = some(text);
    Ok(())
}

fn from_user(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.from_user = some(text);
    Ok(())
}

fn regexten(draft: &mut PeerDraft, text: &str) -> Result {
    let (mut list, mut left_out) = (Vec::new(), Vec::new());
    for word in text.split('&').map(str::trim).filter(|word| !word.is_empty()) {
        let (extension, context) = match word.split_once('@') {
            Some((extension, context)) => (extension, Some(context)),
            None => (word, None),
        };
        if extension.is_empty() || context == Some("") {
            left_out.push(word.to_owned());
        } else {
            list.push(RegExten { extension: extension.into(), context: context.map(String::from) });
        }
    }
    draft.peer.regexten = list;
    Trouble::skipped(left_out)
}

fn caller_id(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.caller_id = parse_caller_id(text);
    Ok(())
}

fn calling_pres(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.calling_pres = Some(Presentation::parse(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn cid_number(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.caller_id.number = some(&shrink(text));
    Ok(())
}

fn full_name(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.caller_id.name = some(text);
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

/// A list that cannot be read lets nobody have media directly: the exchange relays it, and the peer stays.
fn media_acl(acl: &mut Acl, permit: bool, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    match acl.add(permit, text) {
        Ok(left_out) => Trouble::skipped(left_out),
        Err(word) => Err(relayed(acl, &format!("'{word}' is not a network"), ACL)),
    }
}

fn media_lists(acl: &mut Acl, lists: &Lists, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    acl.add_named(text, lists).map_err(|say| relayed(acl, &say, NO_LIST))
}

fn relayed(acl: &mut Acl, why: &str, accepted: &str) -> Trouble {
    acl.refuse_everyone();
    Trouble::remark(format!("{why}: media goes through the exchange"), format!("accepted: {accepted}"))
}

fn call_limit(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.call_limit = Some(value::number(text).ok_or(Trouble::Bad)?).filter(|limit| *limit > 0);
    Ok(())
}

fn max_contacts(draft: &mut PeerDraft, text: &str) -> Result {
    let number = value::number(text).filter(|number| (1..=MAX_CONTACTS).contains(number));
    draft.peer.max_contacts = number.ok_or(Trouble::Bad)?;
    Ok(())
}

fn set_var(draft: &mut PeerDraft, text: &str) -> Result {
    let (name, value) = text.split_once('=').ok_or(Trouble::Bad)?;
    if name.trim().is_empty() {
        return Err(Trouble::Bad);
    }
    draft.peer.set_vars.push((name.trim().into(), value.trim().into()));
    Ok(())
}

fn account_code(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.account_code = text.into();
    Ok(())
}

fn description(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.description = text.into();
    Ok(())
}

fn some(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(String::from)
}

/// `"Name" <number>`, `Name <number>`, `<number>`, a bare number, or else a name.
fn parse_caller_id(text: &str) -> CallerId {
    let name = |text: &str| {
        let text = text.trim();
        some(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim())
    };
    if let Some((before, number)) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        return CallerId { name: name(before), number: some(&shrink(number)) };
    }
    let is_number = text.chars().all(|c| c.is_ascii_digit() || "+*#-(). ".contains(c));
    if is_number {
        CallerId { name: None, number: some(&shrink(text)) }
    } else {
        CallerId { name: name(text), number: None }
    }
}

/// Takes `( ) . -` and blanks out of a telephone number; what is none stays as it is.
fn shrink(number: &str) -> String {
    let number = number.trim();
    if number.chars().all(|c| c.is_ascii_digit() || "+*#-(). ".contains(c)) {
        number.chars().filter(|c| !"-(). ".contains(*c)).collect()
    } else {
        number.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_ids() {
        let read = |text: &str| {
            let id = parse_caller_id(text);
            (id.name.unwrap_or_default(), id.number.unwrap_or_default())
        };
        let pair = |name: &str, number: &str| (name.to_string(), number.to_string());
        assert_eq!(read(r#""ISP modem" <881>"#), pair("ISP modem", "881"));
        assert_eq!(read("ISP modem <881>"), pair("ISP modem", "881"));
        assert_eq!(read("<+1 (555) 12.34-5>"), pair("", "+155512345"));
        assert_eq!(read("555-1234"), pair("", "5551234"));
        assert_eq!(read("Somebody"), pair("Somebody", ""));
        assert_eq!(read("\"a <b>\" <mary>"), pair("a <b>", "mary"));
        assert_eq!(read(""), pair("", ""));
        assert_eq!(read("\""), pair("\"", ""));
    }
}
