//! The two clocks, read; and the time zone that people here live in.

use crate::clock::{Now, Time, Wall};
use crate::datetime::Zone;
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

/// The wall clock; negative on a machine whose clock is set before 1970.
pub fn wall() -> Wall {
    let milliseconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| ms.saturating_neg()),
    };
    Wall(milliseconds)
}

/// The machine's time zone at a moment: `TZ`, else /etc/localtime, which is looked at again every few minutes. UTC when
/// neither says anything.
pub fn zone(at: Wall) -> Zone {
    let zone = jiff::tz::TimeZone::system();
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(moment) if !zone.is_unknown() => {
            let info = zone.to_offset_info(moment);
            Zone { east_s: info.offset().seconds(), name: info.abbreviation().to_owned() }
        }
        Ok(_) | Err(_) => Zone::utc(),
    }
}
