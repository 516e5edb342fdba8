//! What comes to a stream before its peer's address is known: kept for a moment, since a peer's first packets may
//! overtake its answer, and then judged one by one.
//!
//! The port is open to everybody while it rings. So what comes from the host of the peer's signalling is kept apart
//! from all else, and of all else no host may keep more than a part.

use crate::clock::Time;
use crate::source_key::SourceKey;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How old a packet may be when it is forwarded: older ones would only fill the other side's jitter buffer.
pub(super) const OLD: Duration = Duration::from_millis(200);

/// Packets that are kept of the peer's own host, and of all others together: 200 ms in packets of 5 ms.
const PACKETS: usize = 40;

/// Bytes of them.
const BYTES: usize = 32 * 1024;

/// Packets that are kept of one other host (of one /64).
const OF_ONE: usize = 12;

/// Sources whose dropped packets are counted one by one; those of others were strangers.
const SOURCES: usize = 16;

/// A packet that waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub source: SocketAddr,
    /// When it came.
    pub at: Time,
    pub packet: Box<[u8]>,
}

/// The packets that wait at a stream.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// From the host of the peer's signalling.
    expected: Shelf,
    /// From elsewhere.
    others: Shelf,
    dropped: Vec<(SocketAddr, u64)>,
    /// Dropped from still more sources.
    from_more: u64,
}

/// What was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dropped {
    /// Packets of the peer that came too early.
    pub of_peer: u64,
    /// Packets of anybody else.
    pub of_strangers: u64,
}

#[derive(Debug, Default)]
struct Shelf {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

impl Early {
    /// Keeps a packet; `expected`: the host of the peer's signalling, as far as it is known.
    pub fn put(&mut self, now: Time, expected: Option<IpAddr>, source: SocketAddr, packet: &[u8]) {
        self.expire(now);
        let is_expected = expected.is_some_and(|expected| expected.to_canonical() == source.ip().to_canonical());
        let shelf = if is_expected { &mut self.expected } else { &mut self.others };
        let mut dropped = Vec::new();
        if !is_expected {
            dropped.extend(shelf.make_room_for(source.ip()));
        }
        while shelf.waiting.len() >= PACKETS || shelf.bytes.saturating_add(packet.len()) > BYTES {
            let Some(oldest) = shelf.pop() else { break };
            dropped.push(oldest.source);
        }
        shelf.push(Waiting { source, at: now, packet: packet.into() });
        dropped.into_iter().for_each(|source| self.count(source));
    }

    /// What is not too old, in the order in which it came; the rest is dropped.
    pub fn take(&mut self, now: Time) -> Vec<Waiting> {
        self.expire(now);
        let shelves = [std::mem::take(&mut self.expected), std::mem::take(&mut self.others)];
        let mut all: Vec<Waiting> = shelves.into_iter().flat_map(|shelf| shelf.waiting).collect();
        all.sort_by_key(|waiting| waiting.at);
        all
    }

    /// Whether something waits.
    pub fn is_empty(&self) -> bool {
        self.expected.waiting.is_empty() && self.others.waiting.is_empty()
    }

    /// What was dropped since this was asked last; `is_peer` says whose a source is.
    pub fn dropped(&mut self, is_peer: impl Fn(SocketAddr) -> bool) -> Dropped {
        let mut dropped = Dropped { of_peer: 0, of_strangers: std::mem::take(&mut self.from_more) };
        for (source, number) in std::mem::take(&mut self.dropped) {
            let counter = if is_peer(source) { &mut dropped.of_peer } else { &mut dropped.of_strangers };
            *counter = counter.saturating_add(number);
        }
        dropped
    }

    fn expire(&mut self, now: Time) {
        let mut old = Vec::new();
        for shelf in [&mut self.expected, &mut self.others] {
            while shelf.waiting.front().is_some_and(|oldest| now.since(oldest.at) > OLD) {
                old.extend(shelf.pop().map(|waiting| waiting.source));
            }
        }
        old.into_iter().for_each(|source| self.count(source));
    }

