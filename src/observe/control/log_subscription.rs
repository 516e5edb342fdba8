//! What one console hears of the log: nothing until it says how much, then what its verbosity allows.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::observe::command::SetVerbose;
use crate::observe::log_stream::{Live, LogLine};
use crate::observe::wire::Kind;

/// See the module.
pub(super) struct Subscription {
    live: Live,
    lines: Option<Receiver<Arc<LogLine>>>,
    verbosity: u8,
}

impl Subscription {
    /// A deaf one.
    pub(super) fn new(live: Live) -> Subscription {
        Subscription { live, lines: None, verbosity: 0 }
    }

    /// Listens from now on, at the verbosity asked for; returns what to tell the console.
    pub(super) fn set(&mut self, wish: SetVerbose) -> String {
        let was = self.verbosity;
        self.verbosity = if wish.at_least { wish.level.max(was) } else { wish.level };
        self.lines.get_or_insert_with(|| self.live.listen());
        match self.verbosity {
            _ if wish.silent => String::new(),
            now if now == was => format!("Console verbose is still {now}.\n"),
            now => format!("Console verbose was {was} and is now {now}.\n"),
        }
    }

    /// The next line for this console; without an end when it is deaf. Nothing is lost when it is not waited for.
    pub(super) async fn next(&mut self) -> Arc<LogLine> {
        let Some(lines) = &mut self.lines else { return std::future::pending().await };
        loop {
            match lines.recv().await {
                Ok(said) if said.is_for(self.verbosity) => return said,
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => return Arc::new(told(missed)),
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

/// The lines missed are counted before anybody looks at their level.
fn told(missed: u64) -> LogLine {
    let text = format!("This console did not keep up: up to {missed} lines of the log are not shown here.");
    LogLine { kind: Kind::Warning, level: 0, text }
}
