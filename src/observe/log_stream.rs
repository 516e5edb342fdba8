//! The log as it happens, for whoever listens: bounded, and nobody who speaks ever waits for somebody who listens.

use std::sync::Arc;

use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::wire::Kind;

/// Lines kept for a console that does not keep up; the oldest go first, and it is told how many it missed.
const KEPT: usize = 1024;

/// A line of the log as consoles show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// What it is.
    pub kind: Kind,
    /// For the story: the console verbosity it is shown from; 0 is what was asked for by name (`sip set debug`).
    pub level: u8,
    /// The line, free of anything a terminal would obey, without its last line end.
    pub text: String,
}

impl LogLine {
    /// Does a console of that verbosity show it? Whoever hears any of the story hears notices and warnings, too.
    pub fn is_for(&self, verbosity: u8) -> bool {
        match self.kind {
            Kind::Story => self.level <= verbosity,
            Kind::Notice | Kind::Warning | Kind::Error | Kind::Security => verbosity > 0,
            Kind::Ok | Kind::Failed => false,
        }
    }
}

/// The speaker: any number of hands may hold it.
#[derive(Debug, Clone)]
pub struct Live {
    lines: Sender<Arc<LogLine>>,
}

impl Default for Live {
    fn default() -> Live {
        Live { lines: channel(KEPT).0 }
    }
}

impl Live {
    /// Does anybody listen? If not, a line need not even be made.
    pub fn is_heard(&self) -> bool {
        self.lines.receiver_count() > 0
    }

    /// Says a line to all who listen. It never waits.
    pub fn say(&self, said: LogLine) {
        // Nobody listens: then it is not missed.
        let _ = self.lines.send(Arc::new(said));
    }

    /// Begins to listen.
    pub(super) fn listen(&self) -> Receiver<Arc<LogLine>> {
        self.lines.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_hears_what_its_verbosity_allows() {
        let said = |kind, level| LogLine { kind, level, text: String::new() };
        assert!(said(Kind::Story, 3).is_for(3) && !said(Kind::Story, 4).is_for(3));
        assert!(said(Kind::Story, 0).is_for(0) && !said(Kind::Warning, 0).is_for(0));
        assert!(said(Kind::Notice, 0).is_for(1));
    }

    #[test]
    fn whoever_does_not_listen_costs_nothing_and_whoever_stalls_loses_the_oldest() {
        let live = Live::default();
        assert!(!live.is_heard());
        let mut stalled = live.listen();
        for number in 0..KEPT + 10 {
            live.say(LogLine { kind: Kind::Notice, level: 0, text: number.to_string() });
        }
        let missed = stalled.try_recv().unwrap_err();
        assert_eq!(missed, tokio::sync::broadcast::error::TryRecvError::Lagged(10));
        assert_eq!(stalled.try_recv().unwrap().text, "10");
        drop(stalled);
        assert!(!live.is_heard());
    }
}
