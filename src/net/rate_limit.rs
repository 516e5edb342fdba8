//! Limits what strangers cause: answers, and calls in the name of an address that is trusted. Everything is heard; what
//! proves nothing about its sender costs a token when it would be answered.

use crate::source_key::SourceKey;
use dashmap::DashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Buckets remembered at most; beyond, all are forgotten at once (a flood from forged addresses fills no memory).
const MAX_BUCKETS: usize = 65_536;

/// What may be taken from a bucket at once, and a second.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At once.
    pub burst: f64,
    /// A second.
    pub refill: f64,
}

/// Of a source: more than the calls of a busy exchange, each challenged once.
const SOURCE: Rate = Rate { burst: 200.0, refill: 100.0 };
/// Of what looks alike from a known address, once that address has used up its own: so many that a telephone is
/// answered, so few that it is no flood in its turn.
const LIKENESS: Rate = Rate { burst: 10.0, refill: 5.0 };
/// Of all that looks in whatever way from a known address: a few telephones' worth beside one flood, and no more than
/// that to the line whose address is forged, however many ways the flood looks.
const ALL_LIKENESSES: Rate = Rate { burst: 40.0, refill: 20.0 };

/// What was taken of a bucket, as of a moment.
#[derive(Debug, Clone, Copy)]
pub struct Debt {
    taken: f64,
    since: Instant,
}

impl Debt {
    /// Nothing is taken.
    pub fn none(now: Instant) -> Debt {
        Debt { taken: 0.0, since: now }
    }

    /// What is missing at this moment.
    pub fn at(self, rate: Rate, now: Instant) -> f64 {
        let elapsed: Duration = now.saturating_duration_since(self.since);
        (self.taken - elapsed.as_secs_f64() * rate.refill).max(0.0)
    }

    /// Takes one if there is one.
    pub fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let taken = self.at(rate, now);
        let is_there = taken + 1.0 <= rate.burst;
        *self = Debt { taken: if is_there { taken + 1.0 } else { taken }, since: now };
        is_there
    }
}

/// Who is to be answered, as far as that is known without a proof.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// Where it came from.
    pub source: SocketAddr,
    /// Over a connection: its address cannot be forged, and is counted apart.
    pub is_connected: bool,
    /// The address that a registered line or a static peer has (its port 0 where any does). It has buckets of its own,
    /// so that the rest of its network takes nothing from it; it is no proof, for it can be forged.
    pub known: Option<SocketAddr>,
    /// What the message looks like. Whoever floods in the name of a known address sends what looks alike, and the
    /// line's own messages look different.
    pub likeness: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bucket {
    Datagrams(SourceKey),
    Connections(SourceKey),
    Known(SocketAddr),
    Likeness(SocketAddr, u8),
    AllLikenesses(SocketAddr),
    /// By a hash of its nonce.
    Digest(u64),
}

/// A token is taken from its own bucket, or, when that is empty, from each of those beyond.
#[derive(Clone, Copy)]
struct Buckets {
    own: Bucket,
    beyond: Option<[Bucket; 2]>,
}

impl Bucket {
    fn rate(self) -> Rate {
        match self {
            Bucket::Datagrams(_) | Bucket::Connections(_) | Bucket::Known(_) | Bucket::Digest(_) => SOURCE,
            Bucket::Likeness(..) => LIKENESS,
            Bucket::AllLikenesses(_) => ALL_LIKENESSES,
        }
    }
}

impl Asker {
    /// Where it takes its tokens from.
    fn buckets(self) -> Buckets {
        let key = SourceKey::of(self.source.ip());
        match self.known {
            _ if self.is_connected => Buckets { own: Bucket::Connections(key), beyond: None },
            Some(known) => {
                let beyond = [Bucket::Likeness(known, self.likeness), Bucket::AllLikenesses(known)];
                Buckets { own: Bucket::Known(known), beyond: Some(beyond) }
            }
            None => Buckets { own: Bucket::Datagrams(key), beyond: None },
        }
    }
}

/// The buckets of all sources.
#[derive(Default)]
pub struct Limiter {
    debts: DashMap<Bucket, Debt>,
    hasher: RandomState,
}

impl Limiter {
    /// Could it be answered now? Cheap, to be asked before an answer is made.
    pub fn has_token(&self, asker: Asker, now: Instant) -> bool {
        let Buckets { own, beyond } = asker.buckets();
        self.is_in(own, now) || beyond.is_some_and(|all| all.into_iter().all(|bucket| self.is_in(bucket, now)))
    }

    /// Takes a token for an answer, if there is one.
    pub fn take(&self, asker: Asker, now: Instant) -> bool {
        let Buckets { own, beyond } = asker.buckets();
        self.take_from(own, now) || beyond.is_some_and(|all| all.into_iter().all(|bucket| self.take_from(bucket, now)))
    }

