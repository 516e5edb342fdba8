//! What becomes of the mailboxes elsewhere that we have ourselves told of (`mwi =>`).

use crate::wording::Outside;
use std::net::SocketAddr;
use std::time::Duration;

/// Something that happened to a subscription of ours to a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxEvent {
    /// The user whose mailbox it is.
    pub user: String,
    /// The host, as the configuration has it.
    pub host: String,
    /// The mailbox here.
    pub mailbox: String,
    /// Where its line stands.
    pub place: String,
    /// What happened.
    pub what: MailboxNews,
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxNews {
    /// It is subscribed to, and was not before.
    Subscribed {
        /// Where.
        address: SocketAddr,
        /// For how long.
        granted: Duration,
    },
    /// It is subscribed to no more, as we asked.
    Unsubscribed,
    /// Messages wait, or have been heard.
    Told {
        /// New ones.
        new: u32,
        /// Old ones.
        old: u32,
    },
    /// Nobody answered, or the request could not be sent: why.
    Unanswered {
        /// Why.
        reason: String,
        /// When it is tried again.
        next: Duration,
    },
    /// The host name leads to no address yet.
    Unresolved {
        /// When it is tried again.
        next: Duration,
    },
    /// It was refused.
    Refused {
        /// With this status.
        status: u16,
        /// In these words.
        words: Outside,
        /// When it is tried again.
        next: Duration,
    },
    /// The other side ended it.
    Ended {
        /// Why, in its words.
        reason: Outside,
        /// When it is tried again.
        next: Duration,
    },
}
