//! `TIMEOUT()`: how long a program waits for digits, and how long its call may last.

use crate::clock::Time;
use std::time::Duration;

/// The longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// How long a program waits for digits, and how long its call may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timeouts {
    /// For the digit after a digit.
    pub(super) digit: Duration,
    /// For the first digit.
    pub(super) response: Duration,
    /// When the call is over; `None`: when somebody hangs up.
    pub(super) deadline: Option<Time>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { digit: Duration::from_secs(5), response: Duration::from_secs(10), deadline: None }
    }
}

impl Timeouts {
    /// Has the call end so long after now; zero: never.
    pub(super) fn end_after(&mut self, now: Time, time: Duration) {
        self.deadline = (!time.is_zero()).then(|| now + time.min(LONGEST));
    }
}
