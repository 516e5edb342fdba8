//! What happens to those who watch extensions.

use crate::wording::Outside;
use std::net::SocketAddr;

/// Why a SUBSCRIBE was refused, as far as somebody can do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscribeRefusal {
    /// `allowsubscribe=no`.
    NotAllowed,
    /// The line has no secret, and may be anybody: somebody else would get what is sent to its address.
    MayBeForged,
    /// The extension has no hint.
    NoHint {
        /// The extension.
        exten: Outside,
        /// Where it was looked up.
        context: String,
    },
    /// The line has no mailbox of which anybody has told, or is a modem.
    NoMailbox,
    /// The line, its source, or all lines together have too many already.
    TooMany,
}

/// Something that happened to a subscription. `line` is the name of the peer that subscribed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionEvent {
    /// A SUBSCRIBE was refused.
    Refused {
        /// Whose.
        line: String,
        /// Where it came from.
        source: SocketAddr,
        /// Why.
        reason: SubscribeRefusal,
    },
    /// A telephone does not take what it subscribed to, or is gone: it is told no more until it subscribes again.
    Lost {
        /// Whose.
        line: String,
        /// What it watched.
        exten: Outside,
        /// As what.
        package: &'static str,
        /// Why.
        why: String,
    },
}
