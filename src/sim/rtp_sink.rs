//! The receiver of a simulated RTP stream: it counts what was lost, repeated, reordered or altered on the way.

use super::rtp_source::{self, RtpSourceConfig};
use crate::rtp::header::Header;
use crate::rtp::is_after;
use std::collections::BTreeSet;

/// The receiver of one RTP stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpSink {
    config: RtpSourceConfig,
    seen: BTreeSet<u64>,
    latest: Option<u64>,
    /// Packets received again.
    pub duplicates: u64,
    /// Packets received after one that was sent later.
    pub reordered: u64,
    /// Packets that differ from what was sent in payload, payload type, length or timestamp.
    pub altered: u64,
    /// Packets that are not RTP, or belong to another stream.
    pub foreign: u64,
}

impl RtpSink {
    /// A receiver of the stream with these parameters, before the first packet. Sequence numbers and synchronisation
    /// sources are compared too: packets forwarded untouched keep those of the sender.
    pub fn new(config: RtpSourceConfig) -> RtpSink {
        RtpSink { config, seen: BTreeSet::new(), latest: None, duplicates: 0, reordered: 0, altered: 0, foreign: 0 }
    }

    /// Compares a received packet with what was sent.
    pub fn receive(&mut self, packet: &[u8]) {
        let header = match Header::read(packet) {
            Ok(header) if header.ssrc == self.config.ssrc => header,
            Ok(_) | Err(_) => {
                self.foreign = self.foreign.saturating_add(1);
                return;
            }
        };
        let number = self.number_of(header.sequence);
        if packet != rtp_source::packet(&self.config, number) {
            self.altered = self.altered.saturating_add(1);
        }
        if !self.seen.insert(number) {
            self.duplicates = self.duplicates.saturating_add(1);
        } else if self.latest.is_some_and(|latest| number < latest) {
            self.reordered = self.reordered.saturating_add(1);
        }
        self.latest = self.latest.max(Some(number));
    }

    /// How many different packets were received.
    pub fn received(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    /// How many of the first `made` packets were not received.
    pub fn lost(&self, made: u64) -> u64 {
        made.saturating_sub(u64::try_from(self.seen.range(..made).count()).unwrap_or(u64::MAX))
    }

    /// Whether every packet received was as sent, came once, and in order.
    pub fn is_clean(&self) -> bool {
        self.duplicates == 0 && self.reordered == 0 && self.altered == 0 && self.foreign == 0
    }

    /// The packet with this sequence number that is nearest to the latest: sequence numbers wrap (RFC 3550 A.1).
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
    use crate::sim::rtp_source::{RtpSource, packet};

    fn config() -> RtpSourceConfig {
        RtpSourceConfig {
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
        let (mut source, mut sink) = (RtpSource::new(config()), RtpSink::new(config()));
        for _ in 0..70_000 {
            sink.receive(&source.next_packet());
        }
        assert!(sink.is_clean(), "{sink:?}");
        assert_eq!((sink.received(), sink.lost(70_000)), (70_000, 0));
    }

    #[test]
    fn every_kind_of_damage_is_seen() {
        let mut sink = RtpSink::new(config());
        let packets: Vec<Vec<u8>> = (0..10).map(|number| packet(&config(), number)).collect();
        for number in [0, 1, 1, 3, 2, 5] {
            sink.receive(&packets[number]);
        }
        assert_eq!((sink.duplicates, sink.reordered, sink.altered, sink.foreign), (1, 1, 0, 0));
        assert_eq!((sink.received(), sink.lost(6)), (5, 1));
        let mut bent = packets[6].clone();
        bent[100] ^= 1;
        sink.receive(&bent);
        sink.receive(&packets[7][..100]);
        let mut other = packets[8].clone();
        other[11] ^= 1;
        sink.receive(&other);
        sink.receive(b"no RTP");
        assert_eq!((sink.altered, sink.foreign), (2, 2));
    }
}
