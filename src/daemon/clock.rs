//! The two clocks, read.

use crate::clock::{Now, Time, Wall};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Reads both clocks; the monotonic one counts from when this was made.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        Now { mono: Time::from_start(self.start.elapsed()), wall: wall() }
    }
}

/// The wall clock; a machine that believes it is before 1970 is told apart by its sign.
pub fn wall() -> Wall {
    let milliseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| ms.saturating_neg()),
    };
    Wall(milliseconds)
}
