//! The options of trunks: how we prove ourselves to a provider or another exchange.

use super::builder::{GeneralDraft, PeerDraft};
use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::login::RealmLogin;
use crate::config::mailbox_line;
use crate::config::register_line::Written;
use crate::config::secret::Secret;
use crate::config::value;
use std::time::Duration;

type Result = std::result::Result<(), Trouble>;

const LOGIN: &str = "USER:SECRET@REALM, or USER#MD5@REALM with the MD5 of user:realm:secret";

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["remotesecret"],
        "text",
        "'secret'",
        "the password that we give it when it asks for one (401, 407); 'secret' is then what it gives us",
        Effect::Peer(remote_secret),
    ),
    row(
        &["auth"],
        LOGIN,
        "none",
        "the user and password that we give it when it asks for one of this realm, before 'remotesecret' and 'secret'; may be repeated",
        Effect::Peer(|draft, text| add(&mut draft.peer.auth, text)),
    ),
    row(
        &["auth"],
        LOGIN,
        "none",
        "the user and password that every peer with a fixed address is given when it asks for one of this realm; may be repeated, and may stand in [authentication], too",
        Effect::General(|draft, text| add(&mut draft.general.auth, text)),
    ),
    row(
        &["register"],
        REGISTER,
        "none",
        "registers an account of ours at a provider or another exchange; its calls come in at the extension ('s' without one). The last '@' ends the password; one with ':' stands in quotes. \
         The section before '?', or the one with the same host, gives it 'fromdomain', 'transport' and a password that the line lacks. May be repeated",
        Effect::General(register),
    ),
    row(
        &["mwi"],
        MWI,
        "none",
        "a mailbox of ours at a provider or another exchange: it is subscribed to (SUBSCRIBE), and what its NOTIFYs say is told to the peers with that 'mailbox'; without a context it is \
         MAILBOX@SIP_Remote here, as in chan_sip. May be repeated",
        Effect::General(mwi),
    ),
    row(
        &["mwiexpiry"],
        "seconds, 60 to 86400",
        "3600",
        "for how long the mailboxes of 'mwi' lines are subscribed to each time",
        Effect::General(mwi_expiry),
    ),
    row(
        &["callbackextension"],
        "an extension",
        "none",
        "registers us at this peer, which has a fixed 'host', as 'defaultuser' (else 'fromuser', else its name) with 'remotesecret' or 'secret'; its calls come in at the extension",
        Effect::Peer(callback_extension),
    ),
    row(
        &["registertimeout"],
        "seconds, at least 1",
        "20",
        "how long the answer to a registration of ours is waited for, and how long the first wait after a failure is: it doubles, up to 300 s after silence and 1800 s after a refusal, and a quarter of it is left to chance",
        Effect::General(register_timeout),
    ),
    row(
        &["registerattempts"],
        "a number, 0 for no end",
        "0",
        "failures in a row after which a registration of ours is given up until 'reload'",
        Effect::General(register_attempts),
    ),
    row(
        &["register_retry_403"],
        "yes or no",
        "no",
        "a registration of ours that is forbidden (403) is tried again; without it, it is given up until 'reload'",
        Effect::General(|draft, text| {
            draft.general.register.retry_403 = value::boolean(text).ok_or(Trouble::Bad)?;
            Ok(())
        }),
    ),
];

const REGISTER: &str = "[peer?][transport://]user[@domain[:port]][:secret[:authuser]]@host[:port][/extension][~expiry]";

fn register(draft: &mut GeneralDraft, text: &str) -> Result {
    let line = Written::parse(text).map_err(|why| Trouble::ignored(why, format!("accepted: {REGISTER}")))?;
    draft.register_lines.push((draft.at.clone(), line));
    Ok(())
}

const MWI: &str = "user[:secret[:authuser]]@host[:port]/mailbox";

fn mwi(draft: &mut GeneralDraft, text: &str) -> Result {
    let (line, mailbox) = mailbox_line::parse(text).map_err(|why| Trouble::ignored(why, format!("accepted: {MWI}")))?;
    draft.mailbox_lines.push((draft.at.clone(), line, mailbox));
    Ok(())
}

fn mwi_expiry(draft: &mut GeneralDraft, text: &str) -> Result {
    let allowed = Duration::from_secs(60)..=Duration::from_secs(86_400);
    draft.general.mwi_expiry = value::seconds(text).filter(|time| allowed.contains(time)).ok_or(Trouble::Bad)?;
    Ok(())
}

fn callback_extension(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.callback_extension = Some(text).filter(|text| !text.is_empty()).map(Into::into);
    Ok(())
}

fn register_timeout(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.register.timeout = value::seconds(text).filter(|time| !time.is_zero()).ok_or(Trouble::Bad)?;
    Ok(())
}

fn register_attempts(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.register.attempts = Some(value::number(text).ok_or(Trouble::Bad)?).filter(|most| *most > 0);
    Ok(())
}

fn remote_secret(draft: &mut PeerDraft, text: &str) -> Result {
    draft.peer.remote_secret = Some(text).filter(|text| !text.is_empty()).map(Secret::new);
    Ok(())
}

/// A line `auth=`: it replaces an earlier one of its realm. An empty one takes back all that stood before.
pub(super) fn add(to: &mut Vec<RealmLogin>, text: &str) -> Result {
    if text.is_empty() {
        to.clear();
        return Ok(());
    }
    let login = RealmLogin::parse(text).map_err(|why| {
        Trouble::ignored(format!("'auth' is no USER:SECRET@REALM: {why}"), format!("accepted: {LOGIN}"))
    })?;
    to.retain(|other| other.realm != login.realm);
    to.push(login);
    Ok(())
}
