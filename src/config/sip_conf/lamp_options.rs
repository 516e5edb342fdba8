//! The options of lamps and of message waiting: who may watch what, and what is told.

use super::builder::{GeneralDraft, PeerDraft};
use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::lamps::{NotifyCid, NotifyRinging};
use crate::config::peer::Settings;
use crate::config::value;
use std::time::Duration;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["allowsubscribe"],
        "yes or no",
        "yes",
        "it may watch extensions that have a hint (lamps)",
        Effect::Settings(allow_subscribe),
    ),
    row(
        &["subscribecontext"],
        "a context of extensions.conf",
        "the context of its calls",
        "where the hints are looked up that it watches",
        Effect::Settings(subscribe_context),
    ),
    row(
        &["notifyringing"],
        "yes, no, notinuse",
        "yes",
        "lamps show that a device rings; notinuse: only when it has no other call",
        Effect::General(notify_ringing),
    ),
    row(
        &["notifyhold"],
        "yes or no",
        "no",
        "lamps and DEVICE_STATE() show a device that holds its call as on hold; else it is in use",
        Effect::General(notify_hold),
    ),
    row(
        &["notifycid"],
        "yes, no, ignore-context",
        "no",
        "lamps of the package dialog are told who calls a device that rings; yes: only when they watch in the context where the \
         call came in. Callers who hide their number are not told",
        Effect::General(notify_cid),
    ),
    row(
        &["subminexpiry"],
        "seconds, at least 1",
        "as 'minexpiry'",
        "a shorter subscription is refused with this time (423), and the device asks again",
        Effect::General(|draft, text| seconds(text, &mut draft.general.lamps.min_expiry)),
    ),
    row(
        &["submaxexpiry"],
        "seconds, at least 1",
        "as 'maxexpiry'",
        "longer subscriptions are shortened",
        Effect::General(|draft, text| seconds(text, &mut draft.general.lamps.max_expiry)),
    ),
    row(
        &["busylevel"],
        "a number, 0 for none",
        "0",
        "from so many calls on its lamp says busy; a Dial of it is not refused for it",
        Effect::Peer(busy_level),
    ),
    row(
        &["mailbox"],
        "mailbox or mailbox@context, or several with ',' between",
        "none",
        "the device is told how many messages wait there, as far as a provider ('unsolicited_mailbox') or the console \
         ('mailbox set') tells that. A 'line=modem' is told nothing: a stutter tone breaks its dialling",
        Effect::Peer(mailbox),
    ),
    row(
        &["subscribemwi"],
        "yes or no",
        "no",
        "message waiting is told only when the device subscribes to it",
        Effect::Peer(subscribe_mwi),
    ),
    row(
        &["unsolicited_mailbox"],
        "mailbox or mailbox@context",
        "none",
        "what the provider at 'host' tells of messages that wait (NOTIFY) is kept as the count of this mailbox",
        Effect::Peer(unsolicited_mailbox),
    ),
    row(
        &["vmexten"],
        "an extension",
        "asterisk",
        "what the device calls to hear its messages, as message waiting tells it",
        Effect::Settings(vm_exten),
    ),
    row(
        &["buggymwi"],
        "yes or no",
        "no",
        "message waiting without counts of urgent messages, which some old telephones cannot read",
        Effect::Settings(buggy_mwi),
    ),
    row(
        &["notifymimetype"],
        "a type of content",
        "application/simple-message-summary",
        "how message waiting is marked",
        Effect::General(|draft, text| text_of(text, &mut draft.general.lamps.mime)),
    ),
    row(
        &["mwi_from"],
        "text",
        "as 'callerid'",
        "the user in From of message waiting",
        Effect::General(|draft, text| text_of(text, &mut draft.general.lamps.mwi_from)),
    ),
];

fn mailbox(draft: &mut PeerDraft, text: &str) -> Result {
    let named = text.split(',').map(str::trim).filter(|mailbox| !mailbox.is_empty());
    draft.peer.messages.mailboxes = named.map(full_name).collect();
    Ok(())
}

fn subscribe_mwi(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.messages.only_subscribed = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn unsolicited_mailbox(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.messages.unsolicited = Some(full_name(text)).filter(|_| !text.is_empty());
    Ok(())
}

/// A mailbox with its context.
fn full_name(mailbox: &str) -> String {
    let mailbox = mailbox.trim();
    if mailbox.contains('@') { mailbox.to_owned() } else { format!("{mailbox}@default") }
}

fn vm_exten(settings: &mut Settings, text: &str) -> Result {
    settings.vm_exten = text.to_owned();
    Ok(())
}

fn buggy_mwi(settings: &mut Settings, text: &str) -> Result {
    settings.buggy_mwi = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

/// A value that goes into a header field: nothing that would end it.
fn text_of(text: &str, setting: &mut Option<String>) -> Result {
    if text.chars().any(char::is_control) {
        return Err(Trouble::Bad);
    }
    *setting = Some(text.to_owned()).filter(|text| !text.is_empty());
    Ok(())
}

fn allow_subscribe(settings: &mut Settings, text: &str) -> Result {
    settings.allow_subscribe = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn subscribe_context(settings: &mut Settings, text: &str) -> Result {
    settings.subscribe_context = text.to_owned();
    Ok(())
}

fn notify_ringing(draft: &mut GeneralDraft, text: &str) -> Result {
    let not_in_use = text.eq_ignore_ascii_case("notinuse").then_some(NotifyRinging::NotInUse);
    let plain = || value::boolean(text).map(|is_on| if is_on { NotifyRinging::Yes } else { NotifyRinging::No });
    draft.general.lamps.ringing = not_in_use.or_else(plain).ok_or(Trouble::Bad)?;
    Ok(())
}

fn notify_hold(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.lamps.hold = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn notify_cid(draft: &mut GeneralDraft, text: &str) -> Result {
    let ignores = text.eq_ignore_ascii_case("ignore-context").then_some(NotifyCid::IgnoreContext);
    let plain = || value::boolean(text).map(|is_on| if is_on { NotifyCid::Yes } else { NotifyCid::No });
    draft.general.lamps.cid = ignores.or_else(plain).ok_or(Trouble::Bad)?;
    Ok(())
}

fn seconds(text: &str, setting: &mut Option<Duration>) -> Result {
    *setting = Some(value::seconds(text).filter(|time| !time.is_zero()).ok_or(Trouble::Bad)?);
    Ok(())
}

fn busy_level(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.busy_level = Some(value::number(text).ok_or(Trouble::Bad)?).filter(|level| *level > 0);
    Ok(())
}
