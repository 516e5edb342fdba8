//! What a sender, or a device between it and us, does to a stream that can be seen in its packets: timestamps that do not fit the
//! sound, packets of another length, the mark of a beginning in mid-sound, packets that came after later ones, sound that was left
//! out or came twice.

use super::header::Header;
use crate::clock::Time;
use crate::event::quality::Irregularities;
use std::time::Duration;

/// Payload types with a byte for each unit of the timestamp: G.711, and G.722 (RFC 3551 4.5.2).
const BYTE_A_UNIT: [u8; 3] = [0, 8, 9];

/// Microseconds in a unit of the timestamp's clock: 8,000 units a second for every codec that is supported.
const UNIT: u64 = 125;

/// Timestamps that go on by so much more than the sound are a pause, in which nothing was sent (10 ms); less than that nobody
/// pauses.
const PAUSE: u32 = 80;

/// After a pause a packet may come so much too early, in microseconds: the one before it was late.
const EARLY: u64 = 60_000;

/// A packet so far behind is of another sequence.
const WINDOW: u16 = 128;

/// What was seen of one sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Irregular {
    last: Option<Last>,
    misfits: u32,
    marks: u32,
    lengths: u32,
    /// In microseconds.
    latest: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    at: u64,
    ssrc: u32,
    timestamp: u32,
    sequence: u16,
    payload_type: u8,
    /// Bytes.
    sound: u32,
}

impl Irregular {
    /// An accepted packet arrived, with so many bytes behind its header.
    pub fn record(&mut self, now: Time, header: &Header, sound: usize) {
        if !BYTE_A_UNIT.contains(&header.payload_type) {
            return;
        }
        let came = Last {
            at: u64::try_from(now.since_start().as_micros()).unwrap_or(u64::MAX),
            ssrc: header.ssrc,
            timestamp: header.timestamp,
            sequence: header.sequence,
            payload_type: header.payload_type,
            sound: u32::try_from(sound).unwrap_or(u32::MAX),
        };
        let Some(last) = self.last.filter(|last| last.ssrc == came.ssrc) else {
            self.last = Some(came);
            return;
        };
        let behind = last.sequence.wrapping_sub(came.sequence);
        if (1..WINDOW).contains(&behind) {
            // How much later than the packet after it, less what it was to come before that.
            let early = u64::from(last.timestamp.wrapping_sub(came.timestamp)).saturating_mul(UNIT);
            self.latest = self.latest.max(came.at.saturating_sub(last.at).saturating_add(early));
            return;
        }
        if came.sequence == last.sequence.wrapping_add(1) && came.payload_type == last.payload_type {
            self.follow(&last, &came, header.marker);
        }
        if behind != 0 {
            self.last = Some(came);
        }
    }

    /// A packet after its neighbour.
    fn follow(&mut self, last: &Last, came: &Last, is_marked: bool) {
        if came.sound != last.sound {
            self.lengths = self.lengths.saturating_add(1);
        }
        let step = came.timestamp.wrapping_sub(last.timestamp);
        if step == last.sound {
            self.marks = self.marks.saturating_add(u32::from(is_marked));
        } else if !is_pause(last, came, step) {
            self.misfits = self.misfits.saturating_add(1);
        }
    }

    /// What was seen here, the rest as of a line that sent nothing.
    pub fn told(&self) -> Irregularities {
        Irregularities {
            misfits: self.misfits,
            marks: self.marks,
            lengths: self.lengths,
            latest: Duration::from_micros(self.latest),
            ..Irregularities::default()
        }
    }
}

/// Whether the sender sent nothing for the time by which the timestamp went on.
fn is_pause(last: &Last, came: &Last, step: u32) -> bool {
    let more = step.wrapping_sub(last.sound);
    let took = came.at.saturating_sub(last.at);
    (PAUSE..u32::MAX / 2).contains(&more) && took.saturating_add(EARLY) >= u64::from(step).saturating_mul(UNIT)
}

/// Microseconds by which a step may differ from whole packets.
const NEAR: f64 = 1_500.0;

