//! A brake on guessing secrets: after some wrong digests of one source for one account, further ones are not looked at
//! for a while. A wrong and a right guess are the same then, so that nothing is learned by going on.

use super::known::KnownAddresses;
use super::rate_limit::{Debt, Rate};
use crate::guard::admission::{Trial, Trials};
use crate::source_key::SourceKey;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong digests of one source for one account: ten at once, ten a minute.
const WRONG: Rate = Rate { burst: 10.0, refill: 10.0 / 60.0 };
/// How often a source that is braked is challenged: a telephone that shares the address may get through then.
const PAUSE: Duration = Duration::from_secs(1);
/// Accounts of one source that are counted one by one; more are a scan for names, and share one brake.
const MAX_NAMES: usize = 8;
/// Sources remembered. They are not forged, for each has returned a nonce; the one that was wrong longest ago makes room.
const MAX_SOURCES: usize = 10_000;

/// The wrong digests.
#[derive(Default)]
pub struct Guesses {
    sources: Mutex<Sources>,
    hasher: RandomState,
    known: Arc<KnownAddresses>,
}

/// The sources, and which of them was wrong longest ago: every receiver waits for this table, so nothing of it is
/// searched.
#[derive(Default)]
struct Sources {
    by_key: BTreeMap<SourceKey, Source>,
    by_latest: BTreeSet<(Instant, SourceKey)>,
}

struct Source {
    latest: Instant,
    names: Vec<Braked>,
}

impl Sources {
    fn names(&mut self, key: SourceKey) -> Option<&mut Vec<Braked>> {
        self.by_key.get_mut(&key).map(|source| &mut source.names)
    }

    /// A source that is wrong now. The one that was wrong longest ago makes room for a new one.
    fn wrong(&mut self, key: SourceKey, now: Instant) -> &mut Vec<Braked> {
        if self.by_key.len() >= MAX_SOURCES
            && !self.by_key.contains_key(&key)
            && let Some((_, oldest)) = self.by_latest.pop_first()
        {
            self.by_key.remove(&oldest);
        }
        let source = self.by_key.entry(key).or_insert_with(|| Source { latest: now, names: Vec::new() });
        self.by_latest.remove(&(source.latest, key));
        self.by_latest.insert((now, key));
        source.latest = now;
        &mut source.names
    }
}

struct Braked {
    /// The account by a hash of its name; none: any other.
    account: Option<u64>,
    wrong: Debt,
    challenged: Option<Instant>,
}

impl Guesses {
    /// Lines at these addresses are never braked at their own account.
    pub fn new(known: Arc<KnownAddresses>) -> Guesses {
        Guesses { known, ..Guesses::default() }
    }

    /// The trials of a message from there.
    pub fn of(&self, source: SocketAddr, now: Instant) -> GuessesOf<'_> {
        GuessesOf { guesses: self, source, now }
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digests of one message.
pub struct GuessesOf<'a> {
    guesses: &'a Guesses,
    source: SocketAddr,
    now: Instant,
}

impl GuessesOf<'_> {
    fn find<'t>(&self, names: &'t mut [Braked], account: &str) -> Option<&'t mut Braked> {
        let account = self.guesses.hasher.hash_one(account);
        let at = names.iter().position(|name| name.account == Some(account));
        let at = at.or_else(|| names.iter().position(|name| name.account.is_none()));
        at.and_then(|at| names.get_mut(at))
    }
}

