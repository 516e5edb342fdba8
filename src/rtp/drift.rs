//! How fast a sender's clock runs against ours, by when its packets arrive.
//!
//! The timestamp of a packet says when its sender took the sound, by the sender's clock; its arrival says when, by ours,
//! plus the time it spent on the way. That time varies, but never below what the way takes when nothing stands in it: of
//! every stretch of time the packet that was fastest is kept, and the line through those tells the two clocks apart.
//! The ring of stretches has a fixed size: when it is full, neighbours become one, and every stretch lasts twice as long.

use crate::event::quality::ClockSpeed;
use std::time::Duration;

/// Stretches in the ring.
const STRETCHES: usize = 64;

/// How long a stretch lasts at first, in microseconds.
const FIRST: u64 = 1_000_000;

/// Shorter than this, a measurement says nothing.
pub const SHORTEST: Duration = Duration::from_secs(60);

/// Stretches with packets in them below which nothing is said.
const FEWEST: usize = 16;

/// A packet this much earlier or later than the one before it says: another line of timestamps has begun.
const JUMP: i64 = 2_000_000;

/// Half the width of the interval that is told, in standard deviations: 99 of 100 true values lie in it.
const WIDE: f64 = 2.58;

/// Parts of the measurement that are compared for the way's own changes.
const PARTS: usize = 10;

/// Of those, how many may be late without making the measurement less certain: the slope does not follow them.
const DETOURS: usize = 2;

/// How far the slope may be off when the way changed: by so many times what it changed, spread over the measurement. Of
/// simulated ways that changed once or wandered, 99 of 100 slopes are within that.
const FEIGNED: f64 = 3.0;

/// What no measurement is better than, in ppm: the clock of the machine is itself steered while we measure.
const FLOOR: f64 = 0.05;

/// The fastest packets of one sender, stretch by stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    begun: Option<Begun>,
    stretch: Stretch,
    /// How long a stretch lasts, in microseconds.
    width: u64,
    jumps: u32,
    /// In microseconds, how much later than the first packet its fastest came than its timestamp says; `None`: no packet
    /// came in it.
    fastest: [Option<i32>; STRETCHES],
}

/// The line of timestamps that is measured. Times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Begun {
    ssrc: u32,
    timestamp: u32,
    first: u64,
    last: u64,
    /// Units of the timestamp's clock since the first packet.
    elapsed: i64,
    offset: i64,
}

/// The stretch that goes on: a packet that was not its fastest needs no look at the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    index: usize,
    /// When it ends, in microseconds since the first packet.
    end: u64,
    /// What the ring has of it; the greatest number there is for none.
    fastest: i32,
}

impl Default for Drift {
    fn default() -> Drift {
        let stretch = Stretch { index: 0, end: FIRST, fastest: i32::MAX };
        Drift { begun: None, stretch, width: FIRST, jumps: 0, fastest: [None; STRETCHES] }
    }
}

impl Drift {
    /// A packet with this timestamp of the stream `ssrc` arrived, at `now` in microseconds since any moment. `clock` is what
    /// its timestamps count, per second.
    pub fn record(&mut self, now: u64, ssrc: u32, timestamp: u32, clock: u32) {
        let Some(begun) = &mut self.begun else { return self.begin(now, ssrc, timestamp) };
        // RFC 3550 5.1: timestamps wrap; half the circle forward is ahead, the other half behind.
        let step = i64::from(timestamp.wrapping_sub(begun.timestamp).cast_signed());
        let elapsed = begun.elapsed.saturating_add(step);
        let since = now.saturating_sub(begun.first);
        let arrived = i64::try_from(since).unwrap_or(i64::MAX);
        let offset = arrived.saturating_sub(elapsed.saturating_mul(1_000_000) / i64::from(clock.max(1)));
        if ssrc != begun.ssrc || offset.abs_diff(begun.offset) > JUMP.unsigned_abs() {
            self.jumps = self.jumps.saturating_add(1);
            return self.begin(now, ssrc, timestamp);
        }
        *begun = Begun { last: now, timestamp, elapsed, offset, ..*begun };
        if since >= self.stretch.end {
            self.next_stretch(since);
        }
        let offset = i32::try_from(offset).unwrap_or(if offset < 0 { i32::MIN } else { i32::MAX });
        if offset <= self.stretch.fastest {
            self.stretch.fastest = offset;
            if let Some(fastest) = self.fastest.get_mut(self.stretch.index) {
                *fastest = Some(offset);
            }
        }
    }

