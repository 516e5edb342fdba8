//! Limits unauthenticated requests: a token bucket per source address, checked before parsing.

use dashmap::DashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Responses to unauthenticated requests that a source may cause at once.
const BURST: f64 = 200.0;
/// Responses a second it regains.
const REFILL: f64 = 50.0;
/// Sources remembered at most; beyond, all are forgotten at once (a flood from forged addresses fills no memory).
const MAX_SOURCES: usize = 65_536;

/// The buckets of all sources. Only a request that was answered without authentication, or is not SIP, costs anything,
/// so a registered phone is never limited, nor is loopback.
#[derive(Default)]
pub struct Limiter {
    debts: DashMap<IpAddr, Debt>,
}

/// What a source has used of its bucket, as of a moment.
#[derive(Clone, Copy)]
struct Debt {
    responses: f64,
    since: Instant,
}

impl Debt {
    fn at(self, now: Instant) -> f64 {
        let elapsed: Duration = now.saturating_duration_since(self.since);
        (self.responses - elapsed.as_secs_f64() * REFILL).max(0.0)
    }
}

impl Limiter {
    /// May a message of this source be looked at now?
    pub fn allows(&self, source: IpAddr, now: Instant) -> bool {
        self.debts.get(&source).is_none_or(|debt| debt.at(now) < BURST)
    }

    /// The source caused a response without authentication, or sent something that is not SIP.
    pub fn charge(&self, source: IpAddr, now: Instant) {
        if source.is_loopback() {
            return;
        }
        if self.debts.len() >= MAX_SOURCES {
            self.debts.clear();
        }
        let mut debt = self.debts.entry(source).or_insert(Debt { responses: 0.0, since: now });
        *debt = Debt { responses: debt.at(now) + 1.0, since: now };
    }

    /// Forgets sources whose buckets are full again.
    pub fn tidy(&self, now: Instant) {
        self.debts.retain(|_, debt| debt.at(now) > 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_source_that_causes_too_many_responses_is_ignored_for_a_while() {
        let limiter = Limiter::default();
        let (source, start) = (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), Instant::now());
        for _ in 0..200 {
            assert!(limiter.allows(source, start));
            limiter.charge(source, start);
        }
        assert!(!limiter.allows(source, start));
        assert!(limiter.allows(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), start));
        assert!(limiter.allows(source, start + Duration::from_secs(1)));
        limiter.tidy(start + Duration::from_secs(10));
        assert!(limiter.debts.is_empty());
    }

    #[test]
    fn forged_sources_fill_no_more_than_the_bound() {
        let (limiter, now) = (Limiter::default(), Instant::now());
        for number in 0..3 * u32::try_from(MAX_SOURCES).unwrap() {
            limiter.charge(IpAddr::V4(Ipv4Addr::from(0xc000_0000 + number)), now);
            assert!(limiter.debts.len() <= MAX_SOURCES);
        }
    }
}
