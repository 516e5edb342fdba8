//! Calls that change hands: picked up, parked, taken back.

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// A call that rang at a line was picked up by another.
    PickedUp {
        /// The channel that rang.
        channel: String,
        /// The channel that took its place.
        by: String,
    },
    /// A call waits in a lot.
    Parked {
        /// Its channel.
        channel: String,
        /// The lot.
        lot: String,
        /// The place.
        slot: u32,
        /// The line that parked it, `SIP/desk`; empty: itself.
        by: String,
    },
    /// A call that waited in a lot was taken.
    Unparked {
        /// Its channel.
        channel: String,
        /// Whose call goes on with it.
        by: String,
        /// The lot.
        lot: String,
        /// The place.
        slot: u32,
    },
    /// A call that waited in a lot was taken by nobody, and goes on.
    ParkTimedOut {
        /// Its channel.
        channel: String,
        /// The lot.
        lot: String,
        /// The place.
        slot: u32,
    },
    /// A call that waited in a lot has hung up, or goes on elsewhere.
    ParkLeft {
        /// Its channel.
        channel: String,
        /// The lot.
        lot: String,
        /// The place.
        slot: u32,
    },
}

impl Handover {
    /// The place of a lot that is taken now and was free, or the other way round: the lot, and the place.
    pub fn place(&self) -> Option<(&str, u32)> {
        match self {
            Handover::PickedUp { .. } => None,
            Handover::Parked { lot, slot, .. }
            | Handover::Unparked { lot, slot, .. }
            | Handover::ParkTimedOut { lot, slot, .. }
            | Handover::ParkLeft { lot, slot, .. } => Some((lot, *slot)),
        }
    }
}
