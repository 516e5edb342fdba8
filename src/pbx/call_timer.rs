//! Every timer of the switch, as one enum; transactions keep their own.

use super::leg::{LegId, LegTimer};
use crate::dialplan::ChannelId;

/// Whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTimer {
    /// One of a leg's timers.
    Leg(LegId, LegTimer),
    /// A `Wait` of a channel's program is over.
    Wait(ChannelId),
    /// A `Dial` of a channel's program has rung long enough.
    Dial(ChannelId),
    /// A peer's qualify has something to do.
    Qualify(String),
    /// A peer's `keepalive=` is due.
    Keepalive(String),
    /// A binding may have expired.
    Location,
}
