//! What applications ask to have recorded, and how it ended.

use super::digits::Digits;
use std::time::Duration;

/// What `Record` and its kin request: the caller alone, until something ends it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordRequest {
    /// The file; none: it is only listened for `until`.
    pub file: Option<String>,
    /// Go on at the end of a file that is there.
    pub append: bool,
    /// At most so long.
    pub max: Option<Duration>,
    /// Until it was silent (or heard: true) for so long.
    pub until: Option<(bool, Duration)>,
    /// Digits that end it.
    pub stop_on: Digits,
}

/// How a recording of `Record` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordReply {
    /// By this digit.
    Digit(char),
    /// The caller was silent, or heard, for so long.
    Until,
    /// It was as long as it may be.
    Max,
    /// It could not be done: why.
    Failed(String),
}

/// Which recordings beside a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapKind {
    /// `MixMonitor`.
    Mix,
    /// `Monitor`.
    Monitor,
}

/// What a file of a recording holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapSides {
    /// Both directions, mixed.
    Both,
    /// What the channel's telephone says.
    In,
    /// What it hears.
    Out,
}

/// What `MixMonitor`, `Monitor` and their kin request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TapRequest {
    /// Record beside whatever the channel does.
    Start {
        /// For which application.
        kind: TapKind,
        /// The files, with what is in each.
        files: Vec<(String, TapSides)>,
        /// Go on at the end of files that are there.
        append: bool,
        /// Leave out the time in which nobody else is on the call.
        only_bridged: bool,
        /// How often what the telephone says, and hears, is doubled.
        gains: [i8; 2],
        /// What is to be run at the end.
        command: String,
    },
    /// End those of an application, or the one of that number.
    Stop(TapKind, Option<u64>),
    /// Name the files of an application's recordings anew, in the folder of recordings or by an absolute name, without
    /// ending.
    Rename(TapKind, String),
    /// Leave out what is said, or no more.
    Pause(TapKind, bool),
}

/// A recording that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tapped {
    /// Its number.
    pub id: u64,
    /// The full names of its files.
    pub files: Vec<String>,
}
