//! Strict RTP: which source's packets are believed (the rule stands over [`Learner`]).

use crate::clock::Time;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// `strictrtp=` in rtp.conf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// `yes` (and `seqno`): the SDP's address at once, another port or the signalling source's address after four packets in sequence.
    #[default]
    Strict,
    /// `no`: any source, after four packets in sequence.
    Open,
}

/// Packets in sequence that make a source other than the SDP's believable.
pub const PROBATION: u8 = 4;

/// How long a believed source must be silent before another may take its place.
const SILENCE: Duration = Duration::from_millis(200);

/// How long after an offer that names another address the old source's last packets are still let through.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sources on probation at once. Only sources from an allowed address get here, so few are needed.
const CANDIDATES: usize = 4;

/// Where packets are expected from, as SDP and signalling say.
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
}

/// What is to be done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the peer's.
    Accept,
    /// It is the peer's, and its source is the one to be believed from now on.
    AcceptAndLock,
    /// Its source is a stranger, or still on probation.
    Drop,
}

/// Learns from which source a peer sends.
///
/// The address in the SDP is believed at once, from its first packet. Another port of that host, or any port of the host the
/// signalling comes from, is believed after four packets in sequence, and only while the SDP's own address is silent. Then
/// the source is locked until the next offer or answer; only the SDP's own address, should it speak up after all, takes the lock
/// back. An offer that repeats the addresses keeps the source, without loss. Under [`Strictness::Open`] any host may be learned, also in place of a
/// locked source that has fallen silent.
#[derive(Debug, Clone)]
pub struct Learner {
    expected: Expected,
    /// The last RTP address an SDP gave; it outlives a hold.
    address: Option<SocketAddr>,
    locked: Option<SocketAddr>,
    kept: Option<Kept>,
    /// When a believed source was last heard.
    heard: Option<Time>,
    candidates: [Option<Candidate>; CANDIDATES],
    next_slot: usize,
}

/// The source that was believed before the last offer.
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
    /// A learner that has heard nothing yet.
    pub fn new(expected: Expected) -> Learner {
        Learner {
            expected,
            address: expected.rtp,
            locked: None,
            kept: None,
            heard: None,
            candidates: [None; CANDIDATES],
            next_slot: 0,
        }
    }

    /// A new offer or answer: where packets are expected from now on. What was learned stays believed until the new source is
    /// heard: for ever when its host is still allowed, else for two seconds (packets under way). A hold (no address) changes nothing.
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
            let until = (!self.is_allowed(source.ip())).then(|| now + FAREWELL);
            self.kept = Some(Kept { source, confirmed: repeated, until });
            self.locked = None;
        }
    }

    /// Judges an RTP packet by its source and sequence number.
    pub fn judge(&mut self, now: Time, source: SocketAddr, sequence: u16) -> Verdict {
        if self.locked == Some(source) {
            self.heard = Some(now);
            return Verdict::Accept;
        }
        if self.address == Some(source) {
            return self.lock(now, source);
        }
        if self.locked.is_none()
            && let Some(kept) = self.kept.filter(|kept| kept.source == source && kept.is_valid(now))
        {
            self.heard = Some(now);
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

    /// Judges a datagram that has no sequence of its own to be judged by (UDPTL): each one of a source is the next of it.
    pub fn judge_datagram(&mut self, now: Time, source: SocketAddr) -> Verdict {
        let known = self.candidates.iter().flatten().find(|known| known.source == source);
        self.judge(now, source, known.map_or(0, |known| known.next))
    }

    /// Judges an RTCP packet: RTCP has no sequence, so the host the lock stands on decides (before the lock, the SDP's), or the very
    /// address the SDP gives for RTCP.
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

    /// The source that is believed: the locked one, or the one an unchanged offer has kept.
    pub fn source(&self) -> Option<SocketAddr> {
        self.locked.or_else(|| self.kept.filter(|kept| kept.confirmed).map(|kept| kept.source))
    }

    fn lock(&mut self, now: Time, source: SocketAddr) -> Verdict {
        let changed = self.source() != Some(source);
        self.locked = Some(source);
        self.kept = None;
        self.heard = Some(now);
        self.candidates = [None; CANDIDATES];
        if changed { Verdict::AcceptAndLock } else { Verdict::Accept }
    }

    fn may_learn(&self, now: Time, host: IpAddr) -> bool {
        let silent = self.heard.is_none_or(|heard| now.since(heard) >= SILENCE);
        match self.expected.strictness {
            Strictness::Strict => self.locked.is_none() && silent && self.is_allowed(host),
            Strictness::Open => silent,
        }
    }

    fn is_allowed(&self, host: IpAddr) -> bool {
        match self.expected.strictness {
            Strictness::Open => true,
            // Without an address in the SDP there is nobody to be another port of.
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
