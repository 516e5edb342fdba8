//! What the switch has done outside of itself, by whoever may run programs: the orders, and what comes back.

use crate::dialplan::ChannelId;
use crate::dialplan::outside::{OutsideReply, OutsideRequest};

/// Something that a channel's program waits for; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrandId(pub u64);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutsideOrder {
    /// This, and report.
    Run {
        /// Named again in the report.
        errand: ErrandId,
        /// For whom.
        channel: ChannelId,
        /// What.
        request: OutsideRequest,
    },
    /// The channel is hung up: programs that talk with it learn so.
    HungUp(ChannelId),
    /// The channel's program goes on elsewhere: talks with it are over.
    Leave(ChannelId),
    /// The channel is gone: whatever runs for it ends.
    Forget(ChannelId),
}

/// What came of an order. There is one for each errand, unless its channel is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideReport {
    /// Which errand.
    pub errand: ErrandId,
    /// For whom.
    pub channel: ChannelId,
    /// What came of it.
    pub reply: OutsideReply,
}
