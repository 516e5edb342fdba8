//! What is kept: changes of bindings and of the key/value database, records of calls, and the way back after a restart.

use super::Switch;
use crate::clock::Now;
use crate::config::peer::{Kind, Peer, PeerAddress};
use crate::dialplan::ChannelId;
use crate::dialplan::database::Database;
use crate::pbx::cdr::{CdrBuilder, Facts, HangupBy};
use crate::pbx::channel::Channel;
use crate::pbx::effect::{Effects, Line, StoreOrder};
use crate::pbx::failure::{Failure, FailureReason};
use crate::registrar::location::Restored;
use crate::sdp::payload;
use std::collections::BTreeMap;
use std::net::SocketAddr;

impl Switch {
    /// What is to be done since this was asked last. Whoever changed something outside [`Switch::handle`] has it executed.
    pub fn take_effects(&mut self) -> Effects {
        for peer in self.location.take_changed() {
            let bindings = self.location.bindings(&peer).to_vec();
            self.core.out.store.push(StoreOrder::Bindings { peer, bindings });
        }
        for (path, value) in self.database.take_changes() {
            self.core.out.store.push(StoreOrder::Value { path, value });
        }
        std::mem::take(&mut self.core.out)
    }

    /// Everything that ought to be stored now, for a store that lost it or could not write for a while.
    pub fn everything(&self) -> Vec<StoreOrder> {
        let bindings = self
            .location
            .iter()
            .map(|(peer, bindings)| StoreOrder::Bindings { peer: peer.into(), bindings: bindings.to_vec() });
        let values = self.database.all().into_iter();
        bindings.chain(values.map(|(path, value)| StoreOrder::Value { path, value: Some(value) })).collect()
    }

    /// The key/value database. What is changed in it comes out with [`Switch::take_effects`].
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Takes back the registrations of a time before a restart, oldest first: of peers that are still configured to
    /// register and have not yet, at most as many as each may have. Watched peers are asked at random times within
    /// `qualifyfreq=`, or a thousand of them would be asked at once. Says how many came back.
    pub fn restore(&mut self, now: Now, stored: Vec<Restored>) -> usize {
        self.core.now = now;
        let mut by_peer: BTreeMap<String, Vec<Restored>> = BTreeMap::new();
        for stored in stored {
            by_peer.entry(stored.peer.clone()).or_default().push(stored);
        }
        let mut restored = 0;
        for (name, mut stored) in by_peer {
            let Some(peer) = self.settings.peers.get(&name).filter(|peer| matches!(peer.host, PeerAddress::Dynamic))
            else {
                self.drop_counted("stored registration of a peer that is no more");
                self.core.out.store.push(StoreOrder::Bindings { peer: name.into(), bindings: Vec::new() });
                continue;
            };
            if !self.location.bindings(&name).is_empty() {
                continue;
            }
            let most = usize::try_from(peer.max_contacts).unwrap_or(usize::MAX);
            for Restored { binding, left, .. } in stored.drain(stored.len().saturating_sub(most)..) {
                self.location.restore(&name, binding, left, now);
                restored += 1;
            }
            self.watch_later(&name);
        }
        self.arm_location();
        self.keep_all_alive();
        self.add_all_extensions();
        restored
    }

    /// A call ended, in what is known of its record; only the first end of a call counts.
    pub(super) fn note_end(&mut self, id: ChannelId, by: HangupBy, hangup_cause: u16) {
        let now = self.core.now.mono;
        self.note_media(id, None);
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.cdr.end(now, by, hangup_cause);
        }
    }

    /// Notes where both phones' sound went, and the codec, while the legs still know.
    pub(super) fn note_media(&mut self, caller: ChannelId, callee: Option<ChannelId>) {
        let address = |id| -> Option<SocketAddr> { self.leg_of_channel(id)?.remote.as_ref()?.rtp_addr() };
        let (caller_rtp, called_rtp) = (address(caller), callee.and_then(address));
        let agreed = self.leg_of_channel(caller).and_then(|leg| {
            let (local, remote) = (leg.local.as_ref()?, leg.remote.as_ref()?);
            if leg.made_offer() { payload::agreed(local, remote) } else { payload::agreed(remote, local) }
        });
        let Some(channel) = self.channels.get_mut(&caller) else { return };
        let cdr = &mut channel.cdr;
        cdr.caller_rtp = cdr.caller_rtp.or(caller_rtp);
        cdr.called_rtp = called_rtp.or(cdr.called_rtp);
        if let Some(agreed) = agreed.filter(|_| cdr.codec.is_empty()) {
            cdr.codec = agreed.codec.name().to_owned();
        }
    }

    /// A channel is forgotten: a caller's leaves its record.
    pub(super) fn write_record(&mut self, channel: &Channel) {
        let Some(entered) = &channel.entered else { return };
        let caller = match &channel.program {
            Some(program) => {
                let caller = program.caller();
                (caller.name, caller.number)
            }
            None => (channel.caller_name.clone(), channel.caller_number.clone()),
        };
        let facts = Facts {
            account: &channel.peer.account_code,
            caller,
            entered: (entered.context.clone(), entered.exten.clone()),
            channel: (&channel.name, &channel.unique_id),
            began: (channel.created, channel.created_wall),
            answered: channel.answered,
        };
        if let Some((level, why)) = channel.cdr.story() {
            let ended = if channel.answered.is_some() { "ended" } else { "failed" };
            let text = format!("Call from '{}' to '{}' {ended}: {why}", channel.peer.name, entered.exten);
            self.core.out.lines.push(Line { level, text });
        }
        let record = channel.cdr.clone().record(self.core.now.mono, facts);
        self.core.out.store.push(StoreOrder::Call(Box::new(record)));
    }

    /// A call that was refused before it had a channel: its line, in the words that log watchers know, and its record. A
    /// telephone that asks with each digit whether the number is complete leaves no records of that, and neither does somebody without an
    /// account (`allowguest=yes`): strangers fill no disk by asking.
    pub(super) fn rejected(
        &mut self,
        peer: &Peer,
        source: SocketAddr,
        exten: &str,
        caller: (String, String),
        reason: Failure,
    ) {
        let text =
            format!("Call from '{}' ({source}) to extension '{exten}' rejected because {}", peer.name, reason.text);
        self.core.out.lines.push(Line { level: reason.level(), text });
        if reason.why == FailureReason::Incomplete || peer.kind == Kind::Guest {
            return;
        }
        let (name, unique_id) = self.next_channel_name(peer);
        let now = self.core.now;
        let facts = Facts {
            account: &peer.account_code,
            caller,
            entered: (peer.settings.context.clone(), exten.to_owned()),
            channel: (&name, &unique_id),
            began: (now.mono, now.wall),
            answered: None,
        };
        let mut cdr = CdrBuilder::default();
        cdr.end(now.mono, HangupBy::Exchange, reason.cause);
        cdr.note([reason]);
        self.core.out.store.push(StoreOrder::Call(Box::new(cdr.record(now.mono, facts))));
    }
}
