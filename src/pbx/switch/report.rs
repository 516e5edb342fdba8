//! What the switch tells about itself, as plain values: for snapshots, and for tests that look for what is left over.

use super::Switch;
use super::lamps::View;
use crate::clock::Now;
use crate::config::peer::Peer;
use crate::dialplan::ChannelId;
use crate::event::DeviceState;
use crate::linetest::report::Report;
use crate::pbx::calls::bridge::Bridge;
use crate::pbx::calls::channel::Channel;
use crate::pbx::calls::leg::Leg;
use crate::pbx::core::{Core, Devices as _, LegId};
use crate::pbx::lines::mailboxes::MailboxWatch;
use crate::pbx::lines::registrations::Registration;
use crate::pbx::settings::SwitchSettings;
use crate::pbx::subscriptions::Subscriptions;
use crate::registrar::location::Binding;
use crate::registrar::rivals::Rivalry;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

pub use crate::pbx::calls::SoundFault;
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
    /// The telephones that took its account from each other.
    pub rivalry: Option<Rivalry>,
    /// What was wrong with the sound in its latest call.
    pub sound: Option<&'a SoundFault>,
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

/// A leg as it stands.
pub struct LegReport<'a> {
    /// The leg.
    pub leg: &'a Leg,
    /// The channel it carries; it may be gone already.
    pub channel: Option<&'a Channel>,
    /// The Call-ID of its dialog; a called line has none before its first response.
    pub call_id: Option<&'a str>,
}

/// What there is to know of lamps.
pub struct LampReport<'a> {
    core: &'a Core,
    view: View<'a>,
    /// Who watches what.
    pub subscriptions: &'a Subscriptions,
}

impl LampReport<'_> {
    /// The state of a device (`SIP/name`, `Custom:name`), as hints show it.
    pub fn device_state(&self, device: &str) -> DeviceState {
        self.view.state(self.core, device)
    }

    /// The devices that the hint of an extension names, variables in it replaced; none: it has no hint.
    pub fn hint(&self, context: &str, exten: &str) -> Option<Vec<String>> {
        self.view.hint(self.core, context, exten)
    }
}

/// How many of everything there are: after the last call only bindings and their qualify and keepalive timers may be
/// left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// Channels.
    pub channels: usize,
    /// Legs.
    pub legs: usize,
    /// Bridges.
    pub bridges: usize,
    /// Dialogs known by their tags.
    pub dialogs: usize,
    /// Client transactions.
    pub clients: usize,
    /// Server transactions.
    pub servers: usize,
    /// Reserved RTP streams, and those being closed.
    pub streams: usize,
    /// Entries that lead from INVITE transactions to legs.
    pub owners: usize,
    /// Transfers, rows of digits and text messages under way.
    pub under_way: usize,
    /// Timers other than those of lines.
    pub timers: usize,
}

/// Our mailboxes elsewhere, by name.
pub fn mailboxes_elsewhere(switch: &Switch) -> impl Iterator<Item = &MailboxWatch> {
    switch.lines.mailboxes.iter()
}

/// Our own registrations at providers, by name.
pub fn registrations(switch: &Switch) -> impl Iterator<Item = &Registration> {
    switch.lines.registrations.iter()
}

/// The latest tests of lines, the newest first.
pub fn line_tests(switch: &Switch) -> impl Iterator<Item = &Report> {
    switch.core.line_tests.iter()
}

impl Switch {
    /// The configuration in force.
    pub fn config(&self) -> &SwitchSettings {
        &self.core.config
    }

    /// All peers, by name.
    pub fn peers(&self) -> impl Iterator<Item = PeerReport<'_>> {
        self.core.config.peers.values().map(|peer| self.report_peer(peer))
    }

    /// One peer.
    pub fn peer(&self, name: &str) -> Option<PeerReport<'_>> {
        self.core.config.peers.get(name).map(|peer| self.report_peer(peer))
    }

    fn report_peer<'a>(&'a self, peer: &'a Arc<Peer>) -> PeerReport<'a> {
        let home = peer.host.is_fixed().then(|| self.lines.home(peer, &self.core)).flatten();
        let bindings = self.lines.bindings(&peer.name).iter().rev().collect();
        let sound = self.calls.sounds().of(&peer.name);
        let rivalry = self.lines.rivalry(&peer.name);
        PeerReport { peer, home, bindings, status: self.lines.status(peer), rivalry, sound }
    }

    /// Where a peer is registered, oldest first.
    pub fn bindings(&self, name: &str) -> &[Binding] {
        self.lines.bindings(name)
    }

    /// All channels, oldest first.
    pub fn channels(&self) -> impl Iterator<Item = ChannelReport<'_>> {
        self.calls.parties().channels().map(|channel| {
            let program = channel.program.as_ref();
            let mut talking =
                self.calls.bridge_of(channel).into_iter().flat_map(|bridge| bridge.parties.iter().copied());
            ChannelReport {
                channel,
                location: program.map(|program| program.position().to_string()),
                application: program
                    .and_then(|program| program.application())
                    .map(|(name, args)| (name.to_owned(), args)),
                bridged: talking.find(|party| *party != channel.id),
            }
        })
    }

    /// All bridges, oldest first.
    pub fn bridges(&self) -> impl Iterator<Item = &Bridge> {
        self.calls.bridges()
    }

    /// All legs, oldest first.
    pub fn legs(&self) -> impl Iterator<Item = LegReport<'_>> {
        let parties = self.calls.parties();
        let dialogs = parties.index.dialogs.iter();
        let call_ids: BTreeMap<LegId, &str> = dialogs.map(|(key, leg)| (*leg, key.call_id.as_str())).collect();
        parties.legs().map(move |leg| LegReport {
            leg,
            channel: parties.channel_of_leg(leg.id).and_then(|id| parties.channel(id)),
            call_id: call_ids.get(&leg.id).copied(),
        })
    }

    /// What there is to know of lamps.
    pub fn lamps(&self) -> LampReport<'_> {
        let Switch { core, lines, calls, subscriptions, .. } = self;
        LampReport { core, view: View { lines, calls }, subscriptions }
    }

    /// How many channels there are, how many calls (callers' channels), and how many calls since the start.
    pub fn counts(&self) -> (usize, usize, u64) {
        let parties = self.calls.parties();
        // A call that was forwarded into the dialplan is still one.
        let begins = |channel: &&Channel| channel.program.is_some() && channel.local().is_none();
        let calls = parties.channels().filter(begins).count();
        (parties.count(), calls, self.calls.processed())
    }

    /// Every drop with its reason.
    pub fn drops(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.core.drops()
    }

    /// When the switch was made.
    pub fn started(&self) -> Now {
        self.core.started
    }

    /// When its configuration was last put in force: at the start, or by the latest reload.
    pub fn reloaded(&self) -> Now {
        self.reloaded
    }

    /// What is still held.
    pub fn leftovers(&self) -> Leftovers {
        let (clients, servers) = self.core.tx.counts();
        let parties = self.calls.parties();
        let [streams, owners, under_way] = parties.leftovers();
        Leftovers {
            channels: parties.count(),
            legs: parties.legs().count(),
            bridges: self.calls.bridges().count(),
            dialogs: parties.index.dialogs.len(),
            clients,
            servers,
            streams,
            owners,
            under_way: under_way + self.texts.count(),
            timers: self.core.timers.len().saturating_sub(self.lines.timers() + self.subscriptions.timers()),
        }
    }
}
