//! What one console gets of the log: nothing until it sets its verbosity, then what that allows.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::observe::command::SetVerbose;
use crate::observe::log_stream::{ConsoleLine, LogStream};
use crate::observe::wire::Kind;

/// The subscription of one console to the log.
pub(super) struct Subscription {
    stream: LogStream,
    lines: Option<Receiver<Arc<ConsoleLine>>>,
    verbosity: u8,
}

impl Subscription {
    /// A subscription that receives nothing yet.
    pub(super) fn new(stream: LogStream) -> Subscription {
        Subscription { stream, lines: None, verbosity: 0 }
    }

    /// Receives from now on, at the verbosity asked for; returns the line for the console that says so.
    pub(super) fn set(&mut self, wish: SetVerbose) -> String {
        let was = self.verbosity;
        self.verbosity = if wish.at_least { wish.level.max(was) } else { wish.level };
        self.lines.get_or_insert_with(|| self.stream.subscribe());
        match self.verbosity {
            _ if wish.silent => String::new(),
            now if now == was => format!("Console verbose is still {now}.\n"),
            now => format!("Console verbose was {was} and is now {now}.\n"),
        }
    }

    /// The next line for this console; never ready while it receives nothing. Cancelling it loses no line.
    pub(super) async fn next(&mut self) -> Arc<ConsoleLine> {
        let Some(lines) = &mut self.lines else { return std::future::pending().await };
        loop {
            match lines.recv().await {
                Ok(line) if line.is_for(self.verbosity) => return line,
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => return Arc::new(lines_missed(missed)),
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

/// Missed lines are counted before their level is looked at, so that the number is an upper bound.
fn lines_missed(missed: u64) -> ConsoleLine {
    let text = format!("This console did not keep up: up to {missed} lines of the log are not shown here.");
    ConsoleLine { kind: Kind::Warning, level: 0, text }
}
