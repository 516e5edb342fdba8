//! What a running program may look up at once.

use super::parties::Parties;
use crate::clock::Now;
use crate::dialplan::database::Database;
use crate::dialplan::program::group::groups;
use crate::dialplan::{ChannelId, Dialplan, Environment, Globals};
use crate::guard::pin_lockout::PinLockout;
use crate::pbx::core::{Core, Directory};
use crate::sdp::MediaKind;
use std::cell::RefCell;
use std::sync::Arc;

/// What all programs share.
#[derive(Default)]
pub struct Shared {
    /// Global variables.
    pub globals: Globals,
    /// The key/value database.
    pub database: Database,
    /// Who typed too many wrong PINs.
    pub pin_lockout: RefCell<PinLockout>,
}

/// The exchange as the program of one channel sees it.
pub(super) struct ChannelEnv<'a> {
    pub(super) parties: &'a Parties,
    pub(super) core: &'a Core,
    pub(super) shared: &'a Shared,
    pub(super) directory: &'a dyn Directory,
    pub(super) id: ChannelId,
    pub(super) random: u64,
}

impl Environment for ChannelEnv<'_> {
    fn now(&self) -> Now {
        self.core.now
    }

    fn dialplan(&self) -> &Arc<Dialplan> {
        &self.core.config.dialplan
    }

    fn peer(&self, name: &str, item: &str) -> Option<String> {
        let peer = self.core.config.peers.get(name)?;
        if item.eq_ignore_ascii_case("curcalls") {
            return Some(self.parties.count_of(name).to_string());
        }
        self.directory.peer_item(self.core, peer, item)
    }

    fn channel(&self, item: &str) -> Option<String> {
        let channel = self.parties.channel(self.id)?;
        let leg = self.parties.leg_of(self.id);
        match item.to_ascii_lowercase().as_str() {
            "name" => Some(channel.name.clone()),
            "uniqueid" => Some(channel.unique_id.clone()),
            "state" => Some(channel.state.name().to_owned()),
            "peername" => channel.peer().map(|peer| peer.name.clone()),
            "language" => channel.peer().map(|peer| peer.settings.language.clone()),
            "peerip" | "recvip" => leg.map(|leg| leg.ua.flow.remote.ip().to_string()),
            "from" | "uri" | "useragent" => {
                let name = if item.eq_ignore_ascii_case("useragent") { "User-Agent" } else { "From" };
                let header = |wanted: &str| channel.invite.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                let value = if item.eq_ignore_ascii_case("uri") { header("Contact") } else { header(name) };
                value.map(|(_, value)| uri_in(value).to_owned())
            }
            "t38passthrough" => leg.map(|leg| u8::from(leg.peer.settings.may_carry(MediaKind::Image)).to_string()),
            "context" => channel.entered.as_ref().map(|position| position.context.clone()),
            "exten" => channel.entered.as_ref().map(|position| position.exten.clone()),
            _ => None,
        }
    }

    fn sip_headers(&self) -> Vec<(String, String)> {
        self.parties.channel(self.id).map(|channel| channel.invite.clone()).unwrap_or_default()
    }

    fn groups_of_others(&self) -> Vec<(String, String)> {
        let others = self.parties.channels().filter(|channel| channel.id != self.id);
        let found = others.flat_map(|channel| {
            let own = channel.program.as_ref().map(groups).unwrap_or_default();
            own.into_iter().chain(channel.group.clone())
        });
        // What a called line was given by `OUTBOUND_GROUP` stays, whatever runs on it.
        found.chain(self.parties.channel(self.id).and_then(|channel| channel.group.clone())).collect()
    }

    fn globals(&self) -> &Globals {
        &self.shared.globals
    }

    fn database(&self) -> &Database {
        &self.shared.database
    }

    fn random(&self) -> u64 {
        self.random
    }
}

/// The URI of a header value: what stands between `<` and `>`, or all of it.
fn uri_in(value: &str) -> &str {
    let inner = value.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(value, |(uri, _)| uri)
}
