//! A stream's place in a mix: what waits of what its peer says, and what the peer is sent.

use super::sample_queue::{SampleQueue, TICK};
use super::taps::payload;
use crate::audio::g711::Law;
use crate::pbx::mixing::{MixId, Seat};
use crate::rtp::continuity::Place;
use crate::rtp::header::{FIXED, Header};

/// The longest packet that is sent, in milliseconds.
const MAX_PTIME_MS: u8 = 200;

/// See the module.
pub(super) struct Seated {
    pub mix: MixId,
    pub seat: Seat,
    said: SampleQueue,
    /// What it said in this turn.
    pub frame: [i16; TICK],
    /// What it is to be sent, and that does not fill a packet yet.
    waiting: Vec<u8>,
    /// Where the next packet stands; none: after what was sent last.
    place: Option<Place>,
}

impl Seated {
    pub(super) fn new(mix: MixId, seat: Seat) -> Seated {
        Seated { mix, seat, said: SampleQueue::default(), frame: [0; TICK], waiting: Vec::new(), place: None }
    }

    /// Its peer agreed to something else.
    pub(super) fn change(&mut self, seat: Seat) {
        self.seat = seat;
        self.waiting.clear();
    }

    /// Its peer said something.
    pub(super) fn hear(&mut self, header: &Header, packet: &[u8]) {
        let law = law_of(&self.seat.laws, header.payload_type);
        if let Some((law, said)) = law.zip(payload(header, packet)) {
            self.said.put((header.ssrc, header.sequence), said.iter().map(|byte| law.decode(*byte)));
        }
    }

    /// What it says in this turn; says whether it is anything.
    pub(super) fn turn(&mut self) -> bool {
        self.said.take(&mut self.frame)
    }

    /// What its peer hears in this turn.
    pub(super) fn put(&mut self, heard: impl Iterator<Item = i32>) {
        let (law, gain) = (self.seat.codec.law, self.seat.gain);
        self.waiting.extend(heard.map(|sample| law.encode(gained(sample, gain))));
    }

    /// Samples in a packet to it.
    pub(super) fn step(&self) -> usize {
        usize::from(self.seat.ptime_ms.clamp(10, MAX_PTIME_MS)) * 8
    }

    /// The next packet to it when there is enough for one; `begin` says where it stands when nothing does.
    pub(super) fn packet(&mut self, begin: impl FnOnce(u32) -> Place) -> Option<(Place, u32, Vec<u8>)> {
        let step = self.step();
        if self.waiting.len() < step {
            return None;
        }
        let samples = u32::try_from(step).unwrap_or(u32::MAX);
        let begins = self.place.is_none();
        let place = self.place.unwrap_or_else(|| begin(samples));
        let header = Header {
            marker: begins,
            payload_type: self.seat.codec.payload_type,
            sequence: place.sequence,
            timestamp: place.timestamp,
            ssrc: place.ssrc,
            length: FIXED,
        };
        let mut packet = header.write().to_vec();
        packet.extend(self.waiting.drain(..step));
        let (sequence, timestamp) = (place.sequence.wrapping_add(1), place.timestamp.wrapping_add(samples));
        self.place = Some(Place { sequence, timestamp, ..place });
        Some((place, samples, packet))
    }

    /// Something else is sent to it meanwhile, or some turns were left out.
    pub(super) fn pause(&mut self) {
        self.place = None;
        self.waiting.clear();
    }
}

/// The law of a payload type.
pub(super) fn law_of(laws: &[(u8, Law)], payload_type: u8) -> Option<Law> {
    laws.iter().find(|(number, _)| *number == payload_type).map(|(_, law)| *law)
}

/// A sum doubled or halved so often, cut off where a sample ends.
pub(super) fn gained(sum: i32, gain: i8) -> i16 {
    let times = gain.unsigned_abs().min(8);
    let sum = if gain >= 0 { sum.saturating_mul(1 << times) } else { sum / (1 << times) };
    i16::try_from(sum).unwrap_or(if sum < 0 { i16::MIN } else { i16::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_cut_off_and_not_wrapped() {
        assert_eq!(
            [gained(40_000, 0), gained(-40_000, 0), gained(100, 2), gained(-100, -1)],
            [32_767, -32_768, 400, -50]
        );
        assert_eq!([gained(i32::MAX, 4), gained(i32::MIN, 8)], [32_767, -32_768]);
    }
}
