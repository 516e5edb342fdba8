//! Where log lines go.

use crate::pbx::effect::Line;
use std::sync::Arc;

/// Takes a log line; called from several threads.
pub type Sink = Arc<dyn Fn(&Line) + Send + Sync>;
