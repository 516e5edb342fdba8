//! Peers whose registration ended: since when, and why.

use crate::clock::Now;
use std::collections::BTreeMap;

/// How a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepartureCause {
    /// It expired without a refresh.
    Expired,
    /// The phone unregistered, or a console command did it.
    SignedOff,
}

/// When and how a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// When, on both clocks.
    pub since: Now,
    /// How.
    pub left: DepartureCause,
}

/// The ended registrations, by peer. Bounded by the number of peers: only configured ones can register, and a reload
/// forgets those that are removed.
#[derive(Debug, Clone, Default)]
pub struct Departures(BTreeMap<String, Departure>);

impl Departures {
    /// A peer's last registration ended.
    pub fn leave(&mut self, peer: &str, left: DepartureCause, since: Now) {
        self.0.insert(peer.to_owned(), Departure { since, left });
    }

    /// A peer is registered again: removes and returns its departure.
    pub fn come_back(&mut self, peer: &str) -> Option<Departure> {
        self.0.remove(peer)
    }

    /// When and how a peer's registration ended, if it ever had one.
    pub fn of(&self, peer: &str) -> Option<Departure> {
        self.0.get(peer).copied()
    }

    /// Keeps only the peers that `stays` selects.
    pub fn retain(&mut self, stays: impl Fn(&str) -> bool) {
        self.0.retain(|peer, _| stays(peer));
    }
}
