//! Where log lines about the store go.

use crate::pbx::effect::{Level, Line};
use std::sync::Arc;

/// Takes log lines about the store, from whichever thread.
pub type Sink = Arc<dyn Fn(&Line) + Send + Sync>;

pub(super) fn warning(text: String) -> Line {
    Line { level: Level::Warning, text }
}
