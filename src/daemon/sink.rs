//! Where log lines go.

use crate::event::LogLine;
use std::sync::Arc;

/// Takes a log line; called from several threads.
pub type Sink = Arc<dyn Fn(&LogLine) + Send + Sync>;
