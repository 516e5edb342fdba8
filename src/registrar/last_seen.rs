//! Who was registered and is no more, so that it can be said since when and why.

use crate::clock::Now;
use std::collections::BTreeMap;

/// How a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepartureCause {
    /// Its time ran out without a refresh.
    Expired,
    /// The phone, or somebody at the console, unregistered it.
    SignedOff,
}

/// When and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// When, on both clocks.
    pub since: Now,
    /// How.
    pub left: DepartureCause,
}

/// The absent, by name. Only a configured peer was ever registered, and a reload forgets those that are no more: so many there are at most.
#[derive(Debug, Clone, Default)]
pub struct Departures(BTreeMap<String, Departure>);

impl Departures {
    /// A peer's last registration ended.
    pub fn leave(&mut self, peer: &str, left: DepartureCause, since: Now) {
        self.0.insert(peer.to_owned(), Departure { since, left });
    }

    /// A peer is registered again: the absence that ends.
    pub fn come_back(&mut self, peer: &str) -> Option<Departure> {
        self.0.remove(peer)
    }

    /// Since when a peer is absent, if it was ever there.
    pub fn of(&self, peer: &str) -> Option<Departure> {
        self.0.get(peer).copied()
    }

    /// Forgets the peers that `stays` does not name.
    pub fn retain(&mut self, stays: impl Fn(&str) -> bool) {
        self.0.retain(|peer, _| stays(peer));
    }
}
