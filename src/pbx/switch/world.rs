//! What a running program may look up at once.

use super::Switch;
use crate::clock::Now;
use crate::dialplan::database::Database;
use crate::dialplan::{ChannelId, Dialplan, Environment, Globals};
use crate::pbx::channel::Channel;
use crate::registrar::qualify::Status;
use std::sync::Arc;

/// The switch as the program of one channel sees it.
pub(super) struct View<'a> {
    switch: &'a Switch,
    channel: Option<&'a Channel>,
    random: u64,
}

impl Switch {
    /// The world of a channel's program, for one step of it.
    pub(super) fn world(&mut self, id: ChannelId) -> View<'_> {
        let random = self.core.rng.bits();
        View { switch: self, channel: self.channels.get(&id), random }
    }
}

impl Environment for View<'_> {
    fn now(&self) -> Now {
        self.switch.core.now
    }

    fn dialplan(&self) -> &Arc<Dialplan> {
        &self.switch.settings.dialplan
    }

    fn peer(&self, name: &str, item: &str) -> Option<String> {
        let peer = self.switch.settings.peers.get(name)?;
        let address = self.switch.location.newest(name).map(|binding| binding.flow.remote);
        let address = address.or_else(|| self.switch.static_address(peer));
        match item.to_ascii_lowercase().as_str() {
            "" | "ip" => Some(address.map(|address| address.ip().to_string()).unwrap_or_default()),
            "port" => Some(address.map(|address| address.port().to_string()).unwrap_or_default()),
            "context" => Some(peer.settings.context.clone()),
            "callerid_name" => peer.caller_id.name.clone(),
            "callerid_num" => peer.caller_id.number.clone(),
            "language" => Some(peer.settings.language.clone()),
            "accountcode" => Some(peer.account_code.clone()),
            "limit" => Some(peer.call_limit.unwrap_or_default().to_string()),
            "curcalls" => {
                let calls = self.switch.channels.values().filter(|channel| channel.peer.name == name).count();
                Some(calls.to_string())
            }
            "useragent" => self
                .switch
                .location
                .newest(name)
                .and_then(|binding| binding.user_agent.as_ref())
                .map(ToString::to_string),
            "status" => Some(match self.switch.status_of(name) {
                Some(Status::Ok(ms)) => format!("OK ({ms} ms)"),
                Some(Status::Lagged(ms)) => format!("LAGGED ({ms} ms)"),
                Some(Status::Unreachable) => "UNREACHABLE".to_owned(),
                Some(Status::Unknown) => "UNKNOWN".to_owned(),
                Some(Status::Unmonitored) | None => "UNMONITORED".to_owned(),
            }),
            _ => None,
        }
    }

    fn channel(&self, item: &str) -> Option<String> {
        let channel = self.channel?;
        let leg = self.switch.legs.get(&channel.leg);
        match item.to_ascii_lowercase().as_str() {
            "name" => Some(channel.name.clone()),
            "uniqueid" => Some(channel.unique_id.clone()),
            "state" => Some(channel.state.name().to_owned()),
            "peername" => Some(channel.peer.name.clone()),
            "language" => Some(channel.peer.settings.language.clone()),
            "peerip" | "recvip" => leg.map(|leg| leg.signalling().to_string()),
            "context" => channel.entered.as_ref().map(|position| position.context.clone()),
            "exten" => channel.entered.as_ref().map(|position| position.exten.clone()),
            _ => None,
        }
    }

    fn globals(&self) -> &Globals {
        &self.switch.globals
    }

    fn database(&self) -> &Database {
        &self.switch.database
    }

    fn random(&self) -> u64 {
        self.random
    }
}
