//! What goes where in the log, and how.

use crate::config::logger_conf::LoggerConf;
use crate::datetime::ISO;
use std::path::PathBuf;

/// What goes where in the log, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Which lines go where.
    pub conf: LoggerConf,
    /// Where relative names of files start.
    pub folder: PathBuf,
    /// A larger file becomes an old one, in bytes.
    pub max_size: u64,
    /// The verbosity where logger.conf names none.
    pub verbose: u8,
}

/// Reads logger.conf anew; gives it unless it cannot be used, and its diagnostics in whole lines.
pub type Reread = Box<dyn Fn() -> (Option<LoggerConf>, String) + Send>;

impl Settings {
    /// How times are written.
    pub(super) fn date_format(&self) -> &str {
        self.conf.date_format.as_deref().unwrap_or(ISO)
    }
}
