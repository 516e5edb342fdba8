//! One direction of a line: packets put where their timestamps say, in a bounded room.

use super::packets::{Order, Packets, Sequence};
use crate::audio::g711::Law;
use std::collections::VecDeque;
use std::time::Duration;

/// Samples of one direction that are kept at once: 12 s.
pub const MAX_KEPT: usize = 96_000;

/// Timestamps that go on further away than this begin anew where they arrive: 2 s.
const JUMP: i64 = 16_000;

/// Packets that are waited for before what came is looked at: 200 ms.
const HOLD: usize = 1_600;

/// A packet as the line gets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived<'a> {
    /// When, in samples since the measurement began.
    pub at: i64,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub payload: &'a [u8],
    /// None: it is no G.711.
    pub law: Option<Law>,
    pub is_comfort_noise: bool,
}

/// Samples of one direction; `None` where none came.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// SSRC, and which position a timestamp has.
    anchor: Option<(u32, u32, i64)>,
    samples: VecDeque<Option<i16>>,
    /// The position of the first of them.
    base: i64,
    /// By how much the fastest packet came earlier than the first one; in samples, not above zero.
    early: i64,
    sequence: Sequence,
    packets: Packets,
    /// Packets lost of streams that were followed by others.
    lost_before: u64,
}

impl Line {
    /// Puts a packet where it belongs.
    pub fn put(&mut self, packet: &Arrived<'_>) {
        self.packets.received = self.packets.received.saturating_add(1);
        let known = self.anchor.filter(|(ssrc, ..)| *ssrc == packet.ssrc);
        let place = |(_, timestamp, position): (u32, u32, i64)| {
            position.saturating_add(i64::from(packet.timestamp.wrapping_sub(timestamp).cast_signed()))
        };
        let end = self.end();
        let goes_on = known.map(place).filter(|position| {
            let ahead = position.saturating_sub(end);
            (-JUMP..=JUMP).contains(&ahead)
        });
        let position = goes_on.unwrap_or_else(|| self.begin(packet));
        self.early = self.early.min(packet.at.saturating_sub(position));
        let order = self.sequence.put(packet.sequence);
        if order == Order::Again {
            self.packets.duplicates = self.packets.duplicates.saturating_add(1);
            return;
        }
        if packet.is_comfort_noise {
            self.packets.comfort_noise = self.packets.comfort_noise.saturating_add(1);
            return;
        }
        let Some(law) = packet.law else {
            // Telephone events are no sound that is missing.
            self.packets.other_codec = self.packets.other_codec.saturating_add(u64::from(packet.payload.len() > 8));
            return;
        };
        let left_out = position.saturating_sub(end);
        if order == Order::Next && left_out > 0 && goes_on.is_some() {
            self.packets.pauses = self.packets.pauses.saturating_add(1);
            let micros = left_out.unsigned_abs().saturating_mul(125);
            self.packets.paused = self.packets.paused.saturating_add(Duration::from_micros(micros));
        }
        self.packets.packet_ms = u16::try_from(packet.payload.len() / 8).unwrap_or(u16::MAX);
        self.write(position, packet.payload.iter().map(|byte| law.decode(*byte)));
    }

    /// A stream begins, or begins anew, where it arrives; what came before it stays where it is.
    fn begin(&mut self, packet: &Arrived<'_>) -> i64 {
        if self.anchor.is_some() {
            self.packets.restarts = self.packets.restarts.saturating_add(1);
            self.lost_before = self.lost_before.saturating_add(self.sequence.lost());
            self.sequence = Sequence::default();
        } else {
            self.base = packet.at;
        }
        let position = packet.at.max(self.end().saturating_sub(JUMP));
        self.anchor = Some((packet.ssrc, packet.timestamp, position));
        position
    }

