//! Who sent a request of ours: its responses, its timeout and its transport failure go there.

use super::timer::{LegId, SubscriptionId};
use crate::names::Server;
use std::sync::Arc;

/// A NOTIFY that `sip notify` sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// To which peer.
    pub peer: String,
    /// Of which type.
    pub kind: String,
    /// The server of a peer that has several; none: it is one telephone.
    pub server: Option<Server>,
}

/// Who sent a request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// A leg. It may be gone, or wait for this request no more.
    Leg(LegId),
    /// `sip notify`.
    Notify(Arc<Notice>),
    /// A text message on its way.
    Text(u64),
    /// A registration of ours, by its name.
    Registration(Arc<str>),
    /// A subscription of ours to a mailbox, by its name.
    Mailbox(Arc<str>),
    /// The watch of a peer: an OPTIONS of `qualify=`.
    Qualify {
        /// The peer's name.
        peer: Arc<str>,
        /// Which watch of this peer: a reload may have begun another since.
        watch: u64,
        /// Which OPTIONS of the watch.
        attempt: u8,
    },
    /// A subscription: its NOTIFY. It may be over.
    Subscription(SubscriptionId),
}
