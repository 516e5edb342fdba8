//! Providers that tell of messages by themselves: a NOTIFY from the address of one that has a mailbox here
//! (`unsolicited_mailbox`) is for the switch, and nobody else's is.

use super::identity::{self, Directory};
use crate::config::peer::Peer;
use crate::sip::header::HeaderName;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, Request};
use std::sync::Arc;

/// The provider whose NOTIFY of message waiting this is.
pub(super) fn of(
    (request, essentials): (&Request, &Essentials),
    flow: Flow,
    directory: Directory<'_>,
    by_digest: bool,
) -> Option<Arc<Peer>> {
    let event = request.headers.text(HeaderName::Event)?;
    if event.split(';').next().is_none_or(|name| name.trim() != "message-summary") {
        return None;
    }
    let names = directory.names;
    let claim = identity::caller(directory, (request, essentials), None, flow, by_digest);
    let account = claim.account.filter(|account| account.peer.messages.unsolicited.is_some())?;
    let home = account.peer.host.address(names).map(|home| home.ip());
    (account.allows(flow.remote) && home == Some(flow.remote.ip())).then(|| account.peer.clone())
}
