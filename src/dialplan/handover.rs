//! What applications ask of the switch that calls change hands by: pickup and parking.

use std::time::Duration;

/// Whose ringing is to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PickupTarget {
    /// A line in one of the groups whose calls the channel's own line may take.
    Group,
    /// A line that rings because this extension was dialled.
    Extension {
        /// The extension.
        exten: String,
        /// Its context.
        context: String,
    },
    /// A line whose Dial has this `PICKUPMARK`.
    Mark(String),
    /// A line or a channel.
    Channel {
        /// Its name, `SIP/desk` or `SIP/desk-0000002a`.
        name: String,
        /// The name is only the beginning of the channel's.
        is_prefix: bool,
    },
}

/// Why nothing was picked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPickedUp {
    /// The reason, for the log.
    pub why: String,
    /// What is played then; empty: nothing.
    pub sound: String,
}

/// A call is to be parked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParkRequest {
    /// The lot; empty: the one of the line.
    pub lot: String,
    /// The place; none: whichever is free.
    pub slot: Option<u32>,
    /// Any free place, rather than the one that the lot's order has.
    pub is_random: bool,
}

/// A call is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedAt {
    /// The lot.
    pub lot: String,
    /// The place.
    pub slot: u32,
    /// The line that parked it, `SIP/desk`; empty: it parked itself.
    pub parker: String,
    /// How long it waits.
    pub time: Duration,
    /// The class of music that it hears.
    pub music: String,
    /// It comes back to the line that parked it.
    pub comes_back_to_parker: bool,
    /// How long that rings.
    pub comeback_time: Duration,
    /// Where it goes on otherwise.
    pub comeback_context: String,
}

/// A place of a lot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParkedPlace {
    /// The lot; empty: the one of the line.
    pub lot: String,
    /// The place; none: the call that waits longest.
    pub slot: Option<u32>,
}

/// What is played to who takes a call that is there; empty: nothing.
pub type CourtesyTone = String;
