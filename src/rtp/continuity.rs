//! One continuous outgoing stream to a peer, with one SSRC, sequence and timestamp, whatever the sources of its
//! packets.
//!
//! As long as a source sends one stream, its packets are not changed. A second SSRC beside it is a second stream (the
//! events of a gateway, NSE, a stray packet): it passes as it is, and the line does not notice. It takes the line only
//! when it persists and the first one is silent: after [`PERSISTS`] packets in sequence, and [`SILENCE`] after the last
//! of the first one. Then, and when another source follows (a bridge after a prompt, a bridge after a bridge), its
//! packets are shifted by constants: the sequence number continues by one, the timestamp by the time since the last
//! packet, rounded to whole packets (RFC 3550 7.1 lets a mixer choose them freely; the jitter buffer of a modem must
//! not notice the change). A stream that returns keeps its shift.

use super::header::Header;
use super::is_after;
use crate::clock::Time;
use std::time::Duration;

/// Clock of the timestamps, per second. It is 8,000 for every supported codec (G.722 too, RFC 3551 4.5.2).
const CLOCK: u128 = 8_000;

/// Samples in a packet until two packets have shown the real number: 20 ms.
const USUAL_STEP: u32 = 160;

/// Maximum number of samples in a packet: a greater difference between two neighbours is a pause. 200 ms.
const LONGEST_STEP: u32 = 1_600;

/// A packet this far behind the end of the line is not late, but from a sender that has resumed elsewhere.
const LATE: u16 = 128;

/// A stream that returns this far ahead of the end of the line, or farther, did not leave it there (RFC 3550 A.1,
/// MAX_DROPOUT).
const AHEAD: u16 = 3_000;

/// A stream persists when so many packets of it came in sequence, each with a later timestamp than the one before:
/// those of one key press (RFC 4733) all have the same.
pub const PERSISTS: u8 = 4;

/// How long the stream that has the line must be silent before another of the same source may take it.
pub const SILENCE: Duration = Duration::from_millis(200);

/// Streams beside the one that has the line which are remembered; of more, the one silent longest is forgotten.
const OTHERS: usize = 7;

/// The constants by which the packets of one incoming stream are shifted. All sums wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// The SSRC the packets arrive with.
    pub from_ssrc: u32,
    /// The SSRC they are sent with.
    pub to_ssrc: u32,
    /// Added to the sequence number.
    pub sequence: u16,
    /// Added to the timestamp.
    pub timestamp: u32,
}

impl Shift {
    /// That of packets that are sent as they arrive.
    pub fn identity(ssrc: u32) -> Shift {
        Shift { from_ssrc: ssrc, to_ssrc: ssrc, sequence: 0, timestamp: 0 }
    }

    /// Whether packets are sent as they arrive.
    pub fn is_identity(&self) -> bool {
        self.from_ssrc == self.to_ssrc && self.sequence == 0 && self.timestamp == 0
    }

    /// The position a packet is sent with.
    pub fn place(&self, header: &Header) -> Place {
        Place {
            ssrc: self.to_ssrc,
            sequence: header.sequence.wrapping_add(self.sequence),
            timestamp: header.timestamp.wrapping_add(self.timestamp),
        }
    }
}

/// A packet's position in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The synchronisation source.
    pub ssrc: u32,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp.
    pub timestamp: u32,
}

/// The shifts of all streams of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shifts {
    line: Option<Shift>,
    others: [Option<Shift>; OTHERS],
}

impl Shifts {
    /// That of a source with one stream.
    pub fn of(line: Shift) -> Shifts {
        Shifts { line: Some(line), ..Shifts::default() }
    }

    /// Whether the packets of every stream are sent as they arrive.
    pub fn are_identity(&self) -> bool {
        self.all().all(Shift::is_identity)
    }

    /// The shift of the stream that arrives with `ssrc`.
    pub fn arriving(&self, ssrc: u32) -> Option<&Shift> {
        self.all().find(|shift| shift.from_ssrc == ssrc)
    }

