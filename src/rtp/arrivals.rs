//! How the packets of one sender arrive: jitter, gaps in time, packet length, pauses, what kinds of packets. Counted as
//! they come, in fixed room; what is missing is counted by [`super::stats`].

use super::drift::Drift;
use super::header::Header;
use super::irregular::slips;
use crate::clock::Time;
use crate::event::quality::{Irregularities, StreamQuality};
use std::time::Duration;

/// Units of the timestamp's clock in a millisecond: 8 for every codec that is supported (G.722 too, RFC 3551 4.5.2).
const PER_MS: u32 = 8;

/// The clock itself, per second.
const CLOCK: u32 = PER_MS * 1_000;

/// Payload types that are counted one by one; more are counted together.
const KINDS: usize = 6;

/// The longest packet, in milliseconds: a greater difference of timestamps between neighbours is a pause.
const LONGEST: u32 = 200;

/// Lengths of packets that are told apart, in milliseconds; others count as the next shorter.
pub const LENGTHS: [u32; 6] = [0, 10, 20, 30, 40, 60];

/// A packet that comes so long after its neighbour is a gap somebody hears: a jitter buffer of the usual 60 ms is empty.
pub const GAP: Duration = Duration::from_micros(GAP_MICROS);

const GAP_MICROS: u64 = 80_000;

/// So many packets in a row of another payload type are another codec.
const ANOTHER: u8 = 50;

/// What is counted of a sender's packets as they arrive. What every packet needs stands together; times are microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    last: Option<Last>,
    first: Option<u64>,
    sound: Option<u8>,
    others_in_row: u8,
    /// RFC 3550 6.4.1, with four binary places.
    jitter: i64,
    worst_jitter: i64,
    longest: u64,
    longest_at: u64,
    lengths: [u32; LENGTHS.len()],
    kinds: [(u8, u32); KINDS],
    others: u32,
    gaps: u32,
    pauses: u32,
    sources: u32,
    paused: Duration,
    drift: Drift,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    at: u64,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Arrivals {
    /// An accepted packet arrived.
    pub fn record(&mut self, now: Time, header: &Header) {
        self.count_kind(header.payload_type);
        let now = u64::try_from(now.since_start().as_micros()).unwrap_or(u64::MAX);
        let first = *self.first.get_or_insert(now);
        if !self.is_sound(header.payload_type) {
            return;
        }
        self.drift.record(now, header.ssrc, header.timestamp, CLOCK);
        let came = Last { at: now, ssrc: header.ssrc, sequence: header.sequence, timestamp: header.timestamp };
        match self.last.replace(came) {
            Some(last) if last.ssrc == came.ssrc => self.follow(&last, &came, first),
            Some(_) => self.sources = self.sources.saturating_add(1),
            None => {}
        }
    }

    /// Whether a packet of this type goes on with what is measured. Events (RFC 4733) repeat the timestamp of their
    /// beginning, comfort noise has times of its own: what counts is the type that came first, until [`ANOTHER`] packets in a
    /// row were of another.
    fn is_sound(&mut self, payload_type: u8) -> bool {
        if *self.sound.get_or_insert(payload_type) == payload_type {
            self.others_in_row = 0;
            return true;
        }
        self.others_in_row = self.others_in_row.saturating_add(1);
        if self.others_in_row == ANOTHER {
            (self.sound, self.last, self.others_in_row) = (Some(payload_type), None, 0);
        }
        false
    }

    /// A packet after another of the same stream.
    fn follow(&mut self, last: &Last, came: &Last, first: u64) {
        let step = came.timestamp.wrapping_sub(last.timestamp).cast_signed();
        let took = came.at.saturating_sub(last.at);
        if step.unsigned_abs() < CLOCK * 10 {
            let late = i64::try_from(took).unwrap_or(i64::MAX / 32) - i64::from(step) * 1_000 / i64::from(PER_MS);
            self.jitter += late.abs() - self.jitter / 16;
            self.worst_jitter = self.worst_jitter.max(self.jitter);
        }
        if came.sequence.wrapping_sub(last.sequence) != 1 || step < 0 {
            return;
        }
        let step = step.unsigned_abs() / PER_MS;
        if step > LONGEST {
            // A timestamp that went on while no time passed is no pause.
            if took < u64::from(step) * 500 {
                return;
            }
            self.pauses = self.pauses.saturating_add(1);
            self.paused += Duration::from_millis(u64::from(step));
            return;
        }
        let place = LENGTHS.iter().rposition(|length| *length <= step).unwrap_or(0);
        if let Some(number) = self.lengths.get_mut(place) {
            *number = number.saturating_add(1);
        }
        if took > self.longest {
            (self.longest, self.longest_at) = (took, last.at.saturating_sub(first));
        }
        if took >= GAP_MICROS.max(u64::from(step) * 2_000) {
            self.gaps = self.gaps.saturating_add(1);
        }
    }

    fn count_kind(&mut self, payload_type: u8) {
        let slot = self.kinds.iter_mut().find(|(kind, number)| *number == 0 || *kind == payload_type);
        match slot {
            Some(slot) => *slot = (payload_type, slot.1.saturating_add(1)),
            None => self.others = self.others.saturating_add(1),
        }
    }

    /// Interarrival jitter now (RFC 3550 6.4.1).
    pub fn jitter(&self) -> Duration {
        from_micros(self.jitter / 16)
    }

    /// What was counted here, the rest as of a line that sent nothing. Takes some time for the drift: not for the thread that
    /// forwards.
    pub fn told(&self) -> StreamQuality {
        // In 64 bits: whoever sends as fast as he can soon fills 32.
        let whole: u64 = self.lengths.iter().copied().map(u64::from).sum();
        let usual = (0..LENGTHS.len()).max_by_key(|place| self.lengths.get(*place).copied().unwrap_or(0));
        let most = usual.and_then(|place| self.lengths.get(place)).copied().map_or(0, u64::from);
        // A stream of events alone has packets of no length.
        let packet_ms = usual.and_then(|place| LENGTHS.get(place)).copied().filter(|length| whole > 0 && *length > 0);
        let packet = Duration::from_millis(packet_ms.unwrap_or(0).into());
        let (left_out, repeated) = slips(&self.drift.course().map(|(_, late)| late).collect::<Vec<i32>>(), packet);
        StreamQuality {
            jitter: from_micros(self.jitter / 16),
            worst_jitter: from_micros(self.worst_jitter / 16),
            longest_gap: Duration::from_micros(self.longest),
            longest_gap_at: Duration::from_micros(self.longest_at),
            gaps: self.gaps,
            packet_ms,
            irregular: Irregularities { left_out, repeated, ..Irregularities::default() },
            is_mixed: (whole - most) * 20 > whole,
            pauses: self.pauses,
            paused: self.paused,
            ssrc_changes: self.sources,
            kinds: self.kinds.iter().copied().filter(|(_, number)| *number > 0).collect(),
            other_kinds: self.others,
            clock: self.drift.estimate(),
            ..StreamQuality::default()
        }
    }
}

