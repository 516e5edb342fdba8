//! A clock that goes on over a restart of the exchange and cannot be set: the time since the machine started, and which
//! start that was.

use crate::clock::{Now, Time};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Where Linux tells one start of the machine from another.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The clock since the machine started, and which start that was.
pub(super) struct BootClock {
    id: String,
}

/// The two clocks at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// Which start of the machine; empty when the system does not say.
    pub(super) boot: String,
    /// Milliseconds since that start.
    pub(super) since_boot: i64,
    /// The exchange's own clock.
    pub(super) mono: Time,
}

impl BootClock {
    pub(super) fn new() -> BootClock {
        let id = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
        BootClock { id: id.trim().chars().take(64).collect() }
    }

    /// Both clocks now.
    pub(super) fn moment(&self, now: Now) -> Moment {
        let time = clock_gettime(ClockId::Boottime);
        let since_boot = time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000);
        Moment { boot: self.id.clone(), since_boot, mono: now.mono }
    }
}

impl Moment {
    /// A moment of the exchange's clock, in milliseconds since the machine started.
    pub(super) fn stamp(&self, at: Time) -> i64 {
        let ahead = i64::try_from(at.since(self.mono).as_millis()).unwrap_or(i64::MAX);
        let behind = i64::try_from(self.mono.since(at).as_millis()).unwrap_or(i64::MAX);
        self.since_boot.saturating_add(ahead).saturating_sub(behind)
    }

    /// How long until a stamp of the machine's start `boot`; `None` when that was another start.
    pub(super) fn until(&self, boot: &str, stamp: i64) -> Option<Duration> {
        if boot.is_empty() || boot != self.boot {
            return None;
        }
        let left = stamp.saturating_sub(self.since_boot);
        Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(boot: &str, since_boot: i64, seconds: u64) -> Moment {
        Moment { boot: boot.to_owned(), since_boot, mono: Time::from_start(Duration::from_secs(seconds)) }
    }

    #[test]
    fn the_time_left_goes_on_within_one_start_of_the_machine() {
        let before = moment("a", 1_000_000, 50);
        let stamp = before.stamp(Time::from_start(Duration::from_secs(150)));
        assert_eq!(stamp, 1_100_000);
        assert_eq!(moment("a", 1_040_000, 0).until("a", stamp), Some(Duration::from_secs(60)));
        assert_eq!(moment("a", 2_000_000, 0).until("a", stamp), Some(Duration::ZERO));
        assert_eq!(moment("b", 5_000, 0).until("a", stamp), None, "the machine was started again");
        assert_eq!(moment("", 5_000, 0).until("", stamp), None, "the system does not tell");
        assert_eq!(moment("a", i64::MIN, 0).until("a", i64::MAX).map(|left| left.as_millis()), Some(i64::MAX as u128));
    }
}