    /// The shift of the stream that is sent with `ssrc`; of several, that of the one which has the line.
    pub fn leaving(&self, ssrc: u32) -> Option<&Shift> {
        self.all().find(|shift| shift.to_ssrc == ssrc)
    }

    /// Whether another stream is sent in the place of this one: what this one says of itself would be said of the other.
    pub fn is_replaced(&self, shift: &Shift) -> bool {
        self.line.is_some_and(|line| line.to_ssrc == shift.to_ssrc && line.from_ssrc != shift.from_ssrc)
    }

    fn all(&self) -> impl Iterator<Item = &Shift> {
        self.line.iter().chain(self.others.iter().flatten())
    }
}

/// The outgoing stream to one peer: it joins each new source to the previous one.
#[derive(Debug, Clone, Default)]
pub struct Continuity {
    sent: Option<Sent>,
    /// The stream that has the line; none while the exchange's own packets have it.
    run: Option<Run>,
    /// Other streams of the same source.
    others: [Option<Run>; OTHERS],
}

/// The latest packet sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    place: Place,
    at: Time,
    step: u32,
}

/// Packets of one stream, with their shift.
#[derive(Debug, Clone, Copy)]
struct Run {
    source: u64,
    shift: Shift,
    /// The latest packet, as it was received.
    sequence: u16,
    timestamp: u32,
    heard: Time,
    /// How many packets came in sequence until now.
    count: u8,
    /// It has persisted once.
    is_proven: bool,
    /// The line began with it.
    is_first: bool,
}

impl Continuity {
    /// The shift of the packet with `header`, from `source` (any number that identifies it among the sources of this
    /// peer); counts the packet as sent.
    pub fn carry(&mut self, now: Time, source: u64, header: &Header) -> Shift {
        match &mut self.run {
            Some(run) if run.source == source && run.shift.from_ssrc == header.ssrc => {
                run.hear(now, header);
                let shift = run.shift;
                self.note(now, shift.place(header), None);
                shift
            }
            Some(run) if run.source == source => {
                let line = *run;
                self.carry_beside(now, line, header)
            }
            Some(_) | None => {
                self.others = [None; OTHERS];
                let shift = self.joined(now, header);
                let is_first = self.sent.is_none();
                self.run = Some(Run { is_first, ..Run::new(now, source, shift, header) });
                self.note(now, shift.place(header), None);
                shift
            }
        }
    }

    /// The same for a packet of a stream beside the one that has the line.
    fn carry_beside(&mut self, now: Time, line: Run, header: &Header) -> Shift {
        let slot = self.slot_of(header.ssrc);
        let known = self.others.get(slot).copied().flatten().filter(|run| run.shift.from_ssrc == header.ssrc);
        let run = match known {
            Some(mut run) => {
                run.hear(now, header);
                run
            }
            None => Run::new(now, line.source, Shift::identity(header.ssrc), header),
        };
        let takes_line = run.count >= PERSISTS && (!line.is_proven || now.since(line.heard) >= SILENCE);
        let (kept, shift) = if takes_line {
            let shift = self.taking_line(now, &run, &line, header);
            self.run = Some(Run { shift, is_first: line.is_first && !line.is_proven, ..run });
            self.note(now, shift.place(header), None);
            (line, shift)
        } else {
            (run, run.shift)
        };
        if let Some(place) = self.others.get_mut(slot) {
            *place = Some(kept);
        }
        shift
    }

    /// The shift of a stream that takes the line: its own, where it goes on from there, else one that joins it.
    fn taking_line(&self, now: Time, run: &Run, line: &Run, header: &Header) -> Shift {
        // A line of hardly more than a stray packet: it had not begun.
        if line.is_first && !line.is_proven {
            return run.shift;
        }
        let place = run.shift.place(header);
        let goes_on = |sent: &Sent| {
            let ahead = place.sequence.wrapping_sub(sent.place.sequence);
            place.ssrc == sent.place.ssrc && (1..AHEAD).contains(&ahead)
        };
        if self.sent.as_ref().is_some_and(goes_on) { run.shift } else { self.joined(now, header) }
    }

