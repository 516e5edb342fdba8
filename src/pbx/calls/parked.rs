//! Where a call waits that is parked.

use crate::clock::Time;
use std::time::Duration;

/// Where a call waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The lot.
    pub lot: String,
    /// The place.
    pub slot: u32,
    /// Who parked it, `SIP/desk`; empty: itself.
    pub parker: String,
    /// Since when.
    pub since: Time,
    /// How long it waits in all, once it does.
    pub time: Duration,
}
