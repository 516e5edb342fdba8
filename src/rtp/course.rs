//! How a sender's packets came over the course of a call, for a picture of it: of every stretch of time the least and the
//! greatest delay, what was missing, and how often its line of timestamps began anew.
//!
//! In fixed room: when all stretches are full, neighbours become one, and every stretch lasts twice as long.

use super::header::Header;
use crate::clock::Time;
use crate::event::quality::{Course, CoursePoint};
use std::time::Duration;

/// Stretches that there is room for.
pub const STRETCHES: usize = 96;

/// How long a stretch lasts at first, in microseconds.
const FIRST: u64 = 1_000_000;

/// Microseconds in a unit of the timestamp's clock: 8,000 units a second for every codec that is supported.
const UNIT: i64 = 125;

/// A packet so much earlier or later than the one before it says: another line of timestamps has begun.
const JUMP: u64 = 2_000_000;

/// A moment that no call lives to see, in microseconds: what lies behind it counts as this one.
const LONGEST: u64 = 1 << 60;

/// The course of one sender's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseRing {
    line: Option<Line>,
    first: Time,
    width: u64,
    /// When the stretch that goes on ends, in microseconds since the first packet.
    until: u64,
    open: Stretch,
    /// What was missing when it began.
    lost_before: u64,
    filled: usize,
    full: [Stretch; STRETCHES],
}

/// A line of timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    ssrc: u32,
    timestamp: u32,
    /// By how many microseconds a packet of this moment would be due after the first.
    due: i64,
    delay: i64,
}

/// In microseconds, how much later than the first packet the fastest and the slowest came than their timestamps say; the
/// greatest and the least number there are: none came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    fastest: i32,
    slowest: i32,
    lost: u16,
    restarts: u16,
}

const EMPTY: Stretch = Stretch { fastest: i32::MAX, slowest: i32::MIN, lost: 0, restarts: 0 };

impl Default for CourseRing {
    fn default() -> CourseRing {
        CourseRing {
            line: None,
            first: Time::ZERO,
            width: FIRST,
            until: FIRST,
            open: EMPTY,
            lost_before: 0,
            filled: 0,
            full: [EMPTY; STRETCHES],
        }
    }
}

impl CourseRing {
    /// A packet arrived; `lost` are missing of the stream until now.
    pub fn record(&mut self, now: Time, header: &Header, lost: u64) {
        let Some(line) = self.line else {
            self.first = now;
            self.line = Some(Line { ssrc: header.ssrc, timestamp: header.timestamp, due: 0, delay: 0 });
            (self.open.fastest, self.open.slowest) = (0, 0);
            return;
        };
        let since = u64::try_from(now.since(self.first).as_micros()).unwrap_or(u64::MAX).min(LONGEST);
        while since >= self.until {
            self.close(lost);
        }
        let step = i64::from(header.timestamp.wrapping_sub(line.timestamp).cast_signed());
        // An event (RFC 4733) repeats the timestamp of its beginning.
        if step == 0 && header.ssrc == line.ssrc {
            return;
        }
        let due = line.due.saturating_add(step.saturating_mul(UNIT));
        let delay = i64::try_from(since).unwrap_or(i64::MAX).saturating_sub(due);
        let goes_on = header.ssrc == line.ssrc && delay.abs_diff(line.delay) <= JUMP;
        let (due, delay) = match goes_on {
            true => (due, delay),
            // The picture goes on where it was.
            false => {
                self.open.restarts = self.open.restarts.saturating_add(1);
                (i64::try_from(since).unwrap_or(i64::MAX).saturating_sub(line.delay), line.delay)
            }
        };
        self.line = Some(Line { ssrc: header.ssrc, timestamp: header.timestamp, due, delay });
        let delay = i32::try_from(delay).unwrap_or(if delay < 0 { i32::MIN } else { i32::MAX });
        self.open.fastest = self.open.fastest.min(delay);
        self.open.slowest = self.open.slowest.max(delay);
    }

    /// The course until now, when so many are missing.
    pub fn told(&self, lost: u64) -> Course {
        let mut last = self.open;
        last.lost = missing(lost, self.lost_before);
        let open = self.line.is_some().then_some(&last);
        let points = self.full.iter().take(self.filled).chain(open).map(Stretch::told).collect();
        Course { width: Duration::from_micros(self.width), points }
    }

    /// The stretch that goes on is over.
    fn close(&mut self, lost: u64) {
        self.open.lost = missing(lost, self.lost_before);
        self.lost_before = lost;
        if let Some(slot) = self.full.get_mut(self.filled) {
            *slot = std::mem::replace(&mut self.open, EMPTY);
            self.filled += 1;
        }
        if self.filled == STRETCHES {
            self.halve();
        }
        self.until = self.until.saturating_add(self.width);
    }

    /// Two neighbours become one.
    fn halve(&mut self) {
        let mut merged = [EMPTY; STRETCHES];
        for (into, pair) in merged.iter_mut().zip(self.full.chunks(2)) {
            *into = pair.iter().fold(EMPTY, |one, other| one.with(other));
        }
        (self.full, self.filled, self.width) = (merged, STRETCHES / 2, self.width.saturating_mul(2));
    }
}

