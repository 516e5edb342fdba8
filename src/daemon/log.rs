//! The log: lines of every thread go into a bounded queue, and a thread of its own writes them to stderr and to the
//! files of logger.conf, so that a slow disk holds nobody up. Consoles get them at once.

mod entry;
mod file;
mod format;
mod handle;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod tracing;
mod writer;

use super::sink::Sink;
use crate::event::LogLine;
use crate::observe::log_stream::LogStream;
pub use format::{in_file, plain, story};
pub use handle::Log;
pub use settings::{Reread, Settings};
use std::sync::Arc;
pub use tracing::install_tracing;

/// A sink that makes a tracing event of every line that any target takes, and passes it to the consoles, which choose
/// their verbosity themselves.
pub fn sink(log: Log, live: LogStream) -> Sink {
    Arc::new(move |line: &LogLine| {
        if log.takes(line.level) {
            tracing::event(line);
        }
        if live.has_subscribers() {
            live.publish(format::console_line(line));
        }
    })
}
