//! One direction of a recording: packets put where they belong in time.
//!
//! The timestamps say where, counted from the arrival of the first packet: a lost one leaves silence. Where a
//! telephone's clock runs differently from ours, or its timestamps jump, the direction is moved as a whole as soon as
//! every packet of a second is early or late.

use std::collections::VecDeque;

/// Farther off than this, every packet for a second, and the direction is moved: 60 ms.
const TOLERANCE: i64 = 480;
/// Farther off than this, and it is moved at once: 2 s.
const JUMP: i64 = 16_000;
/// Packets that are looked at before it is moved.
const WINDOW: u32 = 50;

/// See the module. Positions are samples since the recording's begin.
#[derive(Debug, Default)]
pub(super) struct Track {
    anchor: Option<Anchor>,
    /// From `base` on.
    samples: VecDeque<i16>,
    base: i64,
    /// The least lateness in this window, and how many packets it has.
    window: (i64, u32),
    pub(super) moved: u64,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    position: i64,
}

impl Track {
    /// Forgets where packets belong: after a pause.
    pub(super) fn restart(&mut self) {
        self.anchor = None;
        self.samples.clear();
    }

    /// Puts a packet's samples, which arrived at `arrival`, to where they belong.
    pub(super) fn put(&mut self, ssrc: u32, timestamp: u32, arrival: i64, samples: impl ExactSizeIterator<Item = i16>) {
        let known = self.anchor.filter(|anchor| anchor.ssrc == ssrc);
        let place = |anchor: Anchor| {
            // Wraps as timestamps do.
            anchor.position.saturating_add(i64::from(timestamp.wrapping_sub(anchor.timestamp).cast_signed()))
        };
        let expected = known.map(place);
        let position = match expected.map(|expected| (expected, arrival.saturating_sub(expected))) {
            Some((expected, late)) if late.abs() <= JUMP => self.settled(expected, late, (ssrc, timestamp)),
            Some(_) => {
                self.moved = self.moved.saturating_add(1);
                self.begin(ssrc, timestamp, arrival)
            }
            None => self.begin(ssrc, timestamp, arrival),
        };
        self.write(position, samples);
    }

    fn begin(&mut self, ssrc: u32, timestamp: u32, position: i64) -> i64 {
        self.anchor = Some(Anchor { ssrc, timestamp, position });
        self.window = (i64::MAX, 0);
        position
    }

    /// The position of a packet so late: the expected one, unless a second of them says otherwise.
    fn settled(&mut self, expected: i64, late: i64, (ssrc, timestamp): (u32, u32)) -> i64 {
        let (least, number) = self.window;
        self.window = (least.min(late), number.saturating_add(1));
        if self.window.1 < WINDOW {
            return expected;
        }
        let least = self.window.0;
        self.window = (i64::MAX, 0);
        if least.abs() <= TOLERANCE {
            return expected;
        }
        self.moved = self.moved.saturating_add(1);
        self.begin(ssrc, timestamp, expected.saturating_add(least))
    }

    fn write(&mut self, position: i64, samples: impl ExactSizeIterator<Item = i16>) {
        let offset = position.saturating_sub(self.base);
        for (number, sample) in (0i64..).zip(samples) {
            let Ok(at) = usize::try_from(offset.saturating_add(number)) else { continue };
            // JUMP bounds how far ahead a packet may be.
            if at >= self.samples.len() {
                self.samples.resize(at.saturating_add(1), 0);
            }
            if let Some(slot) = self.samples.get_mut(at) {
                *slot = sample;
            }
        }
    }

    /// The next `number` samples; silence where none came.
    pub(super) fn take(&mut self, number: usize) -> Vec<i16> {
        let there = number.min(self.samples.len());
        let mut taken: Vec<i16> = self.samples.drain(..there).collect();
        taken.resize(number, 0);
        self.base = self.base.saturating_add(i64::try_from(number).unwrap_or(i64::MAX));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(value: i16) -> std::vec::IntoIter<i16> {
        vec![value; 160].into_iter()
    }

    #[test]
    fn a_lost_packet_is_silence_and_a_late_one_finds_its_place() {
        let mut track = Track::default();
        for (number, arrival) in [(0u32, 0i64), (3, 481), (1, 700)] {
            track.put(1, 1_000u32.wrapping_add(number * 160), arrival, packet(number as i16 + 1));
        }
        let taken = track.take(800);
        assert_eq!([taken[0], taken[160], taken[320], taken[480], taken[640]], [1, 2, 0, 4, 0]);
        // What was taken already is not changed any more.
        track.put(1, 1_320, 900, packet(9));
        assert_eq!(track.take(160), [0; 160]);
    }

    #[test]
    fn timestamps_wrap() {
        let mut track = Track::default();
        track.put(1, u32::MAX - 79, 0, packet(1));
        track.put(1, 80, 160, packet(2));
        assert_eq!(track.take(320)[159..161], [1, 2]);
        assert_eq!(track.moved, 0);
    }

    /// Ten minutes of clocks that differ by 0.1 percent are 600 ms.
    #[test]
    fn a_clock_that_runs_differently_does_not_lead_away() {
        for pace in [0.999, 1.001] {
            let mut track = Track::default();
            let mut taken = 0i64;
            for number in 0..30_000u32 {
                let arrival = (f64::from(number) * 160.0 * pace) as i64;
                track.put(1, number * 160, arrival, packet(1));
                let expected = track.anchor.map(|anchor| {
                    anchor.position + i64::from((number * 160).wrapping_sub(anchor.timestamp).cast_signed())
                });
                assert!((expected.unwrap() - arrival).abs() <= 480 + 160, "{pace}: {number}");
                while taken + 160 < arrival - 4_800 {
                    track.take(160);
                    taken += 160;
                }
                assert!(track.samples.len() < 8_000);
            }
            assert!((1..30).contains(&track.moved), "{pace}: {}", track.moved);
        }
    }

    #[test]
    fn another_stream_and_a_jump_begin_where_they_arrive() {
        let mut track = Track::default();
        track.put(1, 0, 0, packet(1));
        track.put(2, 77_777, 160, packet(2));
        track.put(2, 0x8000_0000, 320, packet(3));
        assert_eq!(track.take(480).into_iter().step_by(160).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(track.moved, 1);
    }
}