    /// The stretch in which a packet came so long after the first, in microseconds, goes on from now on.
    fn next_stretch(&mut self, since: u64) {
        let index = loop {
            let index = usize::try_from(since / self.width.max(1)).unwrap_or(usize::MAX);
            if index < STRETCHES {
                break index;
            }
            self.double();
        };
        let end = self.width.saturating_mul(index as u64 + 1);
        let fastest = self.fastest.get(index).copied().flatten().unwrap_or(i32::MAX);
        self.stretch = Stretch { index, end, fastest };
    }

    /// How often another line of timestamps began, and with it a new measurement.
    pub fn jumps(&self) -> u32 {
        self.jumps
    }

    /// How much later than the first packet the fastest of each stretch came: where the stretch begins, in seconds, and
    /// microseconds.
    pub fn course(&self) -> impl Iterator<Item = (f64, i32)> {
        let width = Duration::from_micros(self.width).as_secs_f64();
        (0u32..).zip(self.fastest).filter_map(move |(index, fastest)| Some((f64::from(index) * width, fastest?)))
    }

    /// The clock's speed against ours; `None`: too short, or too few packets, to say.
    ///
    /// The middle of the slopes of all pairs of stretches (Theil 1950, Sen 1968): a third of them may be far off, by a burst
    /// of load or another route, without moving it. Its interval is by the ranks of Kendall's tau, which holds when every
    /// stretch is late by a time of its own; and not narrower than what a way feigns that changed for good, or slowly.
    pub fn estimate(&self) -> Option<ClockSpeed> {
        let begun = self.begun.as_ref()?;
        let measured = Duration::from_micros(begun.last.saturating_sub(begun.first));
        let points: Vec<(f64, f64)> = self.course().map(|(at, late)| (at, f64::from(late))).collect();
        if measured < SHORTEST || points.len() < FEWEST {
            return None;
        }
        let mut slopes: Vec<f64> = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
        for (number, (at, late)) in points.iter().enumerate() {
            slopes.extend(points.iter().skip(number + 1).map(|(then, later)| (later - late) / (then - at)));
        }
        slopes.sort_by(f64::total_cmp);
        let middle = at_rank(&slopes, 0.5)?;
        let n = points.len() as f64;
        let spread = WIDE * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        let share = (spread / slopes.len() as f64 / 2.0).min(0.5);
        let (low, high) = (at_rank(&slopes, 0.5 - share)?, at_rank(&slopes, 0.5 + share)?);
        let resolution = 2.0 / measured.as_secs_f64();
        let feigned = FEIGNED * wandering(&points, middle) / measured.as_secs_f64();
        let plus_minus = (middle - low).max(high - middle).max(feigned) + resolution + FLOOR;
        // Packets that come ever later are of a clock that is slow: microseconds a second are parts in a million.
        Some(ClockSpeed { ppm: -middle, plus_minus, measured })
    }

    fn begin(&mut self, now: u64, ssrc: u32, timestamp: u32) {
        let begun = Begun { ssrc, timestamp, first: now, last: now, elapsed: 0, offset: 0 };
        *self = Drift { begun: Some(begun), jumps: self.jumps, ..Drift::default() };
        self.stretch.fastest = 0;
        if let Some(first) = self.fastest.first_mut() {
            *first = Some(0);
        }
    }