    /// The shift by which a packet is the next one of the line.
    fn joined(&self, now: Time, header: &Header) -> Shift {
        let Some(sent) = self.sent else { return Shift::identity(header.ssrc) };
        let next = sent.next(now, sent.step);
        Shift {
            from_ssrc: header.ssrc,
            to_ssrc: next.ssrc,
            sequence: next.sequence.wrapping_sub(header.sequence),
            timestamp: next.timestamp.wrapping_sub(header.timestamp),
        }
    }

    /// Where the stream with this SSRC is remembered, or will be.
    fn slot_of(&self, ssrc: u32) -> usize {
        let of = |run: &Option<Run>| run.is_some_and(|run| run.shift.from_ssrc == ssrc);
        let longest_silent = || {
            let heard = self.others.iter().enumerate().min_by_key(|(_, run)| run.map(|run| run.heard));
            heard.map_or(0, |(slot, _)| slot)
        };
        self.others.iter().position(of).unwrap_or_else(longest_silent)
    }

    /// The position of the first packet that the exchange itself is about to send, in packets of `step` samples: after
    /// what was sent before, else `fresh`. The stream relayed until now ends with this.
    pub fn begin(&mut self, now: Time, step: u32, fresh: Place) -> Place {
        self.run = None;
        self.others = [None; OTHERS];
        self.sent.map_or(fresh, |sent| sent.next(now, step))
    }

    /// Packets of the stream are left out: the next one follows the last one sent.
    pub fn leave_out(&mut self) {
        self.run = None;
        self.others = [None; OTHERS];
    }

    /// Records that the exchange itself has sent a packet of `step` samples.
    pub fn own(&mut self, now: Time, place: Place, step: u32) {
        self.note(now, place, Some(step));
    }

    /// The shifts of the current source's streams; `None` while no packet has arrived since the exchange itself has
    /// sent.
    pub fn shifts(&self) -> Option<Shifts> {
        let line = self.run?.shift;
        Some(Shifts { line: Some(line), others: self.others.map(|run| run.map(|run| run.shift)) })
    }

    /// Whether anything was sent, by any source.
    pub fn has_begun(&self) -> bool {
        self.sent.is_some()
    }

    /// The SSRC of the line, and the timestamp that a packet of this moment would have; none while nothing was sent.
    pub fn present(&self, now: Time) -> Option<(u32, u32)> {
        let sent = self.sent?;
        let samples = now.since(sent.at).as_nanos().saturating_mul(CLOCK) / 1_000_000_000;
        // The timestamp wraps: only its low 32 bits matter.
        let advance = (samples & u128::from(u32::MAX)) as u32;
        Some((sent.place.ssrc, sent.place.timestamp.wrapping_add(advance)))
    }

    fn note(&mut self, now: Time, place: Place, step: Option<u32>) {
        let Some(sent) = &mut self.sent else {
            self.sent = Some(Sent { place, at: now, step: step.unwrap_or(USUAL_STEP) });
            return;
        };
        let same = place.ssrc == sent.place.ssrc;
        let behind = sent.place.sequence.wrapping_sub(place.sequence);
        // A late packet is not the end of the stream.
        if same && behind < LATE {
            return;
        }
        let advance = place.timestamp.wrapping_sub(sent.place.timestamp);
        let neighbour = same && place.sequence.wrapping_sub(sent.place.sequence) == 1;
        if let Some(step) = step {
            sent.step = step;
        } else if neighbour && (1..=LONGEST_STEP).contains(&advance) {
            sent.step = advance;
        }
        sent.place = place;
        sent.at = now;
    }
}

impl Sent {
    /// The next position: one packet later, and as many steps of the timestamp as time has passed, at least one.
    fn next(&self, now: Time, step: u32) -> Place {
        let step = u128::from(step.max(1));
        let samples = now.since(self.at).as_nanos().saturating_mul(CLOCK) / 1_000_000_000;
        let steps = (samples.saturating_add(step / 2) / step).max(1);
        // The timestamp wraps: only its low 32 bits matter.
        let advance = (steps.saturating_mul(step) & u128::from(u32::MAX)) as u32;
        Place {
            ssrc: self.place.ssrc,
            sequence: self.place.sequence.wrapping_add(1),
            timestamp: self.place.timestamp.wrapping_add(advance),
        }
    }
}