/// More packets at once no jitter buffer leaves out or repeats: that is another line of timestamps.
const MOST: f64 = 10.0;

/// Fewer stretches than this say nothing.
const FEWEST: usize = 6;

/// How often sound was left out, and how often it came twice, of a stream whose numbers go on: from one stretch of time to the
/// next its packets come later, or earlier, by whole packets, and stay so. `late` is by how many microseconds the fastest
/// packet of each stretch was later than the first of all, `packet` how long a packet is. On a way that is not steady nothing is
/// said.
pub fn slips(late: &[i32], packet: Duration) -> (u32, u32) {
    let packet = packet.as_secs_f64() * 1e6;
    let step = |pair: &[i32]| Some(f64::from(*pair.last()?) - f64::from(*pair.first()?));
    let mut steps: Vec<f64> = late.windows(2).filter_map(step).collect();
    let mut sorted = steps.clone();
    sorted.sort_by(f64::total_cmp);
    // Two clocks that differ make every step a little longer or shorter.
    let Some(usual) = sorted.get(sorted.len() / 2).copied().filter(|_| packet > 0.0) else { return (0, 0) };
    steps.iter_mut().for_each(|step| *step -= usual);
    let steady = steps.iter().filter(|step| step.abs() < NEAR).count();
    if steps.len() < FEWEST || steady * 4 < steps.len() * 3 {
        return (0, 0);
    }
    let whole = |step: &f64| (step / packet).round();
    let is_whole = |step: &f64| whole(step).abs() <= MOST && (step - whole(step) * packet).abs() < NEAR;
    let (mut left_out, mut repeated) = (0, 0);
    for (at, step) in steps.iter().enumerate() {
        let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten().filter_map(|at| steps.get(at));
        if beside.chain([step]).all(is_whole) {
            left_out += u32::from(whole(step) > 0.0);
            repeated += u32::from(whole(step) < 0.0);
        }
    }
    (left_out, repeated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const PACKET: Duration = Duration::from_millis(20);

    /// Packets of 20 ms that come when they are due, and can be made to sin.
    struct Sender {
        seen: Irregular,
        at: Duration,
        header: Header,
        sound: usize,
    }

    impl Sender {
        fn new() -> Sender {
            let header = Header {
                marker: false,
                payload_type: 8,
                sequence: 65_500,
                timestamp: u32::MAX - 800,
                ssrc: 7,
                length: 12,
            };
            Sender { seen: Irregular::default(), at: Duration::from_secs(1), header, sound: 160 }
        }

        fn send(&mut self, packets: u32) {
            for _ in 0..packets {
                self.seen.record(Time::from_start(self.at), &self.header, self.sound);
                self.header.sequence = self.header.sequence.wrapping_add(1);
                self.pass(self.sound);
            }
        }

        fn pass(&mut self, sound: usize) {
            self.header.timestamp = self.header.timestamp.wrapping_add(sound as u32);
            self.at += Duration::from_micros(sound as u64 * UNIT);
        }
    }

    #[test]
    fn of_a_clean_stream_nothing_is_seen_nor_of_pauses_and_losses() {
        let mut sender = Sender::new();
        sender.send(500);
        sender.pass(8_000);
        sender.header.marker = true;
        sender.send(1);
        sender.header.marker = false;
        sender.send(100);
        sender.header.sequence = sender.header.sequence.wrapping_add(3);
        sender.pass(480);
        sender.send(100);
        assert_eq!(sender.seen.told(), Irregularities::default());
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut sender = Sender::new();
        sender.send(100);
        // Asterisk's first step: 163 samples instead of 160.
        sender.header.timestamp = sender.header.timestamp.wrapping_add(3);
        sender.send(100);
        // Far ahead, and back.
        sender.header.timestamp = sender.header.timestamp.wrapping_add(8_000);
        sender.send(100);
        sender.header.timestamp = sender.header.timestamp.wrapping_sub(8_000);
        sender.send(100);
        assert_eq!(sender.seen.told(), Irregularities { misfits: 3, ..Irregularities::default() });
    }

    #[test]
    fn lengths_marks_and_late_packets_are_counted() {
        let mut sender = Sender::new();
        sender.send(100);
        sender.sound = 240;
        sender.send(100);
        sender.header.marker = true;
        sender.send(2);
        sender.header.marker = false;
        // Two packets back, and it comes 100 ms after the last.
        let back = Header {
            sequence: sender.header.sequence.wrapping_sub(3),
            timestamp: sender.header.timestamp.wrapping_sub(720),
            ..sender.header
        };
        let at = sender.at - Duration::from_millis(30) + Duration::from_millis(100);
        sender.seen.record(Time::from_start(at), &back, 240);
        let seen = sender.seen.told();
        assert_eq!((seen.lengths, seen.marks, seen.misfits), (1, 2, 0));
        assert_eq!(seen.latest, Duration::from_millis(160));
    }

    #[test]
    fn other_codecs_and_other_sources_are_not_judged() {
        let mut sender = Sender::new();
        sender.header.payload_type = 18;
        sender.sound = 20;
        sender.send(100);
        sender.header.payload_type = 8;
        sender.send(1);
        sender.header.ssrc = 8;
        sender.header.timestamp = 77;
        sender.sound = 160;
        sender.send(1);
        assert_eq!(sender.seen.told(), Irregularities::default());
    }

    /// So many stretches, which drift by `drift` and jitter by `jitter`, and step by so much at these.
    fn course(drift: i32, jitter: u64, steps: &[(usize, i32)]) -> Vec<i32> {
        let mut rng = Rng::from_number(jitter);
        let mut level = 0;
        let late = (0..60usize).map(|at| {
            level += drift + steps.iter().filter(|(when, _)| *when == at).map(|(_, by)| by).sum::<i32>();
            level + rng.below(jitter + 1) as i32
        });
        late.collect()
    }

    #[test]
    fn a_jitter_buffer_that_slips_is_seen_on_a_steady_way() {
        for (drift, jitter) in [(0, 0), (0, 700), (200, 300), (-3_000, 300)] {
            assert_eq!(slips(&course(drift, jitter, &[]), PACKET), (0, 0), "{drift} {jitter}");
            assert_eq!(slips(&course(drift, jitter, &[(20, 20_000)]), PACKET), (1, 0), "{drift} {jitter}");
            let both = [(10, -20_000), (20, 40_000), (40, -20_000)];
            assert_eq!(slips(&course(drift, jitter, &both), PACKET), (1, 2), "{drift} {jitter}");
            // Another route, which is longer by something else.
            assert_eq!(slips(&course(drift, jitter, &[(30, 7_000)]), PACKET), (0, 0), "{drift} {jitter}");
        }
    }

    #[test]
    fn on_a_way_that_is_not_steady_nothing_is_said() {
        assert_eq!(slips(&course(0, 40_000, &[(20, 20_000)]), PACKET), (0, 0));
        assert_eq!(slips(&course(0, 0, &[(20, 1_000_000)]), PACKET), (0, 0));
        assert_eq!(slips(&[], PACKET), (0, 0));
        assert_eq!(slips(&[0, 20_000, 20_000], PACKET), (0, 0));
        assert_eq!(slips(&course(0, 0, &[(20, 20_000)]), Duration::ZERO), (0, 0));
    }

    #[test]
    fn whatever_comes_nothing_breaks() {
        let mut rng = Rng::from_number(4);
        let mut seen = Irregular::default();
        for _ in 0..100_000 {
            let header = Header {
                marker: rng.below(2) == 0,
                payload_type: rng.below(10) as u8,
                sequence: rng.bits() as u16 >> rng.below(16),
                timestamp: rng.bits() as u32 >> rng.below(32),
                ssrc: rng.below(2) as u32,
                length: 12,
            };
            let at = Time::from_start(Duration::from_micros(rng.bits() >> rng.below(64)));
            seen.record(at, &header, rng.bits() as usize >> rng.below(64));
        }
        assert!(seen.told().misfits > 0);
        let late: Vec<i32> = (0..200).map(|_| rng.bits() as i32).collect();
        slips(&late, Duration::MAX);
    }
}
