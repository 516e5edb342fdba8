//! Strict RTP: from which source packets are accepted (the rule is in the documentation of [`Learner`]).

use crate::clock::Time;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// `strictrtp=` in rtp.conf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// `yes` (and `seqno`): the SDP's address at once, another port or the signalling source's address after four
    /// packets in sequence.
    #[default]
    Strict,
    /// `no`: any source, after four packets in sequence.
    Open,
}

/// Packets in sequence after which a source other than the SDP's is accepted.
pub const PROBATION: u8 = 4;

/// How long the accepted source must be silent before another may replace it.
const SILENCE: Duration = Duration::from_millis(200);

/// How long the locked source of a followed peer must be silent before its mapping in an address translator counts as
/// changed.
pub const REMAPPED: Duration = Duration::from_secs(2);

/// How long after an offer with another address the last packets of the old source are still accepted.
const OLD_SOURCE: Duration = Duration::from_secs(2);

/// Maximum number of sources on probation. Only sources from an allowed address are counted, so few are enough.
const CANDIDATES: usize = 4;

/// Where packets are expected from, by SDP and signalling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// The RTP address of the peer's SDP; `None` while the peer holds the call or gave none.
    pub rtp: Option<SocketAddr>,
    /// The RTCP address of the peer's SDP.
    pub rtcp: Option<SocketAddr>,
    /// The address the peer's signalling comes from.
    pub signalling: Option<IpAddr>,
    /// How far other sources are trusted.
    pub strictness: Strictness,
    /// The peer is followed to where it sends from (`nat=comedia`).
    pub symmetric: bool,
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It comes from the peer.
    Accept,
    /// It comes from the peer, and its source is the accepted one from now on.
    AcceptAndLock,
    /// Its source is not allowed, or still on probation.
    Drop,
}

/// Learns from which source a peer sends.
///
/// The address in the SDP is accepted at once, from its first packet. Another port of that host, or any port of the
/// host the signalling comes from, is accepted after four packets in sequence, and only while the SDP's own address is
/// silent. Then the source is locked until the next offer or answer; only the SDP's own address takes the lock back
/// when packets come from it after all. An offer that repeats the addresses keeps the source, without loss. Of a peer
/// that is followed (`nat=comedia`), a source of the signalling's host takes the place of a locked one that has been
/// silent for two seconds: the address translator has given it another port. Under
/// [`Strictness::Open`] any host may be learned, also in place of a locked source that has become silent.
#[derive(Debug, Clone)]
pub struct Learner {
    expected: Expected,
    /// The last RTP address in an SDP; a hold does not change it.
    address: Option<SocketAddr>,
    locked: Option<SocketAddr>,
    kept: Option<Kept>,
    /// When the last packet of an accepted source came.
    last_packet: Option<Time>,
    candidates: [Option<Candidate>; CANDIDATES],
    next_slot: usize,
}

/// The source that was accepted before the last offer.
#[derive(Debug, Clone, Copy)]
struct Kept {
    source: SocketAddr,
    /// The offer changed nothing: the first packet locks it again.
    confirmed: bool,
    until: Option<Time>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    source: SocketAddr,
    next: u16,
    count: u8,
}

impl Learner {
    /// A learner that has received nothing yet.
    pub fn new(expected: Expected) -> Learner {
        Learner {
            expected,
            address: expected.rtp,
            locked: None,
            kept: None,
            last_packet: None,
            candidates: [None; CANDIDATES],
            next_slot: 0,
        }
    }

    /// A new offer or answer: where packets are expected from now on. The learned source stays accepted until the new
    /// one sends: without limit when its host is still allowed, else for two seconds (packets under way). A hold (no
    /// address) changes nothing.
    pub fn reset(&mut self, now: Time, expected: Expected) {
        let before = self.expected;
        self.expected = expected;
        let Some(address) = expected.rtp else { return };
        let repeated = self.address == Some(address)
            && before.signalling == expected.signalling
            && before.strictness == expected.strictness;
        self.address = Some(address);
        self.candidates = [None; CANDIDATES];
        if let Some(source) = self.source() {
            let until = (!self.is_allowed(source.ip())).then(|| now + OLD_SOURCE);
            self.kept = Some(Kept { source, confirmed: repeated, until });
            self.locked = None;
        }
    }

