//! Where things are kept.

use std::path::PathBuf;

/// Where things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// The folders that may hold the state, best first; the first usable one does. None: nothing outlives a restart.
    pub state: Vec<PathBuf>,
    /// The folder of the call records as text; none: the state folder.
    pub log: Option<PathBuf>,
}
