//! What goes on in bridges: relay or direct media, and new offers forwarded from one party to the other. The media path
//! decides; here it is done.

use super::absorbing;
use super::bridge::{Bridge, Bridges};
use super::channel::BridgeId;
use super::description::raw_address;
use super::hold_music;
use super::media_path::{MediaPath, Role, Route, Step};
use super::pair::{Pair, joint_codec, may_exchange_media, may_send_to};
use super::parties::Parties;
use super::spied;
use super::transferred;
use crate::dialplan::ChannelId;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;
use crate::sdp::concern::Concern;
use crate::sdp::{Sdp, negotiate};
use std::time::Duration;

/// Works on bridges, with all channels at hand.
pub struct Bridging<'a> {
    /// All channels and legs.
    pub parties: &'a mut Parties,
    /// All bridges.
    pub bridges: &'a mut Bridges,
    /// The core.
    pub core: &'a mut Core,
}

impl Bridging<'_> {
    // ---- a bridge begins, changes and ends ----

    /// Joins two channels through the relay. `offered_version`: which version of its media the callee was offered.
    pub fn connect(&mut self, caller: ChannelId, callee: ChannelId, offered_version: u32) {
        transferred::arrived(self.parties, caller, self.core);
        let id = BridgeId(self.core.fresh_id());
        let path = self.parties.pair(caller, callee).map(|pair| pair.media_path(offered_version));
        let path = path.unwrap_or_else(|| MediaPath::new(false, offered_version));
        self.bridges.insert(Bridge::new(id, caller, callee, path));
        for party in [caller, callee] {
            if let Some(channel) = self.parties.channel_mut(party) {
                channel.bridge = Some(id);
            }
        }
        self.bridge_media(caller, callee);
        if let Some(pair) = self.parties.pair(caller, callee) {
            pair.tell_spared(self.core);
        }
        self.keep_alive(caller, callee, true);
        self.parties.release_unused_media(&[caller, callee], self.core);
        self.settle(id);
    }

    /// Joins two channels whose calls go on, and that are in no bridge: each is brought back to the relay, off hold, and
    /// into one codec; media goes direct afterwards, when both lines want it.
    pub(super) fn rejoin(&mut self, caller: ChannelId, callee: ChannelId) {
        let id = BridgeId(self.core.fresh_id());
        self.bridges.insert(Bridge::new(id, caller, callee, MediaPath::new(false, 0)));
        for party in [caller, callee] {
            if let Some(channel) = self.parties.channel_mut(party) {
                channel.bridge = Some(id);
            }
        }
        self.party_replaced(id);
    }

    /// The two that talk in a bridge are others than before, or one of them is another telephone now.
    pub(super) fn party_replaced(&mut self, id: BridgeId) {
        let Some((caller, callee)) = self.both(id, Role::Caller) else { return };
        for party in [caller, callee] {
            hold_music::end(self.parties, party, self.core);
            self.answer_offer_alone(party);
        }
        let direct = self.parties.pair(caller, callee).is_some_and(|pair| pair.may_go_direct());
        let version = self.parties.leg_of(caller).map_or(0, |leg| leg.agreement.remote_version());
        if let Some(path) = self.path(id) {
            *path = MediaPath::joined(direct, version);
        }
        self.bridge_media(caller, callee);
        if let Some(pair) = self.parties.pair(caller, callee) {
            pair.tell_spared(self.core);
        }
        self.keep_alive(caller, callee, true);
        self.parties.release_unused_media(&[caller, callee], self.core);
        self.settle(id);
    }

    /// Another channel comes into a bridge, unless it is in one. Where two talk already it is held.
    pub fn join(&mut self, id: BridgeId, joining: ChannelId) {
        let Some(bridge) = self.bridges.get_mut(id) else { return };
        let Some(channel) = self.parties.channel_mut(joining).filter(|channel| channel.bridge.is_none()) else {
            return;
        };
        channel.bridge = Some(id);
        if bridge.join(joining) {
            self.reconnect(id);
        }
    }

    /// A party of a bridge is held: it hears nothing, and nobody hears it.
    pub fn hold(&mut self, id: BridgeId, channel: ChannelId) {
        if !self.bridges.get_mut(id).is_some_and(|bridge| bridge.hold(channel)) {
            return;
        }
        if let Some(stream) = self.parties.channel(channel).and_then(|channel| channel.stream()) {
            // Whoever it was bridged with is idle, too.
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
        self.stand_alone(channel);
        self.reconnect(id);
    }

    /// A held party talks again, where there is room.
    pub fn resume(&mut self, id: BridgeId, channel: ChannelId) {
        if self.bridges.get_mut(id).is_some_and(|bridge| bridge.resume(channel)) {
            self.reconnect(id);
        }
    }

    /// Who talks has changed: two are joined through the relay, and offered each other's media; one alone comes back to
    /// the exchange.
    fn reconnect(&mut self, id: BridgeId) {
        let Some(bridge) = self.bridges.get(id) else { return };
        let (talking, parties, route) = (bridge.talking(), bridge.parties.clone(), bridge.path.route());
        let version = parties.first().and_then(|first| self.parties.leg_of(*first));
        let version = version.map_or(0, |leg| leg.agreement.remote_version());
        if let Some(path) = self.path(id) {
            *path = MediaPath::rejoined(route == Route::Direct, version);
        }
        match talking {
            Some((a, b)) => {
                // An offer that waits for the answer of somebody who left gets one all the same.
                for party in [a, b] {
                    self.answer_offer_alone(party);
                }
                self.bridge_media(a, b);
                self.keep_alive(a, b, true);
                self.settle(id);
            }
            None => parties.into_iter().for_each(|party| self.stand_alone(party)),
        }
    }

    /// A channel that talks to nobody for now: an offer of its own is answered, and its media comes back to the
    /// exchange.
    fn stand_alone(&mut self, channel: ChannelId) {
        self.answer_offer_alone(channel);
        self.reclaim_media(channel);
    }

    /// A channel leaves its bridge, which ends with it unless others still talk in it. Gives the channels that are left
    /// alone.
    pub fn leave(&mut self, channel: ChannelId) -> Vec<ChannelId> {
        let Some(id) = self.parties.channel_mut(channel).and_then(|channel| channel.bridge.take()) else {
            return Vec::new();
        };
        let Some(bridge) = self.bridges.get_mut(id) else { return Vec::new() };
        let (talked, route) = (bridge.talking(), bridge.path.route());
        bridge.leave(channel);
        if let Some((a, b)) = talked.filter(|(a, b)| *a == channel || *b == channel) {
            self.ended(a, b, route);
        }
        let left: Vec<ChannelId> = self.bridges.get(id).into_iter().flat_map(Bridge::members).collect();
        let is_over = left.len() < 2;
        for member in &left {
            if let Some(member) = self.parties.channel_mut(*member) {
                member.bridge = member.bridge.filter(|_| !is_over);
                member.called_by = member.called_by.filter(|caller| *caller != channel);
            }
        }
        if is_over {
            self.bridges.remove(id);
            return left;
        }
        self.reconnect(id);
        Vec::new()
    }

    fn ended(&mut self, a: ChannelId, b: ChannelId, route: Route) {
        self.parties.note_media(a, Some(b));
        [a, b].into_iter().for_each(|party| hold_music::end(self.parties, party, self.core));
        let names = (self.parties.name_of(a), self.parties.name_of(b));
        let answered = self.parties.channel(b).and_then(|channel| channel.answered);
        let after = answered.map_or(Duration::ZERO, |at| self.core.now.mono.since(at));
        self.core.emit(CallEvent::BridgeEnded { a: names.0, b: names.1, after, direct: route == Route::Direct });
    }

    /// Connects the streams of two channels through the relay.
    pub(super) fn bridge_media(&mut self, a: ChannelId, b: ChannelId) {
        if let Some(mut pair) = self.parties.pair(a, b) {
            pair.bridge_media(self.core);
        }
        spied::spare(self.parties, [a, b], self.core);
    }

    fn keep_alive(&mut self, a: ChannelId, b: ChannelId, is_relayed: bool) {
        if let Some(pair) = self.parties.pair(a, b) {
            pair.keep_alive(is_relayed, self.core);
        }
    }

    // ---- the media path ----

    fn bridge_of(&self, channel: ChannelId) -> Option<(BridgeId, Role)> {
        let id = self.parties.channel(channel)?.bridge?;
        Some((id, self.bridges.get(id)?.role(channel)?))
    }

    fn path(&mut self, id: BridgeId) -> Option<&mut MediaPath> {
        self.bridges.get_mut(id).map(|bridge| &mut bridge.path)
    }

    /// The channels of a bridge: that of a role, and the other.
    fn both(&self, id: BridgeId, role: Role) -> Option<(ChannelId, ChannelId)> {
        let bridge = self.bridges.get(id)?;
        Some((bridge.channel(role)?, bridge.channel(role.other())?))
    }

    fn is_idle(&self, channel: ChannelId) -> bool {
        self.parties.leg_of(channel).is_some_and(|leg| leg.is_idle())
    }

    /// What waits until neither leg has anything under way is begun. Direct media is for voice alone: a call that
    /// carries more stays on the relay until it does not any more.
    pub(super) fn settle(&mut self, id: BridgeId) {
        let Some((caller, callee)) = self.both(id, Role::Caller) else { return };
        if !self.is_idle(caller) || !self.is_idle(callee) {
            return;
        }
        let version = self.parties.leg_of(caller).map_or(0, |leg| leg.agreement.remote_version());
        let voice_alone = !self.parties.pair(caller, callee).is_some_and(|pair| pair.has_secondary_media());
        let step = self.path(id).map_or(Step::Rest, |path| path.settled(version, voice_alone));
        self.take_step(id, step);
    }

    /// The same for the bridge a channel is in.
    pub(super) fn settle_of(&mut self, channel: ChannelId) {
        if let Some(id) = self.parties.channel(channel).and_then(|channel| channel.bridge) {
            self.settle(id);
        }
    }

    fn take_step(&mut self, id: BridgeId, step: Step) {
        let Some((caller, callee)) = self.both(id, Role::Caller) else { return };
        match step {
            Step::Rest => {}
            Step::Direct(role) => self.redirect_media(id, role, Route::Direct),
            Step::Relay(role) => self.redirect_media(id, role, Route::Relay),
            Step::IsDirect => self.is_direct(caller, callee),
            Step::Chased(role) => {
                let (a, b) = (self.parties.name_of(caller), self.parties.name_of(callee));
                self.core.emit(CallEvent::MediaChased { a, b });
                self.redirect_media(id, role, Route::Relay);
            }
            Step::Updated => {
                self.bridge_media(caller, callee);
                let is_relayed = self.path(id).is_some_and(|path| path.route() == Route::Relay);
                self.keep_alive(caller, callee, is_relayed);
                self.parties.release_unused_media(&[caller, callee], self.core);
            }
            Step::Stays(by, status) => {
                let by = self.both(id, by).map_or(caller, |(by, _)| by);
                let [channel, a, b] = [by, caller, callee].map(|channel| self.parties.name_of(channel));
                self.core.emit(CallEvent::DirectMediaRefused { channel, status, a, b });
                self.bridge_media(caller, callee);
                self.keep_alive(caller, callee, true);
            }
            Step::Accept(role) => {
                self.accept_forwarded(id, role);
                self.note_offered_version(id);
            }
            Step::Refuse(role, status) => {
                let status = if status == 491 { 491 } else { 488 };
                // What the two agreed on may still hold: then the offer is answered by that.
                let absorbs = status != 491 && self.absorb_offer(id, role, Concern::Wish);
                if let Some((from, _)) = self.both(id, role).filter(|_| !absorbs) {
                    self.refuse_offer(from, status);
                }
                self.parties.release_unused_media(&[caller, callee], self.core);
            }
        }
    }

    fn is_direct(&mut self, a: ChannelId, b: ChannelId) {
        for id in [a, b] {
            if let Some(channel) = self.parties.channel_mut(id) {
                channel.was_direct = true;
            }
        }
        self.keep_alive(a, b, false);
        let (a, b) = (self.parties.name_of(a), self.parties.name_of(b));
        self.core.emit(CallEvent::MediaDirect { a, b });
    }

    fn refuse_offer(&mut self, channel: ChannelId, status: u16) {
        self.parties.with_party(channel, self.core, |party, cx| party.leg.refuse_offer(status, cx));
    }

    /// Offers a party another address for its media: the other party's own, or the relay's.
    fn redirect_media(&mut self, id: BridgeId, role: Role, route: Route) {
        let Some((to, other)) = self.both(id, role) else { return };
        if self.path(id).is_some_and(|path| path.is_joining()) {
            return bring_back(self, id, role, (to, other));
        }
        let Some(pair) = self.parties.pair(to, other) else { return };
        if route == Route::Direct && !may_send_to(&pair.a, &pair.b) {
            // It moved to where this line's directmedia list does not let it be met.
            let step = self.path(id).map_or(Step::Rest, |path| path.refused(role, 488));
            return self.take_step(id, step);
        }
        if self.send_offer_from_other(to, other, route) {
            if role == Role::Callee {
                self.note_offered_version(id);
            }
        } else {
            let step = self.path(id).map_or(Step::Rest, |path| path.refused(role, 491));
            self.take_step(id, step);
        }
    }

    /// Sends a party an offer made from what the other described, if its leg is free for one; says whether.
    fn send_offer_from_other(&mut self, to: ChannelId, other: ChannelId, route: Route) -> bool {
        let Some(Pair { a: mut party, b: other }) = self.parties.pair(to, other) else { return false };
        let rtp = match route {
            Route::Direct => other.remote_rtp(),
            Route::Relay => party.channel.rtp,
        };
        let Some(offer) = rtp.and_then(|rtp| party.describe(self.core).offer_from_other(other.seen(), rtp)) else {
            return false;
        };
        let is_idle = party.leg.is_idle();
        if is_idle {
            self.parties.with_party(to, self.core, |party, cx| party.leg.renegotiate(offer, cx));
        }
        is_idle
    }

    /// The callee is offered what the caller has said until now.
    fn note_offered_version(&mut self, id: BridgeId) {
        let Some((caller, _)) = self.both(id, Role::Caller) else { return };
        let version = self.parties.leg_of(caller).map_or(0, |leg| leg.agreement.remote_version());
        if let Some(path) = self.path(id) {
            path.offers(version);
        }
    }

    // ---- what happens on a leg ----

    /// A party accepted our new offer.
    pub(super) fn offer_accepted(&mut self, channel: ChannelId) {
        self.parties.with_party(channel, self.core, |party, cx| party.set_media_remote(cx.core));
        let Some((id, role)) = self.bridge_of(channel) else {
            self.parties.release_unused_media(&[channel], self.core);
            return self.reclaim_media(channel);
        };
        let moved = self.has_moved(id, role);
        let step = self.path(id).map_or(Step::Rest, |path| path.accepted(role, moved));
        self.take_step(id, step);
        self.settle(id);
    }

    /// Does a party have another RTP address than the one the other party was given?
    fn has_moved(&mut self, id: BridgeId, role: Role) -> bool {
        let pair = self.both(id, role).and_then(|(party, other)| self.parties.pair(party, other));
        pair.is_some_and(|pair| pair.a.remote_rtp() != pair.b.local_rtp())
    }

    /// A party refused our new offer.
    pub(super) fn offer_refused(&mut self, channel: ChannelId, status: u16) {
        let Some((id, role)) = self.bridge_of(channel) else { return };
        let step = self.path(id).map_or(Step::Rest, |path| path.refused(role, status));
        self.take_step(id, step);
        self.settle(id);
    }

    /// A party makes a new offer in mid-call. What waited for its leg to be idle may go on when it is refused at once.
    pub(super) fn offer_received(&mut self, channel: ChannelId, offer: Option<Sdp>) {
        self.take_offer(channel, offer);
        self.settle_of(channel);
    }

    fn take_offer(&mut self, channel: ChannelId, offer: Option<Sdp>) {
        let remote = self.parties.leg_of(channel).and_then(|leg| leg.agreement.remote.as_ref());
        // Without an offer it asks for ours, which is the latest local description (RFC 3261 14.2).
        if offer.is_none_or(|offer| remote.is_some_and(|remote| negotiate::same_media(remote, &offer))) {
            self.parties.with_party(channel, self.core, |party, cx| party.repeat_local_sdp(cx));
            return;
        }
        let other = self.bridge_of(channel).filter(|(id, role)| {
            let other = self.both(*id, *role).map(|(_, other)| other);
            // The dialplan at the other end has nothing to say to an offer.
            other.is_none_or(|other| self.parties.channel(other).is_none_or(|other| other.local().is_none()))
        });
        match other {
            Some((id, role)) => {
                if !self.absorb_offer(id, role, Concern::Nothing) {
                    self.forward_offer(id, role);
                }
            }
            None if absorbing::parts_codecs(self.parties, channel) => self.refuse_offer(channel, 488),
            None => self.answer_offer_alone(channel),
        }
    }

    /// Answers a party's new offer without the other, unless that is more concerned than `upto`; says whether it did.
    fn absorb_offer(&mut self, id: BridgeId, role: Role, upto: Concern) -> bool {
        let Some(both) = self.both(id, role) else { return false };
        let Some(bridge) = self.bridges.get_mut(id) else { return false };
        let absorbed = absorbing::absorb(self.parties, &mut bridge.path, role, both, upto, self.core);
        if let Some((caller, callee)) = self.both(id, Role::Caller).filter(|_| absorbed) {
            self.bridge_media(caller, callee);
        }
        absorbed
    }

    /// A peer gave its address with an ACK (our 2xx had made the offer).
    pub(super) fn peer_moved(&mut self, channel: ChannelId) {
        self.parties.with_party(channel, self.core, |party, cx| party.set_media_remote(cx.core));
        let Some((id, role)) = self.bridge_of(channel) else { return };
        if let Some((caller, callee)) = self.both(id, Role::Caller) {
            self.bridge_media(caller, callee);
        }
        // Ports that are being opened for an offer are not yet in any description.
        if self.path(id).is_some_and(|path| path.preparing().is_none()) {
            self.parties.release_unused_media(&[channel], self.core);
        }
        if self.has_moved(id, role) {
            let step = self.path(id).map_or(Step::Rest, |path| path.moved(role));
            self.take_step(id, step);
        }
    }

    /// The line to which a party's new offer was forwarded is gone: the offer is answered all the same (RFC 3261 14.2).
    pub(super) fn answer_offer_alone(&mut self, channel: ChannelId) {
        let Some(offer) = self.parties.leg_of(channel).and_then(|leg| leg.pending_offer()).cloned() else { return };
        let answered = self.parties.with_party(channel, self.core, |party, cx| party.answer_offer_alone(&offer, cx));
        if answered == Some(true) {
            self.parties.release_unused_media(&[channel], self.core);
        }
    }

    /// A channel that goes on alone sends to the exchange's own port again.
    pub(super) fn reclaim_media(&mut self, channel: ChannelId) {
        self.parties.with_party(channel, self.core, |party, cx| party.reclaim_media(cx));
    }

    // ---- an offer is forwarded ----

    /// Forwards a party's new offer to the other, as soon as there are ports for all of it.
    fn forward_offer(&mut self, id: BridgeId, role: Role) {
        let Some((from, to)) = self.both(id, role) else { return };
        if !self.path(id).is_some_and(|path| path.may_forward(role)) {
            return self.refuse_offer(from, 491);
        }
        if !self.is_idle(to) {
            return self.not_forwarded(id, from, 491);
        }
        self.forward_when_ready(id);
    }

    /// The bridge a channel is in may wait for its ports to forward an offer.
    pub(super) fn ports_settled(&mut self, channel: ChannelId) {
        let Some(id) = self.parties.channel(channel).and_then(|channel| channel.bridge) else { return };
        self.forward_when_ready(id);
        // Should it be refused after all, what waited for the legs to settle may go on.
        self.settle(id);
    }

    fn forward_when_ready(&mut self, id: BridgeId) {
        let Some(role) = self.path(id).and_then(|path| path.preparing()) else { return };
        let Some((from, to)) = self.both(id, role) else { return };
        let Some(offer) = self.parties.leg_of(from).and_then(|leg| leg.pending_offer()).cloned() else {
            return self.not_forwarded(id, from, 488);
        };
        let shared = self.parties.pair(from, to).map(|pair| pair.shared_media(&offer)).unwrap_or_default();
        if !self.parties.has_ports_for([from, to], &shared, self.core) {
            return;
        }
        if !self.is_idle(to) {
            return self.not_forwarded(id, from, 491);
        }
        let route = match self.path(id) {
            Some(path) if shared.is_empty() => path.route(),
            Some(_) | None => Route::Relay,
        };
        // Should this end in a fax, nobody could tell the codec any more.
        if let Some((caller, callee)) = self.both(id, Role::Caller) {
            self.parties.note_media(caller, Some(callee));
        }
        match self.make_forwarded(from, to, &offer, route) {
            Ok(made) => {
                if let Some(path) = self.path(id) {
                    path.forwards(role, route);
                }
                self.parties.with_party(to, self.core, |party, cx| party.leg.renegotiate(made, cx));
            }
            Err(reason) => {
                let lacking = self.parties.pair(from, to).and_then(|pair| pair.lacking(&offer));
                let (channel, reason) = (self.parties.name_of(from), lacking.unwrap_or(reason));
                self.core.emit(CallEvent::OfferRefused { channel, forwarded: true, reason });
                self.not_forwarded(id, from, 488);
            }
        }
    }

    fn not_forwarded(&mut self, id: BridgeId, from: ChannelId, status: u16) {
        if let Some(path) = self.path(id) {
            path.not_forwarded();
        }
        self.refuse_offer(from, status);
        if let Some((caller, callee)) = self.both(id, Role::Caller) {
            self.parties.release_unused_media(&[caller, callee], self.core);
        }
    }

    /// What the other party is offered of a party's new offer.
    fn make_forwarded(&mut self, from: ChannelId, to: ChannelId, offer: &Sdp, route: Route) -> Result<Sdp, String> {
        let Some(pair) = self.parties.pair(from, to) else { return Err("the other line is gone".to_owned()) };
        if route == Route::Relay && !pair.may_reach(offer) {
            return Err(
                "it wants its sound at an address of the other family (IPv4, IPv6) than the call's port".to_owned()
            );
        }
        let Pair { a: from, b: mut to } = pair;
        let rtp = match route {
            Route::Relay => to.channel.rtp,
            Route::Direct => Some(raw_address(offer)).filter(|_| may_exchange_media(&to, offer)),
        };
        let Some(rtp) = rtp else {
            return Err("the other line is gone, or its directmedia list refuses the address".to_owned());
        };
        to.describe(self.core).forwarded_offer(from.seen(), offer, rtp)
    }

    /// The other party accepted: its answer, with its address or ours, answers the offer that was forwarded.
    fn accept_forwarded(&mut self, id: BridgeId, role: Role) {
        let Some((from, to)) = self.both(id, role) else { return };
        let route = self.path(id).map_or(Route::Relay, |path| path.route());
        let Some(Pair { a: mut party, b: other }) = self.parties.pair(from, to) else { return };
        let Some(answer) = other.leg.agreement.remote.clone() else { return };
        let rtp = match route {
            Route::Relay => party.channel.rtp,
            Route::Direct => Some(raw_address(&answer)).filter(|_| may_exchange_media(&party, &answer)),
        };
        match rtp.and_then(|rtp| party.describe(self.core).forwarded_answer(other.seen(), rtp)) {
            Some(made) => {
                self.parties.with_party(from, self.core, |party, cx| party.leg.accept_offer(made, cx));
            }
            None => {
                self.refuse_offer(from, 488);
                self.revert(id, role.other());
            }
        }
        if let Some((caller, callee)) = self.both(id, Role::Caller) {
            self.bridge_media(caller, callee);
            self.parties.release_unused_media(&[caller, callee], self.core);
        }
    }

    /// A party's answer to what was forwarded was of no use (T.38 taken with port 0, say): it is offered again what
    /// holds.
    fn revert(&mut self, id: BridgeId, role: Role) {
        let Some((to, other)) = self.both(id, role) else { return };
        let Some(path) = self.path(id) else { return };
        path.revert(role);
        let route = path.route();
        if !self.send_offer_from_other(to, other, route)
            && let Some(path) = self.path(id)
        {
            path.not_forwarded();
        }
    }
}

/// Two that were joined: a party is brought back to the exchange's own port, off hold and into the codec of both, when
/// it is not there.
fn bring_back(bridging: &mut Bridging<'_>, id: BridgeId, role: Role, (to, other): (ChannelId, ChannelId)) {
    let first = if role == Role::Caller { (to, other) } else { (other, to) };
    let codec = bridging.parties.pair(first.0, first.1).and_then(|pair| joint_codec(&pair.a, &pair.b));
    let offer = bridging.parties.party(to).and_then(|mut party| party.describe(bridging.core).brought_back(codec));
    match offer {
        Some(offer) => {
            bridging.parties.with_party(to, bridging.core, |party, cx| party.leg.renegotiate(offer, cx));
        }
        None => {
            let step = bridging.path(id).map_or(Step::Rest, |path| path.accepted(role, false));
            bridging.take_step(id, step);
            bridging.settle(id);
        }
    }
}