    /// Checks an RTP packet by its source and sequence number.
    pub fn judge(&mut self, now: Time, source: SocketAddr, sequence: u16) -> Verdict {
        if self.locked == Some(source) {
            self.last_packet = Some(now);
            return Verdict::Accept;
        }
        if self.address == Some(source) {
            return self.lock(now, source);
        }
        if self.locked.is_none()
            && let Some(kept) = self.kept.filter(|kept| kept.source == source && kept.is_valid(now))
        {
            self.last_packet = Some(now);
            self.candidates = [None; CANDIDATES];
            if kept.confirmed {
                self.locked = Some(source);
                self.kept = None;
            }
            return Verdict::Accept;
        }
        if !self.may_learn(now, source.ip()) {
            return Verdict::Drop;
        }
        if self.is_proved(source, sequence) { self.lock(now, source) } else { Verdict::Drop }
    }

    /// Checks a datagram without a usable sequence number (UDPTL): each one counts as the next of its source.
    pub fn judge_datagram(&mut self, now: Time, source: SocketAddr) -> Verdict {
        let known = self.candidates.iter().flatten().find(|known| known.source == source);
        self.judge(now, source, known.map_or(0, |known| known.next))
    }

    /// Checks an RTCP packet. RTCP has no sequence, so it is accepted from the host of the locked source (before the
    /// lock, from that of the SDP), or from the exact RTCP address of the SDP.
    pub fn judge_rtcp(&self, now: Time, source: SocketAddr) -> bool {
        if self.expected.rtcp == Some(source) {
            return true;
        }
        let kept = self.kept.filter(|kept| kept.is_valid(now)).map(|kept| kept.source);
        match self.locked {
            Some(locked) => locked.ip() == source.ip(),
            None => [kept, self.address].into_iter().flatten().any(|known| known.ip() == source.ip()),
        }
    }

    /// The accepted source: the locked one, or the one an unchanged offer has kept.
    pub fn source(&self) -> Option<SocketAddr> {
        self.locked.or_else(|| self.kept.filter(|kept| kept.confirmed).map(|kept| kept.source))
    }

    /// The only source that can be accepted until the next offer or answer; none while another may still be learned. Of a
    /// peer that is followed another one may, once this one has been silent for long ([`Learner::silent_since`]).
    pub fn only_source(&self) -> Option<SocketAddr> {
        self.locked.filter(|locked| self.expected.strictness == Strictness::Strict && self.address == Some(*locked))
    }

    /// When the last accepted packet came, if silence of the accepted source lets another one be learned
    /// [two seconds](REMAPPED) later.
    pub fn silent_since(&self) -> Option<Time> {
        self.last_packet.filter(|_| self.expected.symmetric)
    }

    fn lock(&mut self, now: Time, source: SocketAddr) -> Verdict {
        let changed = self.source() != Some(source);
        self.locked = Some(source);
        self.kept = None;
        self.last_packet = Some(now);
        self.candidates = [None; CANDIDATES];
        if changed { Verdict::AcceptAndLock } else { Verdict::Accept }
    }

    fn may_learn(&self, now: Time, host: IpAddr) -> bool {
        let silent = self.last_packet.is_none_or(|last| now.since(last) >= SILENCE);
        match self.expected.strictness {
            Strictness::Strict if self.locked.is_some() => {
                let is_gone = self.last_packet.is_none_or(|last| now.since(last) >= REMAPPED);
                self.expected.symmetric && is_gone && self.expected.signalling == Some(host)
            }
            Strictness::Strict => silent && self.is_allowed(host),
            Strictness::Open => silent,
        }
    }

    fn is_allowed(&self, host: IpAddr) -> bool {
        match self.expected.strictness {
            Strictness::Open => true,
            // Without an address in the SDP there is no host whose other ports could be allowed.
            Strictness::Strict => {
                self.address.is_some_and(|address| address.ip() == host || self.expected.signalling == Some(host))
            }
        }
    }

    /// Counts the packet for its source; true when it is the fourth in sequence.
    fn is_proved(&mut self, source: SocketAddr, sequence: u16) -> bool {
        let next = sequence.wrapping_add(1);
        if let Some(known) = self.candidates.iter_mut().flatten().find(|known| known.source == source) {
            known.count = if known.next == sequence { known.count.saturating_add(1) } else { 1 };
            known.next = next;
            return known.count >= PROBATION;
        }
        if let Some(slot) = self.candidates.get_mut(self.next_slot) {
            *slot = Some(Candidate { source, next, count: 1 });
        }
        self.next_slot = (self.next_slot + 1) % CANDIDATES;
        false
    }
}

impl Kept {
    fn is_valid(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests;
