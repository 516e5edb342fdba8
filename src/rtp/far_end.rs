//! What the far end of a stream says of it in its RTCP reports, read as they pass (RFC 3550 6.4): what it lost of what we
//! send, its jitter, and how long the way to it and back takes.

use super::rtcp::{self, Block};
use crate::clock::Time;
use std::time::Duration;

/// Sender reports that were passed on and may yet be answered. One is sent every five seconds (RFC 3550 6.2).
const PASSED: usize = 4;

/// A way there and back that takes longer is a clock that was set, not a way.
const LONGEST: Duration = Duration::from_secs(10);

/// What one end has told of what it hears.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FarEnd {
    /// Reports that came.
    pub reports: u32,
    /// Packets it misses of the stream it was sent (cumulative, RFC 3550 6.4.1); below zero: it got some twice.
    pub lost: i32,
    /// The greatest share that it missed between two reports, of 256.
    pub worst_fraction: u8,
    /// Its latest interarrival jitter, in units of the timestamp's clock.
    pub jitter: u32,
    /// Its latest way there and back.
    pub round_trip: Option<Duration>,
    /// The longest.
    pub longest_round_trip: Option<Duration>,
    /// The middle of the NTP stamp of sender reports that were passed on to it, and when.
    passed: [Option<(u32, Time)>; PASSED],
}

impl FarEnd {
    /// A compound packet is passed on to this end.
    pub fn pass(&mut self, now: Time, packet: &[u8]) {
        for stamp in rtcp::sender_stamps(packet) {
            self.passed.rotate_right(1);
            if let Some(first) = self.passed.first_mut() {
                *first = Some((stamp, now));
            }
        }
    }

    /// A compound packet came from this end.
    pub fn hear(&mut self, now: Time, packet: &[u8]) {
        for block in rtcp::blocks(packet) {
            self.reports = self.reports.saturating_add(1);
            self.lost = block.lost;
            self.worst_fraction = self.worst_fraction.max(block.fraction);
            self.jitter = block.jitter;
            if let Some(way) = self.way(now, &block) {
                self.round_trip = Some(way);
                self.longest_round_trip = self.longest_round_trip.max(Some(way));
            }
        }
    }

    /// RFC 3550 6.4.1 (LSR, DLSR), measured from here: from when the sender report was passed on until its answer came, less
    /// what the far end waited between.
    fn way(&self, now: Time, block: &Block) -> Option<Duration> {
        let (_, at) = self.passed.iter().flatten().find(|(stamp, _)| *stamp == block.last_sender_report)?;
        let waited = Duration::from_secs_f64(f64::from(block.delay) / 65_536.0);
        now.since(*at).checked_sub(waited).filter(|way| *way < LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender_report(seconds: u32) -> Vec<u8> {
        let words = [0xa, seconds, 0x8000_0000, 160, 1, 160];
        std::iter::once([0x80, 200, 0, 6]).chain(words.map(u32::to_be_bytes)).flatten().collect()
    }

    fn receiver_report(fraction_and_lost: u32, jitter: u32, stamp: u32, delay: u32) -> Vec<u8> {
        let words = [0xb, 0xa, fraction_and_lost, 7, jitter, stamp, delay];
        std::iter::once([0x81, 201, 0, 7]).chain(words.map(u32::to_be_bytes)).flatten().collect()
    }

    fn at(milliseconds: u64) -> Time {
        Time::from_start(Duration::from_millis(milliseconds))
    }

    #[test]
    fn what_the_far_end_reports_is_kept() {
        let mut end = FarEnd::default();
        end.hear(at(0), &receiver_report(0x4000_0003, 80, 0, 0));
        end.hear(at(0), &receiver_report(0x00ff_fffe, 40, 0, 0));
        assert_eq!((end.reports, end.lost, end.worst_fraction, end.jitter, end.round_trip), (2, -2, 64, 40, None));
    }

    #[test]
    fn the_way_there_and_back_is_without_what_it_waited() {
        let mut end = FarEnd::default();
        (1..10).for_each(|second| end.pass(at(u64::from(second) * 1_000), &sender_report(second)));
        // Answered at 9.543 s, after half a second at the far end.
        end.hear(at(9_543), &receiver_report(0, 0, 0x0009_8000, 32_768));
        assert_eq!(end.round_trip, Some(Duration::from_millis(43)));
        // One that is not remembered, and one that says it waited longer than it could.
        end.hear(at(9_600), &receiver_report(0, 0, 0x0001_8000, 0));
        end.hear(at(9_600), &receiver_report(0, 0, 0x0009_8000, 65_536));
        assert_eq!((end.round_trip, end.longest_round_trip), (Some(Duration::from_millis(43)), end.round_trip));
    }

    #[test]
    fn cut_reports_are_passed_over() {
        let mut end = FarEnd::default();
        let report = receiver_report(1, 1, 1, 1);
        (0..report.len()).for_each(|length| end.hear(at(0), &report[..length]));
        assert_eq!(end, FarEnd::default());
    }
}