    /// Takes a token of a nonce that came with a right digest. The switch alone knows whether it was used before, and
    /// whoever sends a captured one again and again may not fill its queue.
    pub fn take_of_nonce(&self, nonce: &str, now: Instant) -> bool {
        self.take_from(Bucket::Digest(self.hasher.hash_one(nonce)), now)
    }

    fn is_in(&self, bucket: Bucket, now: Instant) -> bool {
        let rate = bucket.rate();
        self.debts.get(&bucket).is_none_or(|debt| debt.at(rate, now) + 1.0 <= rate.burst)
    }

    fn take_from(&self, bucket: Bucket, now: Instant) -> bool {
        if self.debts.len() >= MAX_BUCKETS {
            self.debts.clear();
        }
        self.debts.entry(bucket).or_insert_with(|| Debt::none(now)).take(bucket.rate(), now)
    }

    /// Forgets buckets that are full again.
    pub fn tidy(&self, now: Instant) {
        self.debts.retain(|bucket, debt| debt.at(bucket.rate(), now) > 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn asker(source: &str) -> Asker {
        Asker { source: source.parse().unwrap(), is_connected: false, known: None, likeness: 0 }
    }

    /// How many answers it gets of so many requests at one moment.
    fn answers(limiter: &Limiter, asker: Asker, requests: usize, now: Instant) -> usize {
        (0..requests).filter(|_| limiter.take(asker, now)).count()
    }

    #[test]
    fn a_source_gets_200_answers_at_once_and_100_a_second() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        let one = asker("192.0.2.1:5060");
        assert_eq!(answers(&limiter, one, 1_000, start), 200);
        assert!(!limiter.has_token(one, start));
        assert_eq!(answers(&limiter, asker("192.0.2.1:9"), 10, start), 0, "whatever its port");
        assert_eq!(answers(&limiter, asker("192.0.2.2:5060"), 10, start), 10, "another one");
        assert_eq!(answers(&limiter, one, 1_000, start + Duration::from_secs(1)), 100);
        let connected = Asker { is_connected: true, ..one };
        assert_eq!(answers(&limiter, connected, 1_000, start), 200, "who forges datagrams closes no connection");
        limiter.tidy(start + Duration::from_secs(60));
        assert!(limiter.debts.is_empty());
    }

    #[test]
    fn one_network_of_ipv6_is_one_source() {
        let (limiter, now) = (Limiter::default(), Instant::now());
        let sum: usize =
            (0..1_000).map(|host| answers(&limiter, asker(&format!("[2001:db8::{host:x}]:5060")), 1, now)).sum();
        assert_eq!(sum, 200);
        assert_eq!(answers(&limiter, asker("[2001:db8:0:1::1]:5060"), 1, now), 1, "the next network");
    }

    /// 20,000 a second in the name of a registered line: what does not look like them is answered all the same.
    #[test]
    fn a_known_address_is_answered_though_it_is_forged() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        let known = Asker { known: Some("192.0.2.1:5060".parse().unwrap()), ..asker("192.0.2.1:5060") };
        assert_eq!(answers(&limiter, asker("192.0.2.1:7777"), 20_000, start), 200);
        assert_eq!(answers(&limiter, known, 1, start), 1, "another port of its address takes nothing from it");
        let mut forged = 0;
        for second in 1..=10 {
            let now = start + Duration::from_secs(second);
            forged += answers(&limiter, known, 20_000, now);
            assert_eq!(answers(&limiter, Asker { likeness: 7, ..known }, 2, now), 2, "its INVITE and its REGISTER");
        }
        assert!(forged < 200 + 10 * 106, "{forged}");
    }

    /// A flood that looks another way in every message is no larger at the line whose address it has.
    #[test]
    fn a_flood_of_every_likeness_gets_no_more_than_a_few_telephones() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        let known = Asker { known: Some("192.0.2.1:5060".parse().unwrap()), ..asker("192.0.2.1:5060") };
        let mut forged = 0;
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            let all = (0..=255).map(|likeness| Asker { likeness, ..known });
            forged += all.map(|asker| answers(&limiter, asker, 80, now)).sum::<usize>();
        }
        assert!(forged <= 240 + 9 * 120, "{forged}");
    }

    #[test]
    fn forged_sources_fill_no_more_than_the_bound() {
        let (limiter, now) = (Limiter::default(), Instant::now());
        for number in 0..3 * u32::try_from(MAX_BUCKETS).unwrap() {
            let source = SocketAddr::from((Ipv4Addr::from(0xc000_0000 + number), 5060));
            limiter.take(Asker { source, is_connected: false, known: None, likeness: 0 }, now);
            assert!(limiter.debts.len() <= MAX_BUCKETS);
        }
    }
}
