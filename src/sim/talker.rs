//! RTP with a payload both ends know: one side makes packets, the other sees whether each came, once, in order, and
//! with every byte as it was sent.

use crate::rng::Rng;
use crate::rtp::header::{FIXED, Header};
use crate::rtp::is_after;
use std::collections::BTreeSet;

/// What a talker's packets are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TalkerConfig {
    /// What the payloads are made from; both ends must be told the same.
    pub seed: u64,
    /// The synchronisation source.
    pub ssrc: u32,
    /// The sequence number of the first packet.
    pub first_sequence: u16,
    /// The timestamp of the first packet.
    pub first_timestamp: u32,
    /// The payload type.
    pub payload_type: u8,
    /// Milliseconds of sound in a packet: 8 bytes each (G.711).
    pub ptime_ms: u8,
}

/// Makes the packets of one stream.
#[derive(Debug, Clone)]
pub struct Talker {
    config: TalkerConfig,
    made: u64,
}

impl Talker {
    /// A talker before its first packet.
    pub fn new(config: TalkerConfig) -> Talker {
        Talker { config, made: 0 }
    }

    /// How many packets it made.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// The next packet; the first has the marker bit (RFC 3551 4.1).
    pub fn next_packet(&mut self) -> Vec<u8> {
        let packet = packet(&self.config, self.made);
        self.made = self.made.saturating_add(1);
        packet
    }
}

/// The `number`th packet of a stream, from 0.
pub fn packet(config: &TalkerConfig, number: u64) -> Vec<u8> {
    let payload = payload(config, number);
    let samples = u64::from(config.ptime_ms) * 8;
    let low = |number: u64| u32::try_from(number & 0xffff_ffff).unwrap_or_default();
    let sequence = u16::try_from(number & 0xffff).unwrap_or_default();
    let header = Header {
        marker: number == 0,
        payload_type: config.payload_type & 0x7f,
        sequence: config.first_sequence.wrapping_add(sequence),
        timestamp: config.first_timestamp.wrapping_add(low(number.wrapping_mul(samples))),
        ssrc: config.ssrc,
        length: FIXED,
    };
    let mut packet = header.write().to_vec();
    packet.extend_from_slice(&payload);
    packet
}

fn payload(config: &TalkerConfig, number: u64) -> Vec<u8> {
    let length = usize::from(config.ptime_ms) * 8;
    let mut rng = Rng::from_number(config.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&rng.bits().to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// What a listener heard of one talker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    config: TalkerConfig,
    seen: BTreeSet<u64>,
    latest: Option<u64>,
    /// Packets that came once more.
    pub duplicates: u64,
    /// Packets that came after one sent later.
    pub reordered: u64,
    /// Packets with another payload, payload type, length or time than was sent.
    pub altered: u64,
    /// Packets that are no RTP, or of another stream.
    pub strange: u64,
}

impl Heard {
    /// A listener to the talker of this configuration, which heard nothing yet. Sequence numbers and synchronisation
    /// sources are compared too: what is forwarded untouched has the sender's.
    pub fn new(config: TalkerConfig) -> Heard {
        Heard { config, seen: BTreeSet::new(), latest: None, duplicates: 0, reordered: 0, altered: 0, strange: 0 }
    }

    /// Takes in what was received.
    pub fn receive(&mut self, packet: &[u8]) {
        let header = match Header::read(packet) {
            Ok(header) if header.ssrc == self.config.ssrc => header,
            Ok(_) | Err(_) => {
                self.strange = self.strange.saturating_add(1);
                return;
            }
        };
        let number = self.number_of(header.sequence);
        if packet != self::packet(&self.config, number) {
            self.altered = self.altered.saturating_add(1);
        }
        if !self.seen.insert(number) {
            self.duplicates = self.duplicates.saturating_add(1);
        } else if self.latest.is_some_and(|latest| number < latest) {
            self.reordered = self.reordered.saturating_add(1);
        }
        self.latest = self.latest.max(Some(number));
    }

    /// How many different packets came.
    pub fn received(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    /// How many of the first `made` packets did not come.
    pub fn lost(&self, made: u64) -> u64 {
        made.saturating_sub(u64::try_from(self.seen.range(..made).count()).unwrap_or(u64::MAX))
    }

    /// Did nothing come but what was sent, each once, in order, untouched?
    pub fn is_clean(&self) -> bool {
        self.duplicates == 0 && self.reordered == 0 && self.altered == 0 && self.strange == 0
    }

    /// The packet a sequence number stands for: the one nearest to the latest (RFC 3550 A.1: it wraps).
    fn number_of(&self, sequence: u16) -> u64 {
        let Some(latest) = self.latest else {
            return u64::from(sequence.wrapping_sub(self.config.first_sequence));
        };
        let low = u16::try_from(latest & 0xffff).unwrap_or_default();
        let newest = self.config.first_sequence.wrapping_add(low);
        if sequence == newest || is_after(sequence, newest) {
            latest.saturating_add(u64::from(sequence.wrapping_sub(newest)))
        } else {
            latest.saturating_sub(u64::from(newest.wrapping_sub(sequence)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> TalkerConfig {
        TalkerConfig {
            seed: 7,
            ssrc: 0x1234_5678,
            first_sequence: 65_530,
            first_timestamp: u32::MAX - 100,
            payload_type: 0,
            ptime_ms: 30,
        }
    }

    #[test]
    fn what_is_forwarded_untouched_is_clean_over_the_wrap_of_the_sequence() {
        let (mut talker, mut heard) = (Talker::new(config()), Heard::new(config()));
        for _ in 0..70_000 {
            heard.receive(&talker.next_packet());
        }
        assert!(heard.is_clean(), "{heard:?}");
        assert_eq!((heard.received(), heard.lost(70_000)), (70_000, 0));
    }

    #[test]
    fn every_kind_of_damage_is_seen() {
        let mut heard = Heard::new(config());
        let packets: Vec<Vec<u8>> = (0..10).map(|number| packet(&config(), number)).collect();
        for number in [0, 1, 1, 3, 2, 5] {
            heard.receive(&packets[number]);
        }
        assert_eq!((heard.duplicates, heard.reordered, heard.altered, heard.strange), (1, 1, 0, 0));
        assert_eq!((heard.received(), heard.lost(6)), (5, 1));
        let mut bent = packets[6].clone();
        bent[100] ^= 1;
        heard.receive(&bent);
        heard.receive(&packets[7][..100]);
        let mut other = packets[8].clone();
        other[11] ^= 1;
        heard.receive(&other);
        heard.receive(b"no RTP");
        assert_eq!((heard.altered, heard.strange), (2, 2));
    }
}