    /// Two neighbours become one.
    fn double(&mut self) {
        self.width = self.width.saturating_mul(2);
        let mut merged = [None; STRETCHES];
        for (into, pair) in merged.iter_mut().zip(self.fastest.chunks(2)) {
            *into = pair.iter().flatten().min().copied();
        }
        self.fastest = merged;
    }
}

/// How far the parts of the measurement lie apart, in microseconds, when the slope is taken out of them.
fn wandering(points: &[(f64, f64)], slope: f64) -> f64 {
    let length = points.len().div_ceil(PARTS).max(1);
    let middle = |part: &[(f64, f64)]| {
        let mut late: Vec<f64> = part.iter().map(|(at, late)| late - slope * at).collect();
        late.sort_by(f64::total_cmp);
        at_rank(&late, 0.5)
    };
    let mut parts: Vec<f64> = points.chunks(length).filter_map(middle).collect();
    parts.sort_by(f64::total_cmp);
    let latest = parts.len().saturating_sub(1 + DETOURS);
    parts.first().zip(parts.get(latest)).map_or(0.0, |(first, last)| last - first)
}

/// The value at this share of a sorted row, 0 to 1.
fn at_rank(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share.clamp(0.0, 1.0) * last as f64).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn micros(time: Duration) -> u64 {
        u64::try_from(time.as_micros()).unwrap()
    }

    /// How a way delays its packets, in microseconds.
    #[derive(Clone, Copy, Debug)]
    enum Way {
        /// By the same time.
        Still,
        /// By up to so much more, each as likely.
        Even(u64),
        /// Mostly by little, seldom by a hundred times as much.
        Bursts(u64),
        /// As `Even`, and for a fifth of the time by 5 ms more (another route, load).
        Detour(u64),
    }

    impl Way {
        fn delay(self, at: f64, total: f64, rng: &mut Rng) -> u64 {
            match self {
                Way::Still => 0,
                Way::Even(most) => rng.below(most + 1),
                Way::Bursts(most) => rng.below(most + 1) * if rng.below(50) == 0 { 100 } else { 1 },
                Way::Detour(most) => {
                    let away = (0.55..0.75).contains(&(at / total));
                    rng.below(most + 1) + if away { 5_000 } else { 0 }
                }
            }
        }
    }

    /// A stream of 20 ms packets from a clock that is fast by so much.
    fn measured(ppm: f64, seconds: u32, way: Way, rng: &mut Rng) -> Drift {
        let mut drift = Drift::default();
        let (ssrc, first, sent) = (rng.bits() as u32, rng.bits() as u32, seconds * 50);
        for number in 0..sent {
            let at = f64::from(number) * 0.02 / (1.0 + ppm * 1e-6);
            let delay = way.delay(at, f64::from(seconds), rng);
            let arrives = Duration::from_secs_f64(at) + Duration::from_micros(10_000 + delay);
            drift.record(micros(arrives), ssrc, first.wrapping_add(number * 160), 8_000);
        }
        drift
    }

    const SPEEDS: [f64; 12] = [0.0, 0.5, -0.5, 2.0, -5.0, 10.0, -20.0, 43.0, -70.0, 100.0, -150.0, 200.0];

    #[test]
    fn the_true_speed_lies_within_what_is_told() {
        let mut rng = Rng::from_number(5);
        let ways =
            [Way::Still, Way::Even(200), Way::Even(3_000), Way::Bursts(500), Way::Detour(300), Way::Even(20_000)];
        let (mut told, mut missed) = (0u32, Vec::new());
        for way in ways {
            for seconds in [61, 90, 300, 1_200] {
                for ppm in SPEEDS {
                    let estimate = measured(ppm, seconds, way, &mut rng).estimate().unwrap();
                    told += 1;
                    if (estimate.ppm - ppm).abs() > estimate.plus_minus {
                        missed.push((way, seconds, ppm, estimate));
                    }
                }
            }
        }
        assert!(missed.len() as u32 * 100 <= told * 2, "{} of {told}: {missed:?}", missed.len());
    }

    #[test]
    fn a_quiet_way_tells_within_one_ppm_after_five_minutes() {
        let mut rng = Rng::from_number(6);
        for ppm in SPEEDS {
            let estimate = measured(ppm, 300, Way::Even(200), &mut rng).estimate().unwrap();
            assert!(estimate.plus_minus < 1.0 && (estimate.ppm - ppm).abs() < 1.0, "{ppm}: {estimate:?}");
        }
    }

    #[test]
    fn under_a_minute_it_is_too_short_to_say() {
        let mut rng = Rng::from_number(7);
        assert_eq!(measured(100.0, 59, Way::Still, &mut rng).estimate(), None);
        assert!(measured(100.0, 61, Way::Still, &mut rng).estimate().is_some());
    }

    #[test]
    fn a_row_of_pauses_is_no_drift() {
        // Silence suppression: half a minute of nothing between words; timestamps go on.
        let mut drift = Drift::default();
        for number in (0..30_000u32).filter(|number| number / 1_500 % 2 == 0) {
            let at = Duration::from_micros(u64::from(number) * 20_000);
            drift.record(micros(at), 1, number * 160, 8_000);
        }
        let estimate = drift.estimate().unwrap();
        assert!(estimate.ppm.abs() <= estimate.plus_minus && estimate.plus_minus < 1.0, "{estimate:?}");
    }

    #[test]
    fn another_line_of_timestamps_begins_a_new_measurement() {
        let mut drift = Drift::default();
        for number in 0..5_000u32 {
            let at = Duration::from_micros(u64::from(number) * 20_000);
            let jumped = if number < 2_500 { 0 } else { 1_000_000 };
            drift.record(micros(at), 1, jumped + number * 160, 8_000);
        }
        assert_eq!(drift.jumps(), 1);
        // 50 s since the jump: too short again.
        assert_eq!(drift.estimate(), None);
    }

    #[test]
    fn two_lines_are_compared_without_our_own_clock() {
        let mut rng = Rng::from_number(8);
        // Ours is slow by 30 ppm against both.
        let a = measured(43.0 + 30.0, 600, Way::Even(300), &mut rng).estimate().unwrap();
        let b = measured(30.0, 600, Way::Even(300), &mut rng).estimate().unwrap();
        let between = a.against(&b);
        assert!((between.ppm - 43.0).abs() <= between.plus_minus && between.plus_minus < 1.0, "{between:?}");
        assert_eq!(b.against(&b).ppm, 0.0);
    }

    #[test]
    fn a_day_fits_into_the_ring_and_other_clocks_are_counted_as_told() {
        let mut drift = Drift::default();
        for number in 0..86_400u32 {
            let at = Duration::from_secs_f64(f64::from(number) / (1.0 - 20e-6));
            drift.record(micros(at), 1, number.wrapping_mul(90_000), 90_000);
        }
        let estimate = drift.estimate().unwrap();
        assert!((estimate.ppm + 20.0).abs() < 0.2, "{estimate:?}");
        assert!(estimate.measured > Duration::from_secs(86_000));
    }

    #[test]
    fn whatever_comes_nothing_breaks() {
        let mut rng = Rng::from_number(9);
        let mut drift = Drift::default();
        let mut at = Duration::ZERO;
        for _ in 0..200_000 {
            at += Duration::from_micros(rng.below(3_000_000) * rng.below(2));
            let ssrc = (rng.below(100) == 0).into();
            drift.record(micros(at), ssrc, rng.bits() as u32 >> rng.below(32), rng.below(3) as u32 * 8_000);
        }
        drift.estimate();
        assert!(drift.course().count() <= STRETCHES);
    }
}
