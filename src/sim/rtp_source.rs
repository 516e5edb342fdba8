//! The sender of a simulated RTP stream. Both ends can compute the payload, so the receiver can compare every byte.

use crate::rng::Rng;
use crate::rtp::header::{FIXED, Header};

/// The parameters of one RTP stream, known to both its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpSourceConfig {
    /// The seed of the payloads; both ends need the same.
    pub seed: u64,
    /// The synchronisation source.
    pub ssrc: u32,
    /// The sequence number of the first packet.
    pub first_sequence: u16,
    /// The timestamp of the first packet.
    pub first_timestamp: u32,
    /// The payload type.
    pub payload_type: u8,
    /// Milliseconds of audio in a packet: 8 bytes each (G.711).
    pub ptime_ms: u8,
}

/// The sender of one RTP stream.
#[derive(Debug, Clone)]
pub struct RtpSource {
    config: RtpSourceConfig,
    made: u64,
}

impl RtpSource {
    /// A source that has sent nothing yet.
    pub fn new(config: RtpSourceConfig) -> RtpSource {
        RtpSource { config, made: 0 }
    }

    /// How many packets it has made.
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
pub fn packet(config: &RtpSourceConfig, number: u64) -> Vec<u8> {
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

fn payload(config: &RtpSourceConfig, number: u64) -> Vec<u8> {
    let length = usize::from(config.ptime_ms) * 8;
    let mut rng = Rng::from_number(config.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&rng.bits().to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}
