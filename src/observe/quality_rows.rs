//! What the console is told of how the sound of calls comes.

use super::line_test_rows::LineTestRow;
use crate::event::{LineQuality, TwoClocks};
use std::net::IpAddr;
use std::time::Duration;

/// How the sound of lines comes and came.
pub trait SoundReports {
    /// How the sound of calls comes that passes through the exchange; of one channel only, when it is named.
    fn quality(&self, channel: Option<&str>) -> Vec<QualityRow>;
    /// The latest tests of lines, the newest first.
    fn line_tests(&self) -> Vec<LineTestRow>;
}

/// A channel whose sound passes through the exchange.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QualityRow {
    /// The channel.
    pub channel: String,
    /// Where its SIP comes from.
    pub host: Option<IpAddr>,
    /// The Call-ID of its dialog.
    pub call_id: String,
    /// How long it exists, in seconds.
    pub duration_s: u64,
    /// Packets that came from its line.
    pub received: Passed,
    /// Packets that its line was sent, with what it reports of them.
    pub sent: Passed,
    /// All that is known, in sentences.
    pub sentences: Vec<String>,
    /// The same as values, for programs.
    pub quality: LineQuality,
    /// Its clock against that of the line it talks with.
    pub clocks: Option<TwoClocks>,
}

/// Packets in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// How many came, or were sent.
    pub packets: u64,
    /// How many of them were lost.
    pub lost: u64,
    /// Interarrival jitter.
    pub jitter: Duration,
}
