//! Where log lines about the store go.

use crate::event::{Level, LogLine};
use std::sync::Arc;

/// Takes log lines about the store, from whichever thread.
pub type Sink = Arc<dyn Fn(&LogLine) + Send + Sync>;

pub(super) fn warning(text: String) -> LogLine {
    LogLine { level: Level::Warning, text }
}
