//! What the console is told of codes in mid-call and of parked calls.

/// Codes, and lots with the calls that wait in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureRows {
    /// The codes of the exchange: their name, the digits they have without configuration, and those they have.
    pub codes: Vec<(&'static str, String, String)>,
    /// Those of `[applicationmap]`: name and digits.
    pub applications: Vec<(String, String)>,
    /// The lots, by name.
    pub lots: Vec<LotRow>,
}

/// A lot of `parking show`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LotRow {
    /// Its name.
    pub name: String,
    /// The extension that parks.
    pub extension: String,
    /// The context of its extensions.
    pub context: String,
    /// Its places, the first and the last.
    pub places: (u32, u32),
    /// How long a call waits, in seconds.
    pub time_s: u64,
    /// A call comes back to who parked it.
    pub comes_back_to_parker: bool,
    /// Where it goes on otherwise.
    pub comeback_context: String,
    /// How long who parked it rings, in seconds.
    pub comeback_time_s: u64,
    /// The class of music.
    pub music: String,
    /// The calls that wait, by place.
    pub calls: Vec<ParkedRow>,
}

/// A call that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParkedRow {
    /// Its place.
    pub slot: u32,
    /// Its channel.
    pub channel: String,
    /// Who parked it, `SIP/desk`; empty: itself.
    pub parker: String,
    /// How long it waits still, in seconds.
    pub left_s: u64,
}
