//! What the exchange itself did to a stream: packets that the system dropped since they were not read in time, and packets
//! that waited for it to read them. The network has no part in either.

use crate::clock::Time;
use std::time::Duration;

/// A packet that waited so long to be read is a stall: half of a packet of the usual length.
pub const STALL: Duration = Duration::from_millis(10);

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stalls {
    dropped: u64,
    longest: Duration,
    number: u32,
    /// When a packet was read last.
    read: Time,
}

impl Stalls {
    /// A packet that came to this machine at `came` is read at `now`. Those that came while one was waiting belong to the same
    /// stall.
    pub fn read(&mut self, came: Time, now: Time) {
        let waited = now.since(came);
        self.longest = self.longest.max(waited);
        if waited >= STALL && came >= self.read {
            self.number = self.number.saturating_add(1);
        }
        self.read = now;
    }

    /// The system says how many packets it has dropped since the socket was opened: there was no room for them.
    pub fn dropped(&mut self, number: u64) {
        self.dropped = self.dropped.max(number);
    }

    /// Packets dropped by this machine.
    pub fn lost_here(&self) -> u64 {
        self.dropped
    }

    /// The longest time a packet waited to be read.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// How often packets waited for [`STALL`] or longer.
    pub fn number(&self) -> u32 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    #[test]
    fn all_that_waited_for_the_same_reason_is_one_stall() {
        let mut stalls = Stalls::default();
        stalls.read(at(100), at(100));
        // Nothing is read from 110 to 190 ms.
        for came in [120, 140, 160, 180] {
            stalls.read(at(came), at(190));
        }
        assert_eq!((stalls.number(), stalls.longest()), (1, Duration::from_millis(70)));
        stalls.read(at(200), at(205));
        stalls.read(at(220), at(230));
        stalls.read(at(240), at(240));
        assert_eq!((stalls.number(), stalls.longest()), (2, Duration::from_millis(70)));
    }

    #[test]
    fn a_clock_that_is_behind_makes_no_stall() {
        let mut stalls = Stalls::default();
        stalls.read(at(200), at(100));
        assert_eq!((stalls.number(), stalls.longest()), (0, Duration::ZERO));
    }

    #[test]
    fn drops_are_counted_as_the_system_counts_them_since_the_beginning() {
        let mut stalls = Stalls::default();
        [0, 3, 3, 7].into_iter().for_each(|number| stalls.dropped(number));
        assert_eq!(stalls.lost_here(), 7);
    }
}
