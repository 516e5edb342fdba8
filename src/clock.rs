//! The two clocks, as values: everything that decides is told what time it is.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the monotonic clock: time since the exchange started. For timers and RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(Duration);

impl Time {
    /// The moment the exchange started.
    pub const ZERO: Time = Time(Duration::ZERO);

    /// The moment that lies `since_start` after the start.
    pub const fn from_start(since_start: Duration) -> Time {
        Time(since_start)
    }

    /// How long after the start this moment lies.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub fn since(self, earlier: Time) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, rhs: Duration) -> Time {
        Time(self.0.saturating_add(rhs))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;
    fn sub(self, rhs: Time) -> Duration {
        self.since(rhs)
    }
}

/// A moment on the wall clock, in milliseconds since 1970-01-01 00:00:00 UTC. It may jump: only for what
/// people read (logs, records) and what outlives a restart (stored expiry).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wall(pub i64);

/// Both clocks, read once for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// The monotonic clock: timers, RTP, nonces.
    pub mono: Time,
    /// The wall clock: records, what people read.
    pub wall: Wall,
}
