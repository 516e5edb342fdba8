//! How much a stranger may ask before nobody listens: a bucket of answers per source address, looked at before parsing.

use dashmap::DashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Answers to unproven requests a source may draw at once.
const BURST: f64 = 200.0;
/// Answers a second it gets back.
const REFILL: f64 = 50.0;
/// Most sources remembered; when they are more, all are forgotten at once (a flood from forged addresses fills nothing).
const MOST_SOURCES: usize = 65_536;

/// The buckets of all sources. Only requests that were answered without proof, or not understood, cost anything, so a
/// registered phone never runs dry; loopback is never limited.
#[derive(Default)]
pub struct Limiter {
    debts: DashMap<IpAddr, (f64, Instant)>,
}

impl Limiter {
    /// May this source be heard now?
    pub fn allows(&self, source: IpAddr, now: Instant) -> bool {
        self.debts.get(&source).is_none_or(|debt| outstanding(*debt, now) < BURST)
    }

    /// The source drew an answer without proof, or sent something unreadable.
    pub fn charge(&self, source: IpAddr, now: Instant) {
        if source.is_loopback() {
            return;
        }
        if self.debts.len() >= MOST_SOURCES {
            self.debts.clear();
        }
        let mut debt = self.debts.entry(source).or_insert((0.0, now));
        *debt = (outstanding(*debt, now) + 1.0, now);
    }

    /// Forgets sources that owe nothing any more.
    pub fn tidy(&self, now: Instant) {
        self.debts.retain(|_, debt| outstanding(*debt, now) > 0.0);
    }
}

fn outstanding((debt, since): (f64, Instant), now: Instant) -> f64 {
    let elapsed: Duration = now.saturating_duration_since(since);
    (debt - elapsed.as_secs_f64() * REFILL).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_source_that_draws_too_many_answers_is_not_heard_for_a_while() {
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
        for number in 0..3 * u32::try_from(MOST_SOURCES).unwrap() {
            limiter.charge(IpAddr::V4(Ipv4Addr::from(0xc000_0000 + number)), now);
            assert!(limiter.debts.len() <= MOST_SOURCES);
        }
    }
}
