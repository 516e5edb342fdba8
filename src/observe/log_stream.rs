//! The log as a stream that consoles subscribe to. It is bounded, and publishing never waits for a subscriber.

use std::sync::Arc;

use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::wire::Kind;

/// Lines kept for a console that does not keep up; the oldest are dropped first, and the console shows how many it
/// missed.
const MAX_KEPT: usize = 1024;

/// A line of the log as consoles show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleLine {
    /// What it is.
    pub kind: Kind,
    /// For `Kind::Story`: the verbosity from which a console shows it; 0: output a console asked for by name (`sip set
    /// debug`).
    pub level: u8,
    /// The line without control characters and line end.
    pub text: String,
}

impl ConsoleLine {
    /// Whether a console of that verbosity shows it. From 1 on it shows notices and warnings, too.
    pub fn is_for(&self, verbosity: u8) -> bool {
        match self.kind {
            Kind::Story => self.level <= verbosity,
            Kind::Notice | Kind::Warning | Kind::Error | Kind::Security => verbosity > 0,
            Kind::Ok | Kind::Failed => false,
        }
    }
}

/// The publishing end; clones publish to the same subscribers.
#[derive(Debug, Clone)]
pub struct LogStream {
    lines: Sender<Arc<ConsoleLine>>,
}

impl Default for LogStream {
    fn default() -> LogStream {
        LogStream { lines: channel(MAX_KEPT).0 }
    }
}

impl LogStream {
    /// Whether anybody subscribes. If not, a line need not even be made.
    pub fn has_subscribers(&self) -> bool {
        self.lines.receiver_count() > 0
    }

    /// Sends a line to all subscribers. It never waits.
    pub fn publish(&self, line: ConsoleLine) {
        // An error means that there is no subscriber.
        let _ = self.lines.send(Arc::new(line));
    }

    /// Subscribes to the lines to come.
    pub(super) fn subscribe(&self) -> Receiver<Arc<ConsoleLine>> {
        self.lines.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_shows_what_its_verbosity_allows() {
        let line = |kind, level| ConsoleLine { kind, level, text: String::new() };
        assert!(line(Kind::Story, 3).is_for(3) && !line(Kind::Story, 4).is_for(3));
        assert!(line(Kind::Story, 0).is_for(0) && !line(Kind::Warning, 0).is_for(0));
        assert!(line(Kind::Notice, 0).is_for(1));
    }

    #[test]
    fn without_subscribers_nothing_is_made_and_one_that_stalls_loses_the_oldest() {
        let stream = LogStream::default();
        assert!(!stream.has_subscribers());
        let mut stalled = stream.subscribe();
        for number in 0..MAX_KEPT + 10 {
            stream.publish(ConsoleLine { kind: Kind::Notice, level: 0, text: number.to_string() });
        }
        let missed = stalled.try_recv().unwrap_err();
        assert_eq!(missed, tokio::sync::broadcast::error::TryRecvError::Lagged(10));
        assert_eq!(stalled.try_recv().unwrap().text, "10");
        drop(stalled);
        assert!(!stream.has_subscribers());
    }
}