impl Run {
    fn new(now: Time, source: u64, shift: Shift, header: &Header) -> Run {
        Run {
            source,
            shift,
            sequence: header.sequence,
            timestamp: header.timestamp,
            heard: now,
            count: 1,
            is_proven: false,
            is_first: false,
        }
    }

    fn hear(&mut self, now: Time, header: &Header) {
        self.heard = now;
        // A doubled packet says nothing.
        if header.sequence == self.sequence {
            return;
        }
        let is_later = (1..0x8000_0000).contains(&header.timestamp.wrapping_sub(self.timestamp));
        let is_next = header.sequence.wrapping_sub(self.sequence) == 1 && is_later;
        self.count = if is_next { self.count.saturating_add(1) } else { 1 };
        self.is_proven |= self.count >= PERSISTS;
        if is_after(header.sequence, self.sequence) || self.sequence.wrapping_sub(header.sequence) >= LATE {
            (self.sequence, self.timestamp) = (header.sequence, header.timestamp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc, length: 12 }
    }

    fn place(ssrc: u32, sequence: u16, timestamp: u32) -> Place {
        Place { ssrc, sequence, timestamp }
    }

    fn carried(line: &mut Continuity, ms: u64, source: u64, header: Header) -> Place {
        line.carry(at(ms), source, &header).place(&header)
    }

    #[test]
    fn one_stream_alone_is_never_touched() {
        let mut line = Continuity::default();
        for (ms, sequence, timestamp) in
            [(0, 65_535, u32::MAX), (20, 0, 159), (25, 5, 9_000), (26, 3, 1), (9_000, 4, 2)]
        {
            assert!(line.carry(at(ms), 1, &packet(7, sequence, timestamp)).is_identity());
        }
    }

    #[test]
    fn a_stream_after_a_prompt_goes_on_by_one_packet_and_the_time_that_passed() {
        let mut line = Continuity::default();
        let first = line.begin(at(0), 160, place(99, 65_535, 1_000));
        assert_eq!(first, place(99, 65_535, 1_000));
        line.own(at(0), first, 160);
        // 100 ms and a bit later: five packets of 20 ms.
        assert_eq!(carried(&mut line, 103, 2, packet(7, 500, 70_000)), place(99, 0, 1_800));
        assert_eq!(carried(&mut line, 104, 2, packet(7, 502, 70_320)), place(99, 2, 2_120));
        assert_eq!(carried(&mut line, 105, 2, packet(7, 501, 70_160)), place(99, 1, 1_960));
        assert!(!line.shifts().unwrap().are_identity());
    }

    #[test]
    fn a_prompt_after_a_stream_goes_on_too_and_the_stream_after_it_again() {
        let mut line = Continuity::default();
        carried(&mut line, 0, 2, packet(7, 10, 1_000));
        let first = line.begin(at(40), 240, place(99, 1, 1));
        assert_eq!(first, place(7, 11, 1_240));
        assert_eq!(line.shifts(), None);
        line.own(at(40), first, 240);
        assert_eq!(carried(&mut line, 70, 2, packet(7, 13, 1_560)), place(7, 12, 1_480));
    }

    /// `count` packets of 20 ms of one stream, the first of them at `ms`; where each went.
    fn run(line: &mut Continuity, ms: u64, ssrc: u32, first: u16, count: u16) -> Vec<Place> {
        let each = |n: u16| {
            let header = packet(ssrc, first.wrapping_add(n), 160 * u32::from(first) + 160 * u32::from(n));
            carried(line, ms + 20 * u64::from(n), 2, header)
        };
        (0..count).map(each).collect()
    }

    /// The same packets where nothing is changed.
    fn untouched(ssrc: u32, first: u16, count: u16) -> Vec<Place> {
        let each = |n: u16| place(ssrc, first.wrapping_add(n), 160 * u32::from(first) + 160 * u32::from(n));
        (0..count).map(each).collect()
    }

    #[test]
    fn a_stray_packet_of_another_ssrc_moves_nothing() {
        for strays in 1..4 {
            let mut line = Continuity::default();
            assert_eq!(run(&mut line, 0, 7, 65_500, 50), untouched(7, 65_500, 50));
            let stray = packet(8, 900, 5);
            for _ in 0..strays {
                assert_eq!(carried(&mut line, 990, 2, stray), place(8, 900, 5), "as it is, doubled or not");
            }
            let after = 65_500u16.wrapping_add(50);
            assert_eq!(run(&mut line, 1_000, 7, after, 100), untouched(7, after, 100));
            assert!(line.shifts().unwrap().are_identity());
        }
    }

    #[test]
    fn streams_that_alternate_pass_side_by_side_each_as_it_is() {
        let mut line = Continuity::default();
        for n in 0..500u16 {
            for (ssrc, first) in [(7, 0), (8, 40_000), (9, 65_000)] {
                let at = u64::from(n) * 20;
                assert_eq!(run(&mut line, at, ssrc, first + n % 500, 1), untouched(ssrc, first + n % 500, 1));
            }
        }
    }

    #[test]
    fn a_key_press_under_another_ssrc_does_not_take_the_line_however_long_it_is() {
        let mut line = Continuity::default();
        run(&mut line, 0, 7, 0, 50);
        // RFC 4733: a second without sound, and each packet of the event has its beginning as timestamp.
        for n in 0..50u16 {
            let event = packet(8, 300 + n, 8_000);
            assert_eq!(carried(&mut line, 1_000 + 20 * u64::from(n), 2, event), place(8, 300 + n, 8_000));
        }
        assert_eq!(run(&mut line, 2_000, 7, 50, 50), untouched(7, 50, 50));
    }

    #[test]
    fn a_stream_that_persists_while_the_first_is_silent_goes_on_with_the_line() {
        let mut line = Continuity::default();
        for n in 0..10u16 {
            carried(&mut line, 30 * u64::from(n), 2, packet(7, n, 240 * u32::from(n)));
        }
        // The last of the first came at 270 ms: until 470 ms the second passes as it is.
        for n in 0..6u16 {
            let header = packet(8, 900 + n, 5 + 240 * u32::from(n));
            let as_it_is = place(8, 900 + n, 5 + 240 * u32::from(n));
            assert_eq!(carried(&mut line, 300 + 30 * u64::from(n), 2, header), as_it_is);
        }
        // Seven steps of the 30 ms that were learned.
        assert_eq!(carried(&mut line, 480, 2, packet(8, 906, 1_445)), place(7, 10, 2_160 + 7 * 240));
        assert_eq!(carried(&mut line, 510, 2, packet(8, 907, 1_685)), place(7, 11, 2_160 + 8 * 240));
        // A late packet of the first has its place still.
        assert_eq!(carried(&mut line, 515, 2, packet(7, 8, 1_920)), place(7, 8, 1_920));
        let shifts = line.shifts().unwrap();
        assert_eq!(shifts.leaving(7).map(|shift| shift.from_ssrc), Some(8), "reports on the line are on who has it");
        assert!(shifts.is_replaced(shifts.arriving(7).unwrap()) && !shifts.is_replaced(shifts.arriving(8).unwrap()));
    }

    #[test]
    fn a_stream_that_returns_keeps_its_shift_where_the_line_can_go_on_from_there() {
        let mut line = Continuity::default();
        run(&mut line, 0, 7, 0, 50);
        let second = run(&mut line, 1_000, 8, 900, 50);
        assert_eq!(second.last().unwrap().ssrc, 7);
        // It counted on while it was not heard.
        assert_eq!(run(&mut line, 2_200, 7, 110, 50), untouched(7, 110, 50));
        // It has the line, and the other one keeps its shift, too.
        assert_eq!(run(&mut line, 3_200, 7, 160, 5), untouched(7, 160, 5));
        let late = carried(&mut line, 3_300, 2, packet(8, 949, 160 * 949));
        assert_eq!(late, *second.last().unwrap());
    }

    #[test]
    fn a_stream_that_returns_to_a_place_that_is_taken_is_joined_when_it_persists() {
        let mut line = Continuity::default();
        run(&mut line, 0, 7, 0, 50);
        let taken = run(&mut line, 1_000, 8, 900, 100).last().unwrap().sequence;
        let returned = run(&mut line, 3_000, 7, 50, 50);
        let joined = returned.iter().position(|place| place.sequence == taken.wrapping_add(1)).unwrap();
        assert!(joined <= 10, "{joined}");
        for pair in returned[joined..].windows(2) {
            assert_eq!(pair[1], place(7, pair[0].sequence + 1, pair[0].timestamp + 160));
        }
    }

    #[test]
    fn a_stray_packet_in_front_of_all_does_not_become_the_line() {
        let mut line = Continuity::default();
        carried(&mut line, 0, 2, packet(9, 1, 1));
        assert_eq!(run(&mut line, 20, 7, 500, 100), untouched(7, 500, 100));
        // What the exchange says afterwards goes on from there.
        assert_eq!(line.begin(at(2_020), 160, place(1, 1, 1)), place(7, 600, 160 * 600));
    }

    #[test]
    fn after_a_prompt_a_stray_packet_does_not_keep_the_line() {
        let mut line = Continuity::default();
        line.own(at(0), place(99, 10, 0), 160);
        assert_eq!(carried(&mut line, 20, 2, packet(9, 1, 1)), place(99, 11, 160));
        let places = run(&mut line, 40, 7, 500, 10);
        assert_eq!(places[2], place(7, 502, 160 * 502));
        assert_eq!(places[3], place(99, 12, 160 * 5));
        assert_eq!(places[9], place(99, 18, 160 * 11));
    }

    #[test]
    fn a_jump_within_one_stream_is_passed_on_and_what_follows_a_join_goes_on_from_it() {
        for jump in [60_000u16, 30_000, 300, 9_000] {
            let mut line = Continuity::default();
            run(&mut line, 0, 7, 10_000, 10);
            assert_eq!(run(&mut line, 200, 7, jump, 10), untouched(7, jump, 10));
            assert_eq!(line.begin(at(400), 160, place(1, 1, 1)).sequence, jump + 10);
        }
    }

    #[test]
    fn no_more_streams_are_remembered_than_there_is_room_for() {
        let mut line = Continuity::default();
        run(&mut line, 0, 7, 0, 10);
        for ssrc in 1_000..2_000 {
            assert_eq!(carried(&mut line, 201, 2, packet(ssrc, 5, 5)), place(ssrc, 5, 5));
        }
        assert_eq!(run(&mut line, 210, 7, 10, 10), untouched(7, 10, 10));
        assert!(line.shifts().unwrap().arriving(1_999).is_some() && line.shifts().unwrap().arriving(1_000).is_none());
    }

    #[test]
    fn another_source_with_the_same_ssrc_is_another_stream() {
        let mut line = Continuity::default();
        carried(&mut line, 0, 2, packet(0, 10, 1_000));
        assert_eq!(carried(&mut line, 20, 3, packet(0, 4_000, 0)), place(0, 11, 1_160));
    }

    #[test]
    fn the_same_stream_after_a_pause_is_still_untouched() {
        let mut line = Continuity::default();
        carried(&mut line, 0, 2, packet(7, 10, 1_000));
        assert!(line.carry(at(60_000), 2, &packet(7, 11, 481_000)).is_identity());
    }

    #[test]
    fn a_joined_stream_advances_at_least_one_step_and_survives_a_century() {
        let mut line = Continuity::default();
        line.own(at(50), place(1, 1, 100), 160);
        assert_eq!(carried(&mut line, 0, 2, packet(7, 0, 0)), place(1, 2, 260));
        let mut line = Continuity::default();
        line.own(at(0), place(1, 1, 100), 160);
        line.carry(Time::from_start(Duration::MAX), 2, &packet(7, 0, 0));
    }
}