impl Trials for GuessesOf<'_> {
    fn may_try(&self, account: &str) -> Trial {
        let mut sources = self.guesses.sources();
        let names = sources.names(SourceKey::of(self.source.ip()));
        let Some(braked) = names.and_then(|names| self.find(names, account)) else { return Trial::Verify };
        if braked.wrong.at(WRONG, self.now) + 1.0 <= WRONG.burst || self.guesses.known.has_peer(account, self.source) {
            return Trial::Verify;
        }
        if braked.challenged.is_some_and(|at| self.now.saturating_duration_since(at) < PAUSE) {
            return Trial::Ignore;
        }
        braked.challenged = Some(self.now);
        Trial::Challenge
    }

    fn wrong(&self, account: &str) {
        let mut sources = self.guesses.sources();
        let names = sources.wrong(SourceKey::of(self.source.ip()), self.now);
        if self.find(names, account).is_none() {
            let account = (names.len() < MAX_NAMES).then(|| self.guesses.hasher.hash_one(account));
            names.push(Braked { account, wrong: Debt::none(self.now), challenged: None });
        }
        if let Some(braked) = self.find(names, account) {
            braked.wrong.take(WRONG, self.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(guesses: &Guesses, source: &str, account: &str, now: Instant) -> Trial {
        let trials = guesses.of(source.parse().unwrap(), now);
        let trial = trials.may_try(account);
        if trial == Trial::Verify {
            trials.wrong(account);
        }
        trial
    }

    #[test]
    fn after_ten_wrong_guesses_one_in_six_seconds_is_looked_at() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let verified = (0..60_000)
            .filter(|ms| guess(&guesses, &format!("[2001:db8::{ms:x}]:5060"), "a", at(*ms)) == Trial::Verify)
            .count();
        assert_eq!(verified, 19, "in a minute, from a thousand addresses of one network a second");
        assert_eq!(guess(&guesses, "[2001:db8::1]:5060", "b", at(60_000)), Trial::Verify, "another account");
        assert_eq!(guess(&guesses, "[2001:db8:0:1::1]:5060", "a", at(60_000)), Trial::Verify, "another network");
        assert_eq!(guess(&guesses, "[2001:db8::1]:5060", "a", at(80_000)), Trial::Verify, "some time later");
    }

    #[test]
    fn a_registered_phone_does_not_feel_what_others_of_its_address_do() {
        let known = Arc::new(KnownAddresses::default());
        let (guesses, now) = (Guesses::new(known.clone()), Instant::now());
        known.set("a", vec!["192.0.2.1:5060".parse().unwrap()]);
        while guess(&guesses, "192.0.2.1:6000", "a", now) == Trial::Verify {}
        assert_eq!(guess(&guesses, "192.0.2.1:6000", "a", now), Trial::Ignore, "challenged once a second");
        assert_eq!(guess(&guesses, "192.0.2.1:5060", "a", now), Trial::Verify, "its own port");
        while guess(&guesses, "192.0.2.1:5060", "b", now) == Trial::Verify {}
        assert_eq!(guess(&guesses, "192.0.2.1:5060", "b", now), Trial::Ignore, "but not another's account");
    }

    #[test]
    fn a_scan_for_names_is_braked_as_one_and_fills_nothing() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let verified =
            (0..10_000).filter(|name| guess(&guesses, "192.0.2.1:1", &name.to_string(), now) == Trial::Verify).count();
        assert_eq!((verified, guesses.sources().by_key.len()), (MAX_NAMES + 10, 1));
        assert_eq!(guesses.sources().by_key.values().next().unwrap().names.len(), MAX_NAMES + 1);
        for number in 0..u32::try_from(MAX_SOURCES).unwrap() + 10 {
            let source = SocketAddr::from((std::net::Ipv4Addr::from(0x0a00_0000 + number), 5060));
            guesses.of(source, now + Duration::from_millis(u64::from(number) + 1)).wrong("a");
        }
        assert_eq!(guesses.sources().by_key.len(), MAX_SOURCES);
        assert!(
            !guesses.sources().by_key.contains_key(&SourceKey::of("192.0.2.1".parse().unwrap())),
            "the oldest is forgotten"
        );
    }

    /// A /48 has 65,536 networks, and each is a source: the next one costs no more than the first, however many there are.
    #[test]
    fn a_source_beyond_the_bound_costs_no_search() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let mut number = 0u64;
        let mut take = |count: usize| {
            let begun = Instant::now();
            for _ in 0..count {
                number += 1;
                let network = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number) << 64));
                guesses.of(SocketAddr::from((network, 5060)), start + Duration::from_millis(number)).wrong("a");
            }
            begun.elapsed()
        };
        let (room, none) = (take(MAX_SOURCES), take(MAX_SOURCES));
        assert!(none < 30 * room.max(Duration::from_millis(5)), "{none:?} beside {room:?} while there was room");
        let sources = guesses.sources();
        assert_eq!((sources.by_key.len(), sources.by_latest.len()), (MAX_SOURCES, MAX_SOURCES));
    }
}
