//! What the media thread is asked to record, and how that ended.

use crate::audio::g711::Law;
use crate::linetest;
use crate::linetest::report::Measured;
use std::time::Duration;

/// Names a recording for as long as the exchange runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(pub u64);

/// What is recorded of a stream, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordPlan {
    /// The files; none: it is only listened to.
    pub files: Vec<RecordFile>,
    /// Go on at the end of files that are there already.
    pub append: bool,
    /// Leave out the time in which the stream is in no bridge.
    pub only_bridged: bool,
    /// How often what comes from the peer, and what goes to it, is doubled (below zero: halved).
    pub gains: [i8; 2],
    /// The payload types of G.711; others are silence.
    pub laws: Vec<(u8, Law)>,
    /// End after so long; none: do not.
    pub max: Option<Duration>,
    /// End when the peer is silent, or is heard.
    pub until: Option<Until>,
    /// What is measured of the stream; there are no files then.
    pub measure: Option<linetest::Plan>,
    /// The channel, for the log.
    pub channel: String,
    /// What its owner wants done at the end, given back there.
    pub command: String,
}

/// A file of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFile {
    /// Its path; `%d` in it counts up until there is no such file.
    pub path: String,
    /// What is in it.
    pub sides: Sides,
    /// Its format.
    pub container: Container,
}

/// Which of a stream's directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Both, mixed.
    Both,
    /// What comes from the peer.
    FromPeer,
    /// What goes to it.
    ToPeer,
}

/// The format of a file; all at 8,000 Hz, one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// WAV, 16-bit linear.
    Wav,
    /// Bytes of G.711, without header.
    Raw(Law),
    /// 16-bit linear, without header.
    Linear,
}

impl Container {
    /// The format that a file's extension names.
    pub fn of(extension: &str) -> Option<Container> {
        match extension.to_ascii_lowercase().as_str() {
            // Asterisk's name for gsm in a WAV file.
            _ if extension == "WAV" => None,
            "wav" | "wav16" => Some(Container::Wav),
            "ulaw" | "ul" | "mu" | "pcm" | "mulaw" => Some(Container::Raw(Law::Mu)),
            "alaw" | "al" => Some(Container::Raw(Law::A)),
            "sln" | "raw" | "slin" => Some(Container::Linear),
            _ => None,
        }
    }
}

/// What of the peer's sound ends a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// Sound, and not silence.
    pub noise: bool,
    /// How long it has to last.
    pub lasting: Duration,
}

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Why.
    pub end: RecordingEnd,
    /// The files, as they were named in the end.
    pub files: Vec<String>,
    /// How long it is.
    pub length: Duration,
    /// Packets that the writer did not keep up with.
    pub dropped: u64,
    /// Packets in another codec than G.711: they are silence in it.
    pub undecoded: u64,
    /// How often a direction had to be moved, since its telephone's clock differs from ours.
    pub moved: u64,
    /// What was measured.
    pub measured: Option<Box<Measured>>,
    /// Why a file kept its name that was to get another; empty: none did.
    pub not_renamed: String,
    /// As the plan had it.
    pub channel: String,
    /// As the plan had it.
    pub command: String,
}

impl Recorded {
    /// A recording by this plan that ended before it had any sound.
    pub fn of(plan: &RecordPlan, end: RecordingEnd, files: Vec<String>) -> Recorded {
        let (channel, command) = (plan.channel.clone(), plan.command.clone());
        let length = Duration::ZERO;
        let not_renamed = String::new();
        Recorded {
            end,
            files,
            length,
            dropped: 0,
            undecoded: 0,
            moved: 0,
            measured: None,
            not_renamed,
            channel,
            command,
        }
    }

    /// One that could not be begun.
    pub fn failed(plan: &RecordPlan, why: String) -> Recorded {
        Recorded::of(plan, RecordingEnd::Failed(why), Vec::new())
    }
}

/// Why a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingEnd {
    /// It was stopped, or its stream is gone.
    Stopped,
    /// What it was to end with was heard.
    Until,
    /// It was as long as it may be.
    Max,
    /// It could not be written: why.
    Failed(String),
}
