//! Who sent a request of ours: its responses, its timeout and its transport failure go there.

use super::timer::{LegId, SubscriptionId};
use std::sync::Arc;

/// Who sent a request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// A leg. It may be gone, or wait for this request no more.
    Leg(LegId),
    /// `sip notify` to this peer.
    Notify(Arc<str>),
    /// A text message on its way.
    Text(u64),
    /// A registration of ours, by its name.
    Registration(Arc<str>),
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
