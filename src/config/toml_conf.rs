//! strowger.toml: what Asterisk's files have no place for. Unknown keys are refused.

use serde::Deserialize;
use std::path::PathBuf;

/// What strowger.toml says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TomlConf {
    /// The console's socket.
    pub control: Control,
    /// What must outlive a restart.
    pub state: State,
    /// What is said, and how much.
    pub log: Log,
}

/// `[control]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// `socket`: the path of the console's UNIX socket; none: the first usable of the usual places.
    pub socket: Option<PathBuf>,
}

/// `[state]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// `folder`: where registrations, records and generated files are kept; none: the usual place.
    pub folder: Option<PathBuf>,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `level`: the least weight that is logged.
    pub level: Level,
    /// `verbose`: how much of a call's story is told, 0 (nothing) to 10.
    pub verbose: u8,
}

impl Default for Log {
    fn default() -> Log {
        Log { level: Level::Info, verbose: 3 }
    }
}

/// The weight of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What stops something from working.
    Error,
    /// What may, or is ignored.
    Warn,
    /// What happens.
    Info,
    /// What helps to find out why.
    Debug,
    /// Everything.
    Trace,
}