fn from_micros(micros: i64) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sender of 20 ms packets over a perfect wire, that can be made to sin.
    struct Sender {
        arrivals: Arrivals,
        at: Duration,
        header: Header,
    }

    impl Sender {
        fn new() -> Sender {
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence: 65_500,
                timestamp: u32::MAX - 8_000,
                ssrc: 7,
                length: 12,
            };
            Sender { arrivals: Arrivals::default(), at: Duration::from_secs(3), header }
        }

        fn send(&mut self, packets: u32) {
            (0..packets).for_each(|_| self.one(20));
        }

        /// A packet of so many milliseconds.
        fn one(&mut self, length: u32) {
            self.arrivals.record(Time::from_start(self.at), &self.header);
            self.step(length);
        }

        fn step(&mut self, length: u32) {
            self.header.sequence = self.header.sequence.wrapping_add(1);
            self.skip(length);
        }

        fn skip(&mut self, length: u32) {
            self.header.timestamp = self.header.timestamp.wrapping_add(length * PER_MS);
            self.at += Duration::from_millis(u64::from(length));
        }

        fn told(&self) -> StreamQuality {
            self.arrivals.told()
        }
    }

    #[test]
    fn of_a_clean_stream_nothing_is_told_but_its_length() {
        let mut sender = Sender::new();
        sender.send(5_000);
        let told = sender.told();
        assert!(told.clock.is_some_and(|clock| clock.ppm.abs() <= clock.plus_minus));
        let clean = StreamQuality {
            packet_ms: Some(20),
            longest_gap: Duration::from_millis(20),
            kinds: vec![(0, 5_000)],
            clock: told.clock,
            ..StreamQuality::default()
        };
        assert_eq!(told, clean);
    }

    #[test]
    fn a_packet_that_is_held_up_is_a_gap_and_jitter() {
        let mut sender = Sender::new();
        sender.send(100);
        sender.at += Duration::from_millis(100);
        sender.send(1);
        sender.at -= Duration::from_millis(100);
        sender.send(100);
        let told = sender.told();
        assert_eq!((told.gaps, told.longest_gap), (1, Duration::from_millis(120)));
        assert_eq!(told.longest_gap_at, Duration::from_millis(99 * 20));
        assert!(told.worst_jitter > Duration::from_millis(6) && told.jitter < told.worst_jitter, "{told:?}");
    }

    #[test]
    fn a_lost_packet_is_neither_gap_nor_pause() {
        let mut sender = Sender::new();
        sender.send(100);
        (0..6).for_each(|_| sender.step(20));
        sender.send(100);
        let told = sender.told();
        assert_eq!((told.gaps, told.pauses, told.longest_gap), (0, 0, Duration::from_millis(20)));
    }

    #[test]
    fn silence_that_is_left_out_is_a_pause_and_no_gap() {
        let mut sender = Sender::new();
        for _ in 0..3 {
            sender.send(100);
            sender.skip(700);
        }
        sender.send(100);
        let told = sender.told();
        assert_eq!((told.pauses, told.paused, told.gaps), (3, Duration::from_millis(3 * 720), 0));
        assert_eq!(told.jitter, Duration::ZERO);
    }

    #[test]
    fn lengths_are_told_and_so_is_a_mixture() {
        for length in [10, 20, 30, 40, 60] {
            let mut sender = Sender::new();
            (0..100).for_each(|_| sender.one(length));
            assert_eq!((sender.told().packet_ms, sender.told().is_mixed), (Some(length), false));
        }
        let mut sender = Sender::new();
        (0..100).for_each(|_| {
            sender.one(20);
            sender.one(10);
            sender.one(20);
        });
        assert_eq!((sender.told().packet_ms, sender.told().is_mixed), (Some(20), true));
    }

    #[test]
    fn events_beside_the_sound_are_counted_and_disturb_nothing() {
        let mut sender = Sender::new();
        for _ in 0..10 {
            sender.send(50);
            let sound = sender.header;
            sender.header.payload_type = 101;
            for _ in 0..8 {
                sender.arrivals.record(Time::from_start(sender.at), &sender.header);
                sender.header.sequence = sender.header.sequence.wrapping_add(1);
                sender.at += Duration::from_millis(20);
            }
            sender.header =
                Header { timestamp: sound.timestamp.wrapping_add(8 * 160), sequence: sender.header.sequence, ..sound };
        }
        let told = sender.told();
        assert_eq!(told.kinds, [(0, 500), (101, 80)]);
        assert_eq!((told.jitter, told.gaps, told.pauses, told.ssrc_changes), (Duration::ZERO, 0, 0, 0));
    }

    #[test]
    fn another_codec_and_another_source_are_followed() {
        let mut sender = Sender::new();
        sender.send(100);
        sender.header.payload_type = 8;
        sender.send(100);
        sender.header.ssrc = 8;
        sender.header.timestamp = 5;
        sender.send(100);
        let told = sender.told();
        assert_eq!(told.kinds, [(0, 100), (8, 200)]);
        assert_eq!((told.ssrc_changes, told.gaps, told.jitter), (1, 0, Duration::ZERO));
    }

    #[test]
    fn more_payload_types_than_there_is_room_for_are_counted_together() {
        let mut sender = Sender::new();
        for kind in 0..100u8 {
            sender.header.payload_type = kind;
            sender.send(1);
        }
        let told = sender.told();
        assert_eq!((told.kinds.len(), told.other_kinds), (KINDS, 100 - KINDS as u32));
    }

    #[test]
    fn more_packets_than_a_number_holds_are_told_all_the_same() {
        let arrivals = Arrivals { lengths: [0, u32::MAX, u32::MAX, u32::MAX, 0, 0], ..Arrivals::default() };
        assert!(arrivals.told().is_mixed);
    }
}
