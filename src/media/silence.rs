//! How long a stream has been without packets, from its peer and to it.

use crate::clock::Time;
use std::time::Duration;

/// The payload type of comfort noise (RFC 3551 6, RFC 3389).
pub(super) const COMFORT_NOISE: u8 = 13;

/// The least noise there is, -127 dBov (RFC 3389 3).
pub(super) const SILENT: u8 = 127;

/// Watches one stream. Nothing is asked regularly: a deadline is looked at when it is due, and moved on when packets
/// have come or gone since.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// Silence of the peer that is reported.
    limit: Option<Duration>,
    /// Silence of ours after which the peer is sent something.
    keepalive: Option<Duration>,
    heard: Option<Time>,
    sent: Option<Time>,
    /// Reported, and nothing has come since.
    reported: bool,
    /// Something has come since, which is not yet reported.
    broken: bool,
    /// The deadline that waits in the worker's queue.
    armed: Option<Time>,
}

/// What is to be done at a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Due {
    /// Report that the peer has been silent for so long.
    pub silent: Option<Duration>,
    /// Send the peer something.
    pub keepalive: bool,
}

impl Silence {
    /// Watches from now on, by these times.
    pub fn watch(&mut self, now: Time, limit: Option<Duration>, keepalive: Option<Duration>) {
        (self.limit, self.keepalive) = (limit, keepalive);
        self.heard.get_or_insert(now);
        self.sent.get_or_insert(now);
    }

    /// A packet of the peer's was accepted.
    pub fn hear(&mut self, now: Time) {
        self.heard = Some(now);
        if self.reported {
            (self.reported, self.broken) = (false, true);
        }
    }

    /// A packet was sent to the peer.
    pub fn speak(&mut self, now: Time) {
        self.sent = Some(now);
    }

    /// Is it to be reported that the peer is heard again? Said once.
    pub fn take_broken(&mut self) -> bool {
        std::mem::take(&mut self.broken)
    }

    fn silent_at(&self) -> Option<Time> {
        Some(self.heard? + self.limit.filter(|_| !self.reported)?)
    }

    fn keepalive_at(&self) -> Option<Time> {
        Some(self.sent? + self.keepalive?)
    }

    /// The deadline to put into the queue, unless an earlier one is there.
    pub fn arm(&mut self) -> Option<Time> {
        let next = self.silent_at().into_iter().chain(self.keepalive_at()).min()?;
        if self.armed.is_some_and(|armed| armed <= next) {
            return None;
        }
        self.armed = Some(next);
        self.armed
    }

    /// What there is to do at a deadline from the queue; one that was replaced by an earlier one counts for nothing.
    pub fn due(&mut self, now: Time, deadline: Time) -> Due {
        if self.armed != Some(deadline) {
            return Due::default();
        }
        self.armed = None;
        let silent = self.silent_at().filter(|at| *at <= now).and(self.limit);
        self.reported |= silent.is_some();
        Due { silent, keepalive: self.keepalive_at().is_some_and(|at| at <= now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    fn secs(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn silence_is_reported_once_until_something_comes() {
        let mut silence = Silence::default();
        silence.watch(at(0), secs(10), None);
        assert_eq!(silence.arm(), Some(at(10)));
        silence.hear(at(4));
        assert_eq!((silence.arm(), silence.take_broken()), (None, false), "one deadline is enough");
        assert_eq!(silence.due(at(10), at(10)), Due::default());
        assert_eq!(silence.arm(), Some(at(14)));
        assert_eq!(silence.due(at(14), at(14)), Due { silent: secs(10), keepalive: false });
        assert_eq!(silence.arm(), None, "reported: nothing more to wait for");
        silence.hear(at(20));
        assert!(silence.take_broken() && !silence.take_broken());
        assert_eq!(silence.arm(), Some(at(30)));
    }

    #[test]
    fn the_peer_is_sent_something_when_it_was_sent_nothing() {
        let mut silence = Silence::default();
        silence.watch(at(0), secs(60), secs(15));
        assert_eq!(silence.arm(), Some(at(15)));
        silence.speak(at(10));
        assert_eq!(silence.due(at(15), at(15)), Due::default());
        assert_eq!(silence.arm(), Some(at(25)));
        assert_eq!(silence.due(at(25), at(25)), Due { silent: None, keepalive: true });
        silence.speak(at(25));
        assert_eq!(silence.arm(), Some(at(40)));
        silence.watch(at(26), secs(60), None);
        assert_eq!(silence.due(at(40), at(40)), Due::default(), "switched off");
        assert_eq!(silence.arm(), Some(at(60)));
        silence.watch(at(50), secs(60), secs(1));
        assert_eq!(silence.arm(), Some(at(26)), "an earlier deadline takes its place");
        assert_eq!(silence.due(at(60), at(60)), Due::default());
    }
}