impl Stretch {
    fn with(self, other: &Stretch) -> Stretch {
        Stretch {
            fastest: self.fastest.min(other.fastest),
            slowest: self.slowest.max(other.slowest),
            lost: self.lost.saturating_add(other.lost),
            restarts: self.restarts.saturating_add(other.restarts),
        }
    }

    fn told(&self) -> CoursePoint {
        let delay = (self.fastest <= self.slowest).then_some((self.fastest, self.slowest));
        CoursePoint { delay, lost: self.lost, restarts: self.restarts }
    }
}

fn missing(now: u64, before: u64) -> u16 {
    u16::try_from(now.saturating_sub(before)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Packets of 20 ms from the one of this number on, each late by so many microseconds.
    fn send(ring: &mut CourseRing, from: u32, packets: u32, late: impl Fn(u32) -> u64, lost: u64) {
        for number in from..from + packets {
            let at = Duration::from_micros(u64::from(number) * 20_000 + late(number));
            let (sequence, timestamp) = (number as u16, (number * 160).wrapping_add(u32::MAX - 8_000));
            let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 7, length: 12 };
            ring.record(Time::from_start(at + Duration::from_secs(3)), &header, lost);
        }
    }

    #[test]
    fn each_second_has_its_delay_and_its_losses() {
        let mut ring = CourseRing::default();
        send(&mut ring, 0, 50, |number| u64::from(number % 10) * 100, 0);
        send(&mut ring, 50, 50, |_| 2_000, 0);
        send(&mut ring, 103, 50, |_| 0, 3);
        let course = ring.told(3);
        let second = |delay, lost| CoursePoint { delay: Some(delay), lost, restarts: 0 };
        assert_eq!(course.width, Duration::from_secs(1));
        let expected = [second((0, 900), 0), second((2_000, 2_000), 3), second((0, 0), 0), second((0, 0), 0)];
        assert_eq!(course.points, expected);
    }

    #[test]
    fn a_long_call_has_wider_stretches_and_loses_nothing() {
        let mut ring = CourseRing::default();
        for hour in 0..3 {
            send(&mut ring, hour * 180_000, 180_000, |_| u64::from(hour) * 1_000, u64::from(hour) * 10);
        }
        let course = ring.told(25);
        assert_eq!(course.width, Duration::from_secs(128));
        assert!((STRETCHES / 2..=STRETCHES).contains(&course.points.len()), "{}", course.points.len());
        assert_eq!(course.points.iter().map(|point| u32::from(point.lost)).sum::<u32>(), 25);
        assert_eq!(course.points.last().unwrap().delay, Some((2_000, 2_000)));
    }

    #[test]
    fn a_stream_that_begins_anew_goes_on_where_the_picture_was_and_a_pause_is_empty() {
        let mut ring = CourseRing::default();
        send(&mut ring, 0, 50, |_| 0, 0);
        // Ten seconds of nothing; then the timestamps have jumped by a minute.
        send(&mut ring, 3_500, 1, |_| 0, 0);
        for number in 0..50u32 {
            let at = Duration::from_secs(14) + Duration::from_millis(u64::from(number) * 20);
            let header =
                Header { marker: true, payload_type: 0, sequence: 1, timestamp: number * 160, ssrc: 8, length: 12 };
            ring.record(Time::from_start(at), &header, 0);
        }
        let course = ring.told(0);
        assert_eq!(course.points.iter().map(|point| point.restarts).sum::<u16>(), 1);
        assert!(course.points.iter().all(|point| point.delay.is_none_or(|(least, _)| least == 0)), "{course:?}");
        assert!(course.points.iter().any(|point| point.delay.is_none()));
    }

    #[test]
    fn an_event_that_repeats_its_timestamp_is_no_delay() {
        let mut ring = CourseRing::default();
        send(&mut ring, 0, 10, |_| 0, 0);
        for number in 0..8u64 {
            let header = Header { marker: false, payload_type: 101, sequence: 10, timestamp: 0, ssrc: 7, length: 12 };
            let at = Duration::from_millis(3_200 + number * 20);
            ring.record(Time::from_start(at), &Header { timestamp: 1_600u32.wrapping_sub(8_001), ..header }, 0);
        }
        assert_eq!(ring.told(0).points, [CoursePoint { delay: Some((0, 0)), lost: 0, restarts: 0 }]);
    }

    #[test]
    fn whatever_comes_nothing_breaks() {
        let mut rng = Rng::from_number(11);
        let mut ring = CourseRing::default();
        let mut at = Duration::ZERO;
        for _ in 0..100_000 {
            at += Duration::from_micros(rng.below(3_000_000) * rng.below(2));
            let (sequence, timestamp) = (rng.bits() as u16, rng.bits() as u32 >> rng.below(32));
            let ssrc = (rng.below(100) == 0).into();
            let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc, length: 12 };
            ring.record(Time::from_start(at), &header, rng.below(1_000_000));
        }
        assert!(ring.told(0).points.len() <= STRETCHES + 1);
        ring.record(Time::from_start(Duration::MAX), &Header::read(&[0x80; 12]).unwrap(), 0);
    }
}
