//! Nonce counts: a digest is accepted once.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::time::Duration;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::clock::Time;
use crate::rng::Rng;
use crate::sip::digest::nonce::LIFETIME;

/// How long a nonce is remembered after its last use: longer than it is valid, since what the ingress found valid may wait
/// in a queue.
pub const MEMORY: Duration = Duration::from_secs(2 * LIFETIME.as_secs());

/// The nonces used with a correct digest, each with the highest count seen (RFC 7616 3.4, `nc`).
///
/// Only senders that know a secret add to this table; it is bounded all the same, and the nonce unused for longest is
/// forgotten first.
#[derive(Debug)]
pub struct Replay {
    bound: usize,
    nonces: BTreeMap<Nonce, Seen>,
    /// The nonces by their last use: the number of that use leads to the nonce.
    order: BTreeMap<u64, Nonce>,
    uses: u64,
    keyed: SipHasher13,
}

/// A nonce by its keyed hash: 16 bytes instead of 43, kept for minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Nonce(u128);

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The highest count; `None` once the nonce was used without a count: it cannot be used again.
    count: Option<u32>,
    used: u64,
    at: Time,
}

impl Replay {
    /// A table of at most `bound` nonces (at least one). `rng` makes the key of its hashes.
    pub fn new(bound: usize, rng: &mut Rng) -> Replay {
        let keyed = SipHasher13::new_with_keys(rng.bits(), rng.bits());
        Replay { bound: bound.max(1), nonces: BTreeMap::new(), order: BTreeMap::new(), uses: 0, keyed }
    }

    /// Whether this use of a nonce is a new one: its count is strictly greater than every earlier one, or it has
    /// no count (no `qop`: RFC 2069) and was never used before. A new use is remembered.
    pub fn accept(&mut self, nonce: &str, count: Option<u32>, now: Time) -> bool {
        self.forget(now);
        let mut hash = self.keyed;
        hash.write(nonce.as_bytes());
        let nonce = Nonce(hash.finish128().as_u128());
        if let Some(seen) = self.nonces.get(&nonce).copied() {
            match (seen.count, count) {
                (Some(highest), Some(count)) if count > highest => {}
                (Some(_) | None, Some(_) | None) => return false,
            }
            self.order.remove(&seen.used);
        } else if self.nonces.len() >= self.bound
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.nonces.remove(&oldest);
        }
        self.uses = self.uses.saturating_add(1);
        self.order.insert(self.uses, nonce);
        self.nonces.insert(nonce, Seen { count, used: self.uses, at: now });
        true
    }

    /// How many nonces are remembered.
    pub fn len(&self) -> usize {
        self.nonces.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.nonces.is_empty()
    }

    fn forget(&mut self, now: Time) {
        while let Some(oldest) = self.order.first_entry() {
            let old = self.nonces.get(oldest.get()).is_none_or(|seen| now.since(seen.at) >= MEMORY);
            if !old {
                return;
            }
            self.nonces.remove(&oldest.remove());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn counts_must_grow_for_each_nonce_alone() {
        let mut replay = Replay::new(8, &mut Rng::from_number(1));
        assert!(replay.accept("a", Some(1), at(0)));
        assert!(!replay.accept("a", Some(1), at(0)), "the same count is a replay");
        assert!(replay.accept("b", Some(1), at(0)), "another nonce counts for itself");
        assert!(replay.accept("a", Some(5), at(1)), "gaps are fine: a request may be lost");
        assert!(!replay.accept("a", Some(4), at(1)), "an overtaken count is refused, and the client gets stale=true");
        assert!(replay.accept("a", Some(u32::MAX), at(2)));
        assert!(!replay.accept("a", Some(0), at(2)));
    }

    #[test]
    fn a_nonce_without_count_is_good_once() {
        let mut replay = Replay::new(8, &mut Rng::from_number(1));
        assert!(replay.accept("a", None, at(0)));
        assert!(!replay.accept("a", None, at(0)));
        assert!(!replay.accept("a", Some(7), at(0)), "spent without a count, spent with one");
        assert!(replay.accept("b", Some(1), at(0)));
        assert!(!replay.accept("b", None, at(0)), "used with a count, not good without");
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_longest_unused() {
        let mut replay = Replay::new(3, &mut Rng::from_number(1));
        for nonce in ["a", "b", "c"] {
            assert!(replay.accept(nonce, Some(1), at(0)));
        }
        assert!(replay.accept("a", Some(2), at(1)), "a is in use again");
        assert!(replay.accept("d", Some(1), at(2)), "d takes the place of b");
        assert_eq!(replay.len(), 3);
        assert!(!replay.accept("a", Some(2), at(2)));
        assert!(!replay.accept("c", Some(1), at(2)));
        for number in 0..10_000 {
            assert!(replay.accept(&format!("n{number}"), None, at(3)));
            assert!(replay.len() <= 3 && replay.order.len() == replay.nonces.len());
        }
    }

    #[test]
    fn a_refused_use_leaves_the_table_as_it_was() {
        let mut replay = Replay::new(2, &mut Rng::from_number(1));
        assert!(replay.accept("a", Some(2), at(0)));
        assert!(replay.accept("b", Some(1), at(0)));
        assert!(!replay.accept("a", Some(1), at(0)));
        assert!(replay.accept("c", Some(1), at(0)), "a stays the oldest: a replay does not keep it alive");
        assert!(!replay.accept("b", Some(1), at(0)));
    }

    #[test]
    fn old_nonces_are_dropped() {
        let mut replay = Replay::new(100, &mut Rng::from_number(1));
        assert!(replay.accept("a", Some(1), at(0)));
        assert!(replay.accept("b", Some(1), at(400)));
        assert!(!replay.accept("b", Some(1), Time::ZERO + MEMORY));
        assert_eq!(replay.len(), 1, "only a is forgotten");
        assert!(replay.accept("c", Some(1), at(400) + MEMORY));
        assert_eq!(replay.len(), 1);
        assert!(!replay.is_empty());
    }
}
