//! The state of every device that a hint or `DEVICE_STATE()` may name: the one place that knows it.

use super::line_use;
use super::occupancy::{LineUse, Seen};
use super::parking;
use super::parties::Parties;
use crate::config::peer::Peer;
use crate::dialplan::database::Database;
use crate::dialplan::hint;
use crate::event::DeviceState;
use crate::pbx::core::{Core, DeviceCall, Directory};

/// What the states of devices are made of.
pub struct DeviceTable<'a> {
    /// The calls.
    pub parties: &'a Parties,
    /// Has the states of `Custom:` devices.
    pub database: &'a Database,
    /// Knows the lines.
    pub directory: &'a dyn Directory,
    /// The configuration in force.
    pub core: &'a Core,
}

impl DeviceTable<'_> {
    /// The state of a device: `SIP/name`, `Local/exten@context`, `Custom:name`, `park:place@context`. What nobody knows is invalid.
    pub fn state(&self, device: &str) -> DeviceState {
        if let Some(state) = hint::custom_state(self.database, device) {
            return state;
        }
        if let Some(state) = parking::device_state(self.parties, &self.core.config.parking, device) {
            return state;
        }
        let Some((technology, name)) = device.split_once('/') else { return DeviceState::Invalid };
        match technology.to_ascii_lowercase().as_str() {
            "sip" => self.core.config.peers.get(name).map_or(DeviceState::Invalid, |peer| self.of_line(peer)),
            "local" => self.of_extension(name),
            _ => DeviceState::Invalid,
        }
    }

    /// As chan_sip has it; but calls are always counted, and a line in a call shows it whatever became of its
    /// registration.
    fn of_line(&self, peer: &Peer) -> DeviceState {
        let LineUse { calls, ringing, held } = line_use::use_of(self.parties, &peer.name);
        let full = [peer.call_limit, peer.busy_level].into_iter().flatten().any(|limit| limit > 0 && calls >= limit);
        if held > 0 && self.core.config.general.lamps.hold {
            return DeviceState::OnHold;
        }
        if ringing == 0 && full {
            return DeviceState::Busy;
        }
        let item = |item: &str| self.directory.peer_item(self.core, peer, item).unwrap_or_default();
        let is_there = || !item("ip").is_empty() && item("status") != "UNREACHABLE";
        DeviceState::of(calls > ringing, ringing > 0, calls == 0 && is_there())
    }

    /// `exten@context`: idle when there is such an extension, in use while somebody is in it by such a pair of halves.
    fn of_extension(&self, name: &str) -> DeviceState {
        let name = name.split('/').next().unwrap_or_default();
        let (exten, context) = name.split_once('@').unwrap_or((name, "default"));
        let prefix = format!("Local/{exten}@{context}-");
        if self.parties.channels().any(|channel| channel.name.starts_with(&prefix)) {
            return DeviceState::InUse;
        }
        let found = self.core.config.dialplan.find(context, exten, 1, None, self.core.now.wall);
        found.map_or(DeviceState::Invalid, |_| DeviceState::Idle)
    }

    /// The call of a line that a lamp may tell of: the one that rings, or else the latest.
    pub fn call(&self, device: &str) -> Option<DeviceCall> {
        let (technology, name) = device.split_once('/')?;
        if !technology.eq_ignore_ascii_case("SIP") {
            return None;
        }
        let all: Vec<_> = line_use::channels_of(self.parties, name);
        let rings = |one: &&Seen<'_>| LineUse::of([**one].into_iter()).ringing > 0;
        let (channel, leg) = *all.iter().find(rings).or(all.last())?;
        let is_called = channel.entered.is_none();
        let (name, number) = match is_called {
            _ if channel.hides_caller => (String::new(), String::new()),
            true => (channel.caller_name.clone(), channel.caller_number.clone()),
            false => (String::new(), channel.entered.as_ref().map(|at| at.exten.clone()).unwrap_or_default()),
        };
        let context = channel.called_by.and_then(|caller| self.parties.channel(caller)).unwrap_or(channel);
        Some(DeviceCall {
            is_called,
            name,
            number,
            context: context.entered.as_ref().map(|at| at.context.clone()).unwrap_or_default(),
            pickup_name: leg.filter(|leg| !leg.is_confirmed()).and(channel.callee.pickup_name.clone()),
        })
    }
}
