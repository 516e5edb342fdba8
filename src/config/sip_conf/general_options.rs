//! The options of `[general]` alone that are in effect.

use super::draft::GeneralDraft;
use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::value;
use std::time::Duration;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(&["realm"], "text", "asterisk", "digest realm; 'md5secret' depends on it", Effect::General(realm)),
    row(
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
        "0",
        "service class of RTP packets",
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
    row(
        &["contactpermit"],
        ACL,
        "none",
        "addresses peers may register",
        Effect::General(|draft, text| contact_acl(draft, true, text)),
    ),
    row(
        &["contactdeny"],
        ACL,
        "none",
        "addresses peers may not register",
        Effect::General(|draft, text| contact_acl(draft, false, text)),
    ),
    row(&["sipdebug"], "yes or no", "no", "show SIP messages from the start", Effect::General(sip_debug)),
];

/// What an address list accepts.
pub(super) const ACL: &str = "networks such as 192.168.0.0/16 or 10.0.0.0/255.0.0.0, with commas between, '!' before those meant the other way round";
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
    match value::address(text) {
        Some(address) => draft.bind_address = Some(address),
        // To listen on all addresses instead would let in whom the line keeps out.
        None => return Err(unusable_address(text, "write an IP address of this machine, or 0.0.0.0 for all")),
    }
    Ok(())
}

fn unusable_address(text: &str, hint: &str) -> Trouble {
    Trouble::fatal(format!("'{text}' is no address to listen on"), hint)
}

fn bind_port(draft: &mut GeneralDraft, text: &str) -> Result {
    match value::port(text) {
        Some(port) => draft.bind_port = Some(port),
        None => return Err(Trouble::fatal(format!("'{text}' is no port"), "write a number from 1 to 65535")),
    }
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
    match text.parse() {
        Ok(ip) => draft.general.rtp_bind = Some(ip),
        Err(_) => return Err(unusable_address(text, "write an IP address of this machine, or leave the line out")),
    }
    Ok(())
}

fn caller_id(draft: &mut GeneralDraft, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    draft.general.caller_id = text.into();
    Ok(())
}

fn contact_acl(draft: &mut GeneralDraft, permit: bool, text: &str) -> Result {
    draft.general.contact_acl.add(permit, text).map_err(|word| {
        let hint = "write networks such as 192.168.0.0/16, with commas between";
        Trouble::fatal(format!("'{word}' is no network"), hint)
    })
}

fn sip_debug(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.sip_debug = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}
