//! A new configuration in place of the old one, under calls and registrations that go on.

use super::lines::Watch;
use super::{Switch, SwitchSettings};
use crate::clock::Now;
use crate::config::peer::{Kind, Peer, PeerAddress};
use crate::pbx::effect::Effects;
use crate::registrar::next_hop::Routing;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who owns what extensions.conf says: everybody else's extensions survive a reload.
const REGISTRAR: &str = "pbx_config";

impl Switch {
    /// Puts a new configuration in force. Channels keep the peer they were opened with; new calls, the next priority of a
    /// running program, registrations and qualify go by the new one. A peer that is gone, or has a fixed address now, loses
    /// its registration. The lines among the effects say what changed.
    pub fn reload(&mut self, now: Now, mut settings: SwitchSettings) -> Effects {
        self.core.now = now;
        self.remove_all_extensions();
        Arc::make_mut(&mut settings.dialplan).adopt(&self.settings.dialplan, REGISTRAR);
        self.globals.load(&settings.dialplan);
        self.core.product.clone_from(&settings.product);
        self.core.routing = Routing { listening: settings.listening, admission: settings.admission.clone() };
        let old = std::mem::replace(&mut self.settings, settings);
        let (added, removed) = difference(&old.peers, &self.settings.peers);
        self.tell_reload(added, removed);
        self.unregister_strangers();
        self.renew_watches(&old.peers);
        self.keep_all_alive();
        self.add_all_extensions();
        self.reloaded = now;
        self.settle();
        self.tick();
        self.settle();
        self.take_effects()
    }

    fn tell_reload(&mut self, added: usize, removed: usize) {
        let changes = match (added, removed) {
            (0, 0) => String::new(),
            (added, 0) => format!(" ({added} new)"),
            (0, removed) => format!(" ({removed} gone)"),
            (added, removed) => format!(" ({added} new, {removed} gone)"),
        };
        let (peers, contexts) = (self.settings.peers.len(), self.settings.dialplan.contexts().count());
        let peers = format!("{peers} peer{}", plural(peers));
        let contexts = format!("{contexts} context{}", plural(contexts));
        self.core.out.notice(format!("The new configuration is in force: {peers}{changes}, {contexts}"));
    }

    /// Registrations of those who cannot be registered any more.
    fn unregister_strangers(&mut self) {
        let peers = &self.settings.peers;
        let gone =
            self.location.retain(|name| peers.get(name).is_some_and(|peer| matches!(peer.host, PeerAddress::Dynamic)));
        for (name, binding) in gone {
            let why = match self.settings.peers.get(&name) {
                Some(_) => "has a fixed address (host=) in the new configuration",
                None => "is not in the new configuration",
            };
            self.core.out.notice(format!("'{name}' {why}: its registration at {} is forgotten", binding.flow.remote));
        }
        let peers = &self.settings.peers;
        self.absences.retain(|name| peers.contains_key(name));
        self.arm_location();
    }

    /// Ends the watch of every peer whose `qualify=`, `qualifyfreq=` or fixed address changed, and begins the missing ones.
    fn renew_watches(&mut self, old: &BTreeMap<String, Arc<Peer>>) {
        let peers = self.settings.peers.clone();
        let watched: Vec<String> = self.watches.keys().cloned().collect();
        for name in watched {
            let same = old.get(&name).zip(peers.get(&name)).is_some_and(|(old, new)| is_watched_alike(old, new));
            if !same {
                self.forget_watch(&name);
            }
        }
        let missing = peers.values().filter(|peer| !self.watches.contains_key(&peer.name));
        let missing = missing.filter(|peer| match peer.host {
            PeerAddress::Static(_) | PeerAddress::Named { .. } => true,
            PeerAddress::Dynamic => !self.location.bindings(&peer.name).is_empty(),
        });
        let missing: Vec<Arc<Peer>> = missing.cloned().collect();
        self.watch_in_turn(missing.iter());
    }

    /// Nothing is asked any more. An answer under way names this watch, and so does not count for one that begins later.
    fn forget_watch(&mut self, name: &str) {
        if let Some(alarm) = self.watches.remove(name).and_then(Watch::into_alarm) {
            self.core.timers.cancel(alarm);
        }
    }

    /// The peer of that name as it is configured now: what the edge let pass may be older than the latest reload.
    pub(super) fn in_force(&self, peer: &Arc<Peer>) -> Option<Arc<Peer>> {
        match peer.kind {
            Kind::Guest => self.settings.general.allow_guest.then(|| peer.clone()),
            Kind::Friend | Kind::Peer | Kind::User => self.settings.peers.get(&peer.name).cloned(),
        }
    }
}

/// How many names are only in the new table, and how many only in the old.
fn difference(old: &BTreeMap<String, Arc<Peer>>, new: &BTreeMap<String, Arc<Peer>>) -> (usize, usize) {
    let added = new.keys().filter(|name| !old.contains_key(*name)).count();
    let removed = old.keys().filter(|name| !new.contains_key(*name)).count();
    (added, removed)
}

fn is_watched_alike(old: &Peer, new: &Peer) -> bool {
    old.settings.qualify == new.settings.qualify
        && old.settings.qualify_freq == new.settings.qualify_freq
        && old.host == new.host
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
