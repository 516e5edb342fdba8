//! An exchange as a console names it.

use std::fmt;
use std::path::PathBuf;

/// An exchange that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    /// Its control socket.
    pub(super) socket: PathBuf,
    /// Its process.
    pub(super) pid: Option<i32>,
    /// Its configuration directory, if it has one and says so.
    pub(super) directory: Option<PathBuf>,
}

/// How a console chooses it: `-C /etc/x (pid 7)`.
impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.directory {
            Some(directory) => write!(f, "-C {}", directory.display())?,
            None => write!(f, "--socket {}", self.socket.display())?,
        }
        self.pid.map_or(Ok(()), |pid| write!(f, "   (pid {pid})"))
    }
}