    fn count(&mut self, source: SocketAddr) {
        if let Some((_, number)) = self.dropped.iter_mut().find(|(known, _)| *known == source) {
            *number = number.saturating_add(1);
        } else if self.dropped.len() < SOURCES {
            self.dropped.push((source, 1));
        } else {
            self.from_more = self.from_more.saturating_add(1);
        }
    }
}

impl Shelf {
    fn push(&mut self, waiting: Waiting) {
        self.bytes = self.bytes.saturating_add(waiting.packet.len());
        self.waiting.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Waiting> {
        let oldest = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(oldest.packet.len());
        Some(oldest)
    }

    /// Drops the oldest packet of a host that has its part; whose it was.
    fn make_room_for(&mut self, host: IpAddr) -> Option<SocketAddr> {
        let host = SourceKey::of(host);
        let of_host = |waiting: &Waiting| SourceKey::of(waiting.source.ip()) == host;
        if self.waiting.iter().filter(|waiting| of_host(waiting)).count() < OF_ONE {
            return None;
        }
        let oldest = self.waiting.iter().position(of_host)?;
        let gone = self.waiting.remove(oldest)?;
        self.bytes = self.bytes.saturating_sub(gone.packet.len());
        Some(gone.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    fn source(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn numbers(waiting: &[Waiting]) -> Vec<u8> {
        waiting.iter().map(|waiting| waiting.packet[0]).collect()
    }

    #[test]
    fn each_packet_is_judged_by_its_own_age() {
        let mut early = Early::default();
        let (peer, stranger) = (source("192.0.2.7:4000"), source("198.51.100.1:9"));
        early.put(at(0), None, stranger, &[99]);
        for n in 0..20u8 {
            early.put(at(1_000 + 20 * u64::from(n)), None, peer, &[n]);
        }
        assert_eq!(numbers(&early.take(at(1_390))), (10..20).collect::<Vec<_>>());
        assert_eq!(early.dropped(|of| of == peer), Dropped { of_peer: 10, of_strangers: 1 });
        assert!(early.is_empty());
        assert_eq!(early.dropped(|_| true), Dropped::default());
    }

    #[test]
    fn whoever_fills_the_port_displaces_nothing_of_the_expected_host() {
        let mut early = Early::default();
        let peer = source("192.0.2.7:4000");
        for n in 0..10u8 {
            let now = at(u64::from(n) * 20);
            for stranger in 0..500u32 {
                let from = SocketAddr::new(IpAddr::from((0x0a00_0000 + stranger).to_be_bytes()), 9);
                early.put(now, Some(peer.ip()), from, &[100; 1_400]);
            }
            early.put(now, Some(peer.ip()), peer, &[n]);
        }
        let taken = early.take(at(190));
        assert!(taken.len() <= 2 * PACKETS && taken.windows(2).all(|pair| pair[0].at <= pair[1].at));
        let of_peer: Vec<Waiting> = taken.into_iter().filter(|waiting| waiting.source == peer).collect();
        assert_eq!(numbers(&of_peer), (0..10).collect::<Vec<_>>());
        assert!(early.dropped(|of| of == peer).of_strangers > 4_900);
        assert!(early.dropped.len() <= SOURCES);
    }

    /// A socket of both families has IPv4 senders at mapped addresses: all of IPv4 is no /64, and the peer is who it is.
    #[test]
    fn an_ipv4_address_mapped_into_ipv6_is_that_address() {
        let mut early = Early::default();
        let peer = source("[::ffff:192.0.2.7]:4000");
        early.put(at(0), Some("192.0.2.7".parse().unwrap()), peer, &[0]);
        assert_eq!((early.expected.waiting.len(), early.others.waiting.len()), (1, 0));
        for n in 0..30u8 {
            early.put(at(1), None, source(&format!("[::ffff:198.51.100.{n}]:9")), &[n]);
        }
        assert_eq!(early.others.waiting.len(), 30, "each is a host of its own");
    }

    #[test]
    fn one_host_or_one_64_fills_no_more_than_its_part() {
        for network in ["10.0.0.1", "2001:db8:0:1::"] {
            let mut early = Early::default();
            let peer = source("192.0.2.7:4000");
            for n in 0..8u8 {
                early.put(at(u64::from(n) * 20), None, peer, &[n]);
            }
            for n in 0..1_000u16 {
                let ip = match network.parse().unwrap() {
                    IpAddr::V6(ip) => IpAddr::from((u128::from(ip) | u128::from(n)).to_be_bytes()),
                    v4 => v4,
                };
                early.put(at(150), None, SocketAddr::new(ip, n), &[100]);
            }
            let taken = early.take(at(150));
            assert_eq!(numbers(&taken).iter().filter(|n| **n < 100).count(), 8);
            assert_eq!(taken.len(), 8 + OF_ONE);
        }
    }
}
