//! What the media thread is told of streams that are heard by several others: one that feeds many, mixes, and spies.

use super::recording::Sides;
use crate::audio::g711::Law;

/// A mix: each who takes part hears the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MixId(pub u64);

/// How many may take part in one mix, or listen to one stream; more hear nothing, and are not heard.
pub const MAX_MEMBERS: usize = 64;

/// G.711 under a payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct G711 {
    /// The payload type.
    pub payload_type: u8,
    /// Which of the two.
    pub law: Law,
}

/// How one stream feeds another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPlan {
    /// What the source's packets are in, by their payload types; others are no sound and are left out.
    pub laws: Vec<(u8, Law)>,
    /// What the listener is sent.
    pub codec: G711,
}

/// A place in a mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// What its packets are in, by their payload types; others are no sound and are left out.
    pub laws: Vec<(u8, Law)>,
    /// What it is sent.
    pub codec: G711,
    /// Milliseconds of sound in a packet to it.
    pub ptime_ms: u8,
    /// How often what it hears is doubled; below 0: halved.
    pub gain: i8,
}

/// What a mix has of a stream that is spied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpyPlan {
    /// What the packets of the stream are in, by their payload types, in both directions.
    pub laws: Vec<(u8, Law)>,
    /// What the mix hears of it; none: nothing.
    pub hears: Option<Sides>,
    /// What is said in the mix is added to what the stream's peer hears.
    pub whispers: bool,
    /// And to what the one hears that it is bridged with.
    pub barges: bool,
}