    fn write(&mut self, position: i64, samples: impl Iterator<Item = i16>) {
        let offset = position.saturating_sub(self.base);
        if offset < 0 {
            self.packets.late = self.packets.late.saturating_add(1);
            return;
        }
        for (place, sample) in (offset..).zip(samples) {
            let Some(place) = usize::try_from(place).ok().filter(|place| *place < MAX_KEPT) else { return };
            if place >= self.samples.len() {
                self.samples.resize(place.saturating_add(1), None);
            }
            if let Some(slot) = self.samples.get_mut(place) {
                *slot = Some(sample);
            }
        }
    }

    /// The position behind the last sample.
    fn end(&self) -> i64 {
        self.base.saturating_add(i64::try_from(self.samples.len()).unwrap_or(i64::MAX))
    }

    /// Takes what no packet that is late changes any more: the next sample, with its position.
    pub fn settled(&mut self) -> Option<(i64, Option<i16>)> {
        if self.samples.len() <= HOLD { None } else { self.next() }
    }

    /// Takes the next sample.
    pub fn next(&mut self) -> Option<(i64, Option<i16>)> {
        let sample = self.samples.pop_front()?;
        let position = self.base;
        self.base = self.base.saturating_add(1);
        Some((position, sample))
    }

    /// Where the first sample is kept, as early as the fastest packet says; and all samples.
    pub fn all(&mut self) -> (i64, &[Option<i16>]) {
        (self.base.saturating_add(self.early), self.samples.make_contiguous())
    }

    /// How the packets came.
    pub fn packets(&self) -> Packets {
        Packets { lost: self.lost_before.saturating_add(self.sequence.lost()), ..self.packets.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32, at: i64, payload: &[u8]) -> Arrived<'_> {
        Arrived { at, ssrc: 1, sequence, timestamp, payload, law: Some(Law::Mu), is_comfort_noise: false }
    }

    #[test]
    fn packets_lie_where_their_timestamps_say_and_the_fastest_tells_how_late_all_are() {
        let mut line = Line::default();
        let sound = [Law::Mu.encode(1_000); 160];
        for (sequence, at) in [(0u16, 40), (1, 170), (3, 520), (2, 700), (3, 701)] {
            line.put(&packet(sequence, 5_000 + u32::from(sequence) * 160, at, &sound));
        }
        let (first, samples) = line.all();
        assert_eq!((first, samples.len()), (10, 640), "the second came 30 samples early");
        assert!(samples.iter().all(Option::is_some));
        let packets = line.packets();
        assert_eq!((packets.lost, packets.duplicates, packets.packet_ms, packets.pauses), (0, 1, 20, 0));
    }

    #[test]
    fn lost_packets_are_told_from_silence_that_is_left_out() {
        let mut line = Line::default();
        let sound = [Law::Mu.encode(1_000); 160];
        line.put(&packet(0, 0, 0, &sound));
        line.put(&packet(2, 320, 320, &sound));
        let noise = Arrived { is_comfort_noise: true, law: None, ..packet(3, 480, 480, &[60]) };
        line.put(&noise);
        line.put(&packet(4, 2_080, 2_080, &sound));
        let packets = line.packets();
        assert_eq!((packets.lost, packets.comfort_noise, packets.pauses), (1, 1, 1));
        assert_eq!(packets.paused, Duration::from_millis(200));
        assert!(packets.leaves_out_silence());
    }

    #[test]
    fn another_stream_and_a_jump_begin_anew_and_nothing_grows_without_bound() {
        let mut line = Line::default();
        let sound = [1u8; 160];
        line.put(&packet(0, 0, 0, &sound));
        line.put(&Arrived { ssrc: 2, ..packet(9, 77_777, 160, &sound) });
        line.put(&Arrived { ssrc: 2, ..packet(10, 4_000_000_000, 320, &sound) });
        assert_eq!((line.packets().restarts, line.all().1.len()), (2, 480));
        for step in 0..2_000u32 {
            line.put(&packet(step as u16, step * 15_000, i64::from(step), &sound));
        }
        assert!(line.all().1.len() <= MAX_KEPT);
    }
}
