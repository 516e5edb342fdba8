//! The options of trunks: how we prove ourselves to a provider or another exchange.

use super::builder::PeerDraft;
use super::option::{Effect, OptionRow, Trouble, row};
use crate::config::login::RealmLogin;
use crate::config::secret::Secret;

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
];

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
