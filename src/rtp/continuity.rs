//! One continuous outgoing stream to a peer, with one SSRC, sequence and timestamp, whatever the sources of its
//! packets.
//!
//! As long as there is only one source, its packets are not changed. When another source follows (a bridge after a
//! prompt, a bridge after a bridge, a sender that takes a new SSRC), its packets are shifted by constants, which are
//! set with its first packet: the sequence number continues by one, the timestamp by the time since the last packet,
//! rounded to whole packets (RFC 3550 7.1 lets a mixer choose them freely; the jitter buffer of a modem must not notice
//! the change).

use super::header::Header;
use super::is_after;
use crate::clock::Time;

/// Clock of the timestamps, per second. It is 8,000 for every supported codec (G.722 too, RFC 3551 4.5.2).
const CLOCK: u128 = 8_000;

/// Samples in a packet until two packets have shown the real number: 20 ms.
const USUAL_STEP: u32 = 160;

/// Maximum number of samples in a packet: a greater difference between two neighbours is a pause. 200 ms.
const LONGEST_STEP: u32 = 1_600;

/// A packet this far behind the end of the previous stream is not late, but from a sender that has resumed.
const LATE: u16 = 128;

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

/// The outgoing stream to one peer: it joins each new source to the previous one.
#[derive(Debug, Clone, Default)]
pub struct Continuity {
    sent: Option<Sent>,
    run: Option<Run>,
    before: Option<Run>,
}

/// The latest packet sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    place: Place,
    at: Time,
    step: u32,
}

/// Packets of one source, with their shift.
#[derive(Debug, Clone, Copy)]
struct Run {
    source: u64,
    shift: Shift,
    /// The highest sequence number received.
    highest: u16,
}

impl Continuity {
    /// The shift of the packet with `header`, from `source` (any number that identifies it among the sources of this
    /// peer); counts the packet as sent.
    pub fn carry(&mut self, now: Time, source: u64, header: &Header) -> Shift {
        if let Some(run) = self.run.as_mut().filter(|run| run.is_of(source, header)) {
            if is_after(header.sequence, run.highest) {
                run.highest = header.sequence;
            }
            let shift = run.shift;
            self.note(now, shift.place(header), None);
            return shift;
        }
        if let Some(before) = self.before.filter(|run| run.is_of(source, header))
            && before.highest.wrapping_sub(header.sequence) < LATE
        {
            return before.shift;
        }
        let shift = match self.sent {
            None => Shift { from_ssrc: header.ssrc, to_ssrc: header.ssrc, sequence: 0, timestamp: 0 },
            Some(sent) => {
                let next = sent.next(now, sent.step);
                Shift {
                    from_ssrc: header.ssrc,
                    to_ssrc: next.ssrc,
                    sequence: next.sequence.wrapping_sub(header.sequence),
                    timestamp: next.timestamp.wrapping_sub(header.timestamp),
                }
            }
        };
        self.before = self.run.take();
        self.run = Some(Run { source, shift, highest: header.sequence });
        self.note(now, shift.place(header), None);
        shift
    }

    /// The position of the first packet that the exchange itself is about to send, in packets of `step` samples: after
    /// what was sent before, else `fresh`. The stream relayed until now ends with this.
    pub fn begin(&mut self, now: Time, step: u32, fresh: Place) -> Place {
        self.run = None;
        self.before = None;
        self.sent.map_or(fresh, |sent| sent.next(now, step))
    }

    /// Records that the exchange itself has sent a packet of `step` samples.
    pub fn own(&mut self, now: Time, place: Place, step: u32) {
        self.note(now, place, Some(step));
    }

    /// The shift of the current source; `None` while no packet has arrived since the exchange itself has sent.
    pub fn shift(&self) -> Option<Shift> {
        self.run.map(|run| run.shift)
    }

    /// Whether anything was sent, by any source.
    pub fn has_begun(&self) -> bool {
        self.sent.is_some()
    }

    fn note(&mut self, now: Time, place: Place, step: Option<u32>) {
        let Some(sent) = &mut self.sent else {
            self.sent = Some(Sent { place, at: now, step: step.unwrap_or(USUAL_STEP) });
            return;
        };
        // A late packet is not the end of the stream.
        if !is_after(place.sequence, sent.place.sequence) && place.ssrc == sent.place.ssrc {
            return;
        }
        let advance = place.timestamp.wrapping_sub(sent.place.timestamp);
        let neighbour = place.sequence.wrapping_sub(sent.place.sequence) == 1;
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
    fn is_of(&self, source: u64, header: &Header) -> bool {
        self.source == source && self.shift.from_ssrc == header.ssrc
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
        assert!(!line.shift().unwrap().is_identity());
    }

    #[test]
    fn a_prompt_after_a_stream_goes_on_too_and_the_stream_after_it_again() {
        let mut line = Continuity::default();
        carried(&mut line, 0, 2, packet(7, 10, 1_000));
        let first = line.begin(at(40), 240, place(99, 1, 1));
        assert_eq!(first, place(7, 11, 1_240));
        assert_eq!(line.shift(), None);
        line.own(at(40), first, 240);
        assert_eq!(carried(&mut line, 70, 2, packet(7, 13, 1_560)), place(7, 12, 1_480));
    }

    #[test]
    fn a_change_of_ssrc_keeps_the_line_and_late_packets_of_the_old_one_their_place() {
        let mut line = Continuity::default();
        for n in 0..4u16 {
            carried(&mut line, 30 * u64::from(n), 2, packet(7, n, 240 * u32::from(n)));
        }
        // The step was learned from the packets: 240 samples.
        assert_eq!(carried(&mut line, 120, 2, packet(8, 900, 5)), place(7, 4, 960));
        assert_eq!(carried(&mut line, 121, 2, packet(7, 2, 480)), place(7, 2, 480));
        assert_eq!(carried(&mut line, 150, 2, packet(8, 901, 245)), place(7, 5, 1_200));
        // The old source resumes: it is joined like any other.
        assert_eq!(carried(&mut line, 180, 2, packet(7, 4, 7_000)), place(7, 6, 1_440));
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
