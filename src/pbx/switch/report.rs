//! What the switch tells about itself, as plain values: for snapshots, and for tests that look for what is left over.

use super::Switch;
use crate::clock::{Now, Time};
use crate::config::general::General;
use crate::config::peer::Peer;
use crate::dialplan::{ChannelId, Dialplan};
use crate::pbx::channel::{Channel, Doing};
use crate::registrar::location::Binding;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

pub use crate::registrar::qualify::Status as PeerStatus;

/// A peer as it stands.
pub struct PeerReport<'a> {
    /// Its configuration.
    pub peer: &'a Arc<Peer>,
    /// Its fixed address, as far as it has one that is known.
    pub home: Option<SocketAddr>,
    /// Where it is registered, newest first.
    pub bindings: Vec<&'a Binding>,
    /// `Unmonitored` without `qualify=`.
    pub status: PeerStatus,
}

/// A channel as it stands.
pub struct ChannelReport<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// Where its program is, for a caller.
    pub location: Option<String>,
    /// The application it runs with its arguments; a called line has none.
    pub application: Option<(String, String)>,
    /// The channel it talks to.
    pub bridged: Option<ChannelId>,
}

/// How many of everything there are: after the last call only bindings and their qualify and keepalive timers may be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// Channels.
    pub channels: usize,
    /// Legs.
    pub legs: usize,
    /// Dialogs known by their tags.
    pub dialogs: usize,
    /// Client transactions.
    pub clients: usize,
    /// Server transactions.
    pub servers: usize,
    /// Reserved RTP streams, and those being closed.
    pub streams: usize,
    /// Entries in the tables that lead from server transactions to legs, and from channels to what they are about to call.
    pub owners: usize,
    /// Timers other than qualify's, keepalive's and the registrar's.
    pub timers: usize,
}

impl Switch {
    /// The peers as they are configured, by name.
    pub fn configured(&self) -> &BTreeMap<String, Arc<Peer>> {
        &self.settings.peers
    }

    /// All peers, by name.
    pub fn peers(&self) -> impl Iterator<Item = PeerReport<'_>> {
        self.settings.peers.values().map(|peer| self.report_peer(peer))
    }

    /// One peer.
    pub fn peer(&self, name: &str) -> Option<PeerReport<'_>> {
        self.settings.peers.get(name).map(|peer| self.report_peer(peer))
    }

    fn report_peer<'a>(&'a self, peer: &'a Arc<Peer>) -> PeerReport<'a> {
        let unasked = if peer.settings.qualify.is_some() { PeerStatus::Unknown } else { PeerStatus::Unmonitored };
        let status = self.status_of(&peer.name).unwrap_or(unasked);
        let home = peer.host.address(self.settings.admission.names());
        PeerReport { peer, home, bindings: self.location.bindings(&peer.name).iter().rev().collect(), status }
    }

    /// All channels, oldest first.
    pub fn channels(&self) -> impl Iterator<Item = ChannelReport<'_>> {
        self.channels.values().map(|channel| {
            let program = channel.program.as_ref();
            let bridged = match &channel.doing {
                Doing::Dialling(dial) => dial.bridge.as_ref().map(|bridge| bridge.callee),
                Doing::Called(caller) => Some(*caller).filter(|caller| {
                    let dial = self.channels.get(caller).and_then(Channel::dial);
                    dial.and_then(|dial| dial.bridge.as_ref()).is_some_and(|bridge| bridge.callee == channel.id)
                }),
                Doing::Reserving
                | Doing::Running
                | Doing::Waiting(_)
                | Doing::Answering
                | Doing::Playing(..)
                | Doing::Echoing => None,
            };
            ChannelReport {
                channel,
                location: program.map(|program| program.position().to_string()),
                application: program
                    .and_then(|program| program.application())
                    .map(|(name, args)| (name.to_owned(), args)),
                bridged,
            }
        })
    }

    /// How many channels there are, how many calls (callers' channels), and how many calls since the start.
    pub fn counts(&self) -> (usize, usize, u64) {
        let calls = self.channels.values().filter(|channel| channel.program.is_some()).count();
        (self.channels.len(), calls, self.calls_processed)
    }

    /// Every drop with its reason.
    pub fn drops(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.drops.iter().map(|(reason, count)| (*reason, *count))
    }

    /// When the switch was made.
    pub fn started(&self) -> Now {
        self.started
    }

    /// When its configuration was last put in force: at the start, or by the latest reload.
    pub fn reloaded(&self) -> Now {
        self.reloaded
    }

    /// The latest time it was told.
    pub fn now(&self) -> Time {
        self.core.now.mono
    }

    /// The dialplan in force.
    pub fn dialplan(&self) -> &Arc<Dialplan> {
        &self.settings.dialplan
    }

    /// `[general]` in force.
    pub fn general(&self) -> &Arc<General> {
        &self.settings.general
    }

    /// What is still held.
    pub fn leftovers(&self) -> Leftovers {
        let (clients, servers) = self.core.tx.counts();
        let watching = self.watches.values().filter(|watch| watch.is_armed()).count();
        let background = watching + self.keepalives.len() + usize::from(self.location_alarm.is_some());
        Leftovers {
            channels: self.channels.len(),
            legs: self.legs.len(),
            dialogs: self.index.dialogs.len(),
            clients,
            servers,
            streams: self.streams.len() + self.releases.len(),
            owners: self.index.servers.len() + self.calling.len(),
            timers: self.core.timers.len().saturating_sub(background),
        }
    }
}
