//! `[general]` of sip.conf, as far as it is about lamps: what those who watch an extension are told.

use super::peer::{LineKind, Peer};
use std::time::Duration;

/// `notifyringing`: are lamps told that a device rings?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotifyRinging {
    /// Yes.
    #[default]
    Yes,
    /// Only when it has no other call: one that is in use stays in use.
    NotInUse,
    /// No: a device that rings is shown as it was before.
    No,
}

/// `notifycid`: are lamps told who calls a device that rings?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotifyCid {
    /// No.
    #[default]
    No,
    /// Those are that watch in the context where the call entered the dialplan.
    Yes,
    /// All are.
    IgnoreContext,
}

/// What lamps are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LampOptions {
    /// `notifyringing`.
    pub ringing: NotifyRinging,
    /// `notifyhold`: a device that holds its call is on hold; else it is in use.
    pub hold: bool,
    /// `notifycid`.
    pub cid: NotifyCid,
    /// `notifymimetype`: the type of content of message waiting; none: the usual one.
    pub mime: Option<String>,
    /// `mwi_from`: the user in From of message waiting.
    pub mwi_from: Option<String>,
    /// `subminexpiry`: a shorter subscription is refused with this time (423); none: `minexpiry`.
    pub min_expiry: Option<Duration>,
    /// `submaxexpiry`: a longer subscription is shortened to it; none: `maxexpiry`.
    pub max_expiry: Option<Duration>,
}

/// Whether a line is told of messages that wait: one with a mailbox, and not a modem, whose dialling a stutter tone breaks.
pub fn hears_of_messages(peer: &Peer) -> bool {
    !peer.messages.mailboxes.is_empty() && peer.settings.line != Some(LineKind::Modem)
}
