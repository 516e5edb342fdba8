//! What the console orders of lines, and the legs as it lists them.

use super::Switch;
use crate::clock::Now;
use crate::pbx::channel::Channel;
use crate::pbx::effect::Effects;
use crate::pbx::leg::Leg;

/// What came of asking a peer now whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QualifyNow {
    /// It is being asked.
    Asked,
    /// It has no `qualify=`: no limit says what a good answer is.
    NotMonitored,
    /// It is not registered, and no address of it is configured.
    NoAddress,
    /// There is no such peer.
    Unknown,
}

/// What came of forgetting where a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unregistered {
    /// It was registered, and is no more.
    Done,
    /// It was not registered.
    NotRegistered,
    /// There is no such peer.
    Unknown,
}

/// A leg as it stands.
pub struct LegReport<'a> {
    /// The leg.
    pub leg: &'a Leg,
    /// The channel it carries; it may be gone already.
    pub channel: Option<&'a Channel>,
    /// The Call-ID of its dialog; a called line has none before its first response.
    pub call_id: Option<&'a str>,
}

impl Switch {
    /// Begins a round of OPTIONS to a peer at once; what it finds is logged if it changes the peer's status.
    pub fn qualify_now(&mut self, now: Now, name: &str) -> (QualifyNow, Effects) {
        self.cx.now = now;
        let Some(peer) = self.settings.peers.get(name).cloned() else {
            return (QualifyNow::Unknown, Effects::default());
        };
        if peer.settings.qualify.is_none() {
            return (QualifyNow::NotMonitored, Effects::default());
        }
        if self.location.newest(name).is_none() && self.static_address(&peer).is_none() {
            return (QualifyNow::NoAddress, Effects::default());
        }
        self.watch(name);
        (QualifyNow::Asked, std::mem::take(&mut self.cx.out))
    }

    /// Forgets where a peer is registered, until it registers again. Its calls go on.
    pub fn unregister(&mut self, now: Now, name: &str) -> (Unregistered, Effects) {
        self.cx.now = now;
        if !self.settings.peers.contains_key(name) {
            return (Unregistered::Unknown, Effects::default());
        }
        if self.location.unregister(name).is_empty() {
            return (Unregistered::NotRegistered, Effects::default());
        }
        self.forget_watch_if_gone(name);
        self.arm_location();
        self.cx.out.verbose(3, format!("Unregistered SIP '{name}'"));
        (Unregistered::Done, std::mem::take(&mut self.cx.out))
    }

    /// All legs, oldest first.
    pub fn legs(&self) -> impl Iterator<Item = LegReport<'_>> {
        self.legs.values().map(|leg| {
            let dialog = self.cx.dialogs.iter().find(|(_, id)| **id == leg.id);
            LegReport {
                leg,
                channel: self.channels.get(&leg.channel),
                call_id: dialog.map(|(key, _)| key.call_id.as_str()),
            }
        })
    }
}
