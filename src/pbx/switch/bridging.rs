//! Two answered lines joined: relay or direct media, and new offers carried from one to the other.

use super::Switch;
use crate::config::peer::DirectMedia;
use crate::dialplan::ChannelId;
use crate::pbx::bridge::{Bridge, Route, Side, Step};
use crate::pbx::channel::Channel;
use crate::pbx::failure::FailureReason;
use crate::pbx::leg::{Cx, Leg};
use crate::pbx::media::{MediaCommand, PayloadMap};
use crate::sdp::{LocalMedia, Sdp, local_offer, negotiate, payload};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

impl Switch {
    /// Connects two channels' streams through the relay: where each peer is, and the payload numbers of each.
    pub(super) fn join(&mut self, caller: ChannelId, callee: ChannelId) {
        self.tell_remote(caller);
        self.tell_remote(callee);
        let (Some(a), Some(b)) = (self.channels.get(&caller), self.channels.get(&callee)) else { return };
        let command =
            MediaCommand::Bridge { a: a.stream, b: b.stream, a_to_b: self.payloads(a, b), b_to_a: self.payloads(b, a) };
        self.core.out.media.push(command);
        self.join_extras(caller, callee);
    }

    fn payloads(&self, from: &Channel, to: &Channel) -> PayloadMap {
        let told = self.legs.get(&from.leg).and_then(|leg| leg.local.as_ref());
        let wanted = self.legs.get(&to.leg).and_then(|leg| leg.remote.as_ref());
        match (told, wanted) {
            (Some(told), Some(wanted)) => PayloadMap(payload::payload_map(told, wanted)),
            _ => PayloadMap::identity(),
        }
    }

    /// Two channels are parted; the story says so.
    pub(super) fn part(&mut self, caller: ChannelId, callee: ChannelId, route: Route) {
        self.note_media(caller, Some(callee));
        let (a, b) = (self.name_of(caller), self.name_of(callee));
        let seconds = self
            .channels
            .get(&callee)
            .and_then(|channel| channel.answered)
            .map_or(0, |at| self.core.now.mono.since(at).as_secs());
        self.core.out.verbose(3, format!("{a} and {b} parted after {seconds} s"));
        if route == Route::Direct {
            let text = "Their media went directly between them: the exchange saw none of it (directmedia=no shows its quality)";
            self.core.out.verbose(3, text);
        }
    }

    /// Do both lines want direct media, and does each have an address the other can be told?
    pub(super) fn may_go_direct(&self, caller: ChannelId, callee: ChannelId) -> bool {
        let address = |id| {
            let channel: &Channel = self.channels.get(&id)?;
            let leg = self.legs.get(&channel.leg)?;
            let wanted = match channel.peer.settings.direct_media {
                DirectMedia::Relay => false,
                DirectMedia::Direct { nonat } => !(nonat && leg.is_behind_nat()),
            };
            // A caller whose INVITE had no offer gives its address only with its ACK.
            let known = leg.remote.as_ref().is_none_or(|remote| remote.rtp_addr().is_some());
            (wanted && known).then(|| leg.flow.remote.is_ipv4())
        };
        matches!((address(caller), address(callee)), (Some(a), Some(b)) if a == b)
            && self.may_be_told_of(caller, callee)
            && self.may_be_told_of(callee, caller)
    }

    /// Does `directmediapermit`/`directmediadeny`/`directmediaacl` let a line exchange media with where the other is?
    fn may_be_told_of(&self, id: ChannelId, other: ChannelId) -> bool {
        self.leg_of_channel(other).and_then(|leg| leg.remote.as_ref()).is_none_or(|remote| self.may_meet(id, remote))
    }

    fn may_meet(&self, id: ChannelId, described: &Sdp) -> bool {
        // On hold it is nowhere, and nothing is sent there.
        let Some((channel, at)) = self.channels.get(&id).zip(described.rtp_addr()) else { return true };
        channel.peer.direct_media_acl.allows(at.ip())
    }

    fn bridge(&mut self, caller: ChannelId) -> Option<&mut Bridge> {
        self.channels.get_mut(&caller)?.dial_mut()?.bridge.as_mut()
    }

    /// Direct media begins once both legs have nothing else under way. It is for voice alone: a call that carries more stays
    /// on the relay until it does not any more.
    pub(super) fn try_direct(&mut self, caller: ChannelId) {
        let Some(bridge) = self.bridge(caller) else { return };
        let callee = bridge.callee;
        let idle = |id| self.leg_of_channel(id).is_some_and(|leg| leg.is_idle());
        if idle(caller) && idle(callee) {
            let heard = self.leg_of_channel(caller).map_or(0, Leg::heard);
            let voice_alone = !self.have_extras(caller, callee);
            let step = match self.bridge(caller) {
                Some(bridge) => bridge.settled(heard, voice_alone),
                None => Step::Rest,
            };
            self.step(caller, step);
        }
    }

    fn step(&mut self, caller: ChannelId, step: Step) {
        let Some(bridge) = self.bridge(caller) else { return };
        let (bridge, callee) = (bridge.clone(), bridge.callee);
        let (a, b) = (self.name_of(caller), self.name_of(callee));
        match step {
            Step::Rest => {}
            Step::Direct(side) => self.redirect_media(caller, &bridge, side, Route::Direct),
            Step::Relay(side) => self.redirect_media(caller, &bridge, side, Route::Relay),
            Step::IsDirect => {
                for id in [caller, callee] {
                    if let Some(channel) = self.channels.get_mut(&id) {
                        channel.was_direct = true;
                    }
                }
                self.core
                    .out
                    .verbose(3, format!("Remotely bridged '{a}' and '{b}' - media will flow directly between them"));
            }
            Step::Chased(side) => {
                let text =
                    format!("{a} and {b} answer every new offer from another port: their media stays on the relay");
                self.core.out.verbose(3, text);
                self.redirect_media(caller, &bridge, side, Route::Relay);
            }
            Step::Told => {
                self.join(caller, callee);
                self.sweep_extras(&[caller, callee]);
            }
            Step::Stays(by, status) => {
                let name = self.name_of(bridge.channel(by));
                let reason = FailureReason::DirectRefused.with(&[&name, &status.to_string(), &a, &b]);
                self.core.out.verbose(3, reason.text);
                self.join(caller, callee);
            }
            Step::Accept(side) => {
                self.accept_carried(&bridge, side);
                self.tells(caller);
            }
            Step::Refuse(side, status) => {
                let status = if status == 491 { 491 } else { 488 };
                self.with_leg(bridge.channel(side), |leg, cx| leg.refuse_reoffer(status, cx));
                self.sweep_extras(&[caller, callee]);
            }
        }
    }

    /// Tells a side where its media shall go from now on: the other's own address, or the relay's.
    fn redirect_media(&mut self, caller: ChannelId, bridge: &Bridge, side: Side, route: Route) {
        let (id, other) = (bridge.channel(side), bridge.channel(side.other()));
        if route == Route::Direct && !self.may_be_told_of(id, other) {
            // It moved to where this line's directmedia list does not let it be met.
            let step = self.bridge(caller).map_or(Step::Rest, |bridge| bridge.refused(side, 488));
            return self.step(caller, step);
        }
        let source = self.leg_of_channel(other).and_then(|leg| leg.remote.clone());
        let offer = source.and_then(|source| {
            let rtp = match route {
                Route::Direct => source.rtp_addr()?,
                Route::Relay => self.channels.get(&id)?.rtp?,
            };
            self.description_for(id, other, &source, rtp)
        });
        let sent = match offer {
            Some(offer) if self.leg_of_channel(id).is_some_and(|leg| leg.is_idle()) => {
                self.with_leg(id, |leg, cx| leg.reoffer(offer, cx));
                if side == Side::Callee {
                    self.tells(caller);
                }
                true
            }
            Some(_) | None => false,
        };
        if !sent {
            let step = self.bridge(caller).map_or(Step::Rest, |bridge| bridge.refused(side, 491));
            self.step(caller, step);
        }
    }

    /// The callee is told what the caller has said until now.
    fn tells(&mut self, caller: ChannelId) {
        let heard = self.leg_of_channel(caller).map_or(0, Leg::heard);
        if let Some(bridge) = self.bridge(caller) {
            bridge.tells(heard);
        }
    }

    /// An offer for `id` made from what `other` described, as far as `id` may have it, with media at `rtp`.
    fn description_for(&mut self, id: ChannelId, other: ChannelId, source: &Sdp, rtp: SocketAddr) -> Option<Sdp> {
        let allow = self.common_codecs(id, other);
        let extras = self.extras_between(id, other);
        let channel = self.channels.get(&id)?;
        let leg = self.legs.get_mut(&channel.leg)?;
        let face = LocalMedia { secondary: extras, ..leg.next_local_media(rtp, &self.settings.general) };
        // One codec for both: what the two agreed to when the call was answered.
        let agreed = leg.agreed();
        let before = leg.local.as_ref()?;
        // What goes with a codec (telephone events, NSE) stays, so that two ATAs can go on telling each other of modems.
        let one = agreed.map_or_else(|| allow.clone(), |agreed| allow.only(agreed.codec));
        let made = negotiate::reoffer_from(source, &one, &face, before);
        // The other may have left that codec since.
        made.or_else(|_| negotiate::reoffer_from(source, &allow, &face, before)).ok()
    }

    /// A leg accepted our new offer.
    pub(super) fn reoffer_accepted(&mut self, caller: ChannelId, id: ChannelId) {
        self.tell_remote(id);
        let Some(bridge) = self.bridge(caller) else {
            self.sweep_extras(&[caller]);
            return self.come_back(caller);
        };
        let Some(side) = bridge.side(id) else { return };
        let other = bridge.channel(side.other());
        let now_at = self.leg_of_channel(id).and_then(|leg| leg.remote.as_ref()).and_then(Sdp::rtp_addr);
        let told = self.leg_of_channel(other).and_then(|leg| leg.local.as_ref()).and_then(Sdp::rtp_addr);
        let step = self.bridge(caller).map_or(Step::Rest, |bridge| bridge.accepted(side, now_at != told));
        self.step(caller, step);
        self.try_direct(caller);
    }

    /// A leg refused our new offer.
    pub(super) fn reoffer_refused(&mut self, caller: ChannelId, id: ChannelId, status: u16) {
        let Some(bridge) = self.bridge(caller) else { return };
        let Some(side) = bridge.side(id) else { return };
        let step = bridge.refused(side, status);
        self.step(caller, step);
        self.try_direct(caller);
    }

    /// A peer makes a new offer in mid-call. What waited for its leg to be idle may go on when it is refused at once.
    pub(super) fn reoffered(&mut self, caller: ChannelId, id: ChannelId, offer: Option<Sdp>) {
        self.take_offer(caller, id, offer);
        self.try_direct(caller);
    }

    fn take_offer(&mut self, caller: ChannelId, id: ChannelId, offer: Option<Sdp>) {
        let Some(offer) = offer else {
            // RFC 3261 14.2: it asks for ours, which is what it was told last.
            return match self.retell(id) {
                Some(ours) => self.with_leg(id, |leg, cx| leg.accept_reoffer(ours, cx)),
                None => self.with_leg(id, |leg, cx| leg.refuse_reoffer(488, cx)),
            };
        };
        let unchanged = self
            .leg_of_channel(id)
            .and_then(|leg| leg.remote.as_ref())
            .is_some_and(|remote| negotiate::same_media(remote, &offer));
        let side = self.bridge(caller).and_then(|bridge| bridge.side(id));
        match side {
            _ if unchanged => match self.retell(id) {
                Some(ours) => self.with_leg(id, |leg, cx| leg.accept_reoffer(ours, cx)),
                None => self.with_leg(id, |leg, cx| leg.refuse_reoffer(488, cx)),
            },
            Some(side) => self.carry(caller, side),
            None => match self.answer_alone(id, &offer) {
                Ok(answer) => {
                    self.with_leg(id, |leg, cx| leg.accept_reoffer(answer, cx));
                    self.tell_remote(id);
                    self.sweep_extras(&[id]);
                }
                Err(why) => {
                    let text = format!("{}: its new offer is refused: {why}", self.name_of(id));
                    self.core.out.notice(text);
                    self.with_leg(id, |leg, cx| leg.refuse_reoffer(488, cx));
                }
            },
        }
    }

    /// Carries a side's new offer to the other, as soon as there are ports for all of it.
    fn carry(&mut self, caller: ChannelId, side: Side) {
        let Some(bridge) = self.bridge(caller) else { return };
        let (id, other) = (bridge.channel(side), bridge.channel(side.other()));
        if !bridge.offered(side) {
            return self.with_leg(id, |leg, cx| leg.refuse_reoffer(491, cx));
        }
        if !self.leg_of_channel(other).is_some_and(|leg| leg.is_idle()) {
            return self.not_carried(caller, id, 491);
        }
        self.carry_on(caller);
    }

    fn not_carried(&mut self, caller: ChannelId, id: ChannelId, status: u16) {
        if let Some(bridge) = self.bridge(caller) {
            bridge.not_carried();
        }
        self.with_leg(id, |leg, cx| leg.refuse_reoffer(status, cx));
        let callee = self.bridge(caller).map_or(caller, |bridge| bridge.callee);
        self.sweep_extras(&[caller, callee]);
    }

    /// The same, once it is known for all of it where it goes.
    pub(super) fn carry_on(&mut self, caller: ChannelId) {
        let Some((bridge, side)) = self.bridge(caller).and_then(|bridge| Some((bridge.clone(), bridge.preparing()?)))
        else {
            return;
        };
        let (id, other) = (bridge.channel(side), bridge.channel(side.other()));
        let Some(offer) = self.leg_of_channel(id).and_then(|leg| leg.pending_offer()).cloned() else {
            return self.not_carried(caller, id, 488);
        };
        let shared = self.shared_extras((id, other), &offer);
        if !self.are_settled((id, other), &shared) {
            return;
        }
        if !self.leg_of_channel(other).is_some_and(|leg| leg.is_idle()) {
            return self.not_carried(caller, id, 491);
        }
        let route = if shared.is_empty() { bridge.route } else { Route::Relay };
        // Should this end in a fax, nobody could tell the codec any more.
        self.note_media(caller, Some(bridge.callee));
        match self.offer_carried(id, other, &offer, route) {
            Ok(made) => {
                if let Some(bridge) = self.bridge(caller) {
                    bridge.carried(side, route);
                }
                self.with_leg(other, |leg, cx| leg.reoffer(made, cx));
            }
            Err(why) => {
                let why = self.lacking([id, other], &offer).unwrap_or(why);
                let text = format!("{}: its new offer is refused, the call goes on as it was: {why}", self.name_of(id));
                self.core.out.notice(text);
                self.not_carried(caller, id, 488);
            }
        }
    }

    /// What the other side is offered of a side's new offer.
    fn offer_carried(&mut self, id: ChannelId, other: ChannelId, offer: &Sdp, route: Route) -> Result<Sdp, String> {
        let rtp = match route {
            Route::Relay => self.channels.get(&other).and_then(|channel| channel.rtp),
            Route::Direct => Some(raw_address(offer)).filter(|_| self.may_meet(other, offer)),
        };
        let allow = self.common_codecs(id, other);
        let extras = self.extras_between(other, id);
        let leg = self.channels.get(&other).and_then(|channel| self.legs.get_mut(&channel.leg));
        let (Some(leg), Some(rtp)) = (leg, rtp) else {
            return Err("the other line is gone, or its directmedia list refuses the address".to_owned());
        };
        let face = LocalMedia { secondary: extras, ..leg.next_local_media(rtp, &self.settings.general) };
        let made = match &leg.local {
            Some(before) => negotiate::reoffer_from(offer, &allow, &face, before),
            None => negotiate::offer_from(offer, &allow, &face),
        };
        made.map_err(|none| none.to_string())
    }

    /// The other side accepted: its answer, with its address or ours, answers the offer that was carried.
    fn accept_carried(&mut self, bridge: &Bridge, side: Side) {
        let (id, other) = (bridge.channel(side), bridge.channel(side.other()));
        let answer = self.leg_of_channel(other).and_then(|leg| leg.remote.clone());
        let extras = self.extras_between(id, other);
        let Some((answer, channel)) = answer.zip(self.channels.get(&id)) else { return };
        let rtp = match bridge.route {
            Route::Relay => channel.rtp,
            Route::Direct => Some(raw_address(&answer)).filter(|_| self.may_meet(id, &answer)),
        };
        let general = &self.settings.general;
        let made = match (self.legs.get_mut(&channel.leg), rtp) {
            (Some(leg), Some(rtp)) => {
                let face = LocalMedia { secondary: extras, ..leg.next_local_media(rtp, general) };
                let offer = leg.pending_offer().cloned();
                offer.and_then(|offer| {
                    negotiate::answer_from(&offer, &answer, &channel.peer.settings.codecs, &face).ok()
                })
            }
            _ => None,
        };
        match made {
            Some(made) => self.with_leg(id, |leg, cx| leg.accept_reoffer(made, cx)),
            None => {
                self.with_leg(id, |leg, cx| leg.refuse_reoffer(488, cx));
                self.lead_back(bridge, side.other());
            }
        }
        self.join(bridge.caller, bridge.callee);
        self.sweep_extras(&[bridge.caller, bridge.callee]);
    }

    /// A side's answer to what was carried was of no use (T.38 taken with port 0, say): it is told again what holds.
    fn lead_back(&mut self, bridge: &Bridge, side: Side) {
        let (id, other) = (bridge.channel(side), bridge.channel(side.other()));
        let Some(bridge) = self.bridge(bridge.caller) else { return };
        bridge.restore(side);
        let (caller, route) = (bridge.caller, bridge.route);
        let offer = self.leg_of_channel(other).and_then(|leg| leg.remote.clone()).and_then(|source| {
            let at = match route {
                Route::Direct => source.rtp_addr()?,
                Route::Relay => self.channels.get(&id)?.rtp?,
            };
            self.description_for(id, other, &source, at)
        });
        match offer {
            Some(offer) if self.leg_of_channel(id).is_some_and(|leg| leg.is_idle()) => {
                self.with_leg(id, |leg, cx| leg.reoffer(offer, cx));
            }
            Some(_) | None => {
                if let Some(bridge) = self.bridge(caller) {
                    bridge.not_carried();
                }
            }
        }
    }

    /// A peer gave its address with an ACK (our 2xx had made the offer).
    pub(super) fn peer_moved(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else { return };
        let caller = channel.called_by().unwrap_or(id);
        self.tell_remote(id);
        let Some(bridge) = self.bridge(caller) else { return };
        let Some(side) = bridge.side(id) else { return };
        let (bridge, callee) = (bridge.clone(), bridge.callee);
        let other = bridge.channel(side.other());
        self.join(caller, callee);
        // Ports that are being opened for an offer are not yet in any description.
        if bridge.preparing().is_none() {
            self.sweep_extras(&[id]);
        }
        let now_at = self.leg_of_channel(id).and_then(|leg| leg.remote.as_ref()).and_then(Sdp::rtp_addr);
        let told = self.leg_of_channel(other).and_then(|leg| leg.local.as_ref()).and_then(Sdp::rtp_addr);
        if now_at != told {
            let step = self.bridge(caller).map_or(Step::Rest, |bridge| bridge.moved(side));
            self.step(caller, step);
        }
    }

    /// The line to which a caller's new offer was carried is gone: the offer is answered all the same (RFC 3261 14.2).
    pub(super) fn answer_carried_alone(&mut self, caller: ChannelId) {
        if let Some(offer) = self.leg_of_channel(caller).and_then(Leg::pending_offer).cloned() {
            self.reoffered(caller, caller, Some(offer));
        }
    }

    /// A caller that goes on alone is led back to the exchange's own port, and nobody holds it any more: now, or as soon as nothing else is
    /// under way on its leg.
    pub(super) fn come_back(&mut self, caller: ChannelId) {
        let Some(channel) = self.channels.get(&caller) else { return };
        let Some(rtp) = channel.rtp else { return };
        let Some(leg) = self.legs.get_mut(&channel.leg) else { return };
        let is_astray = |told: &Sdp| {
            let voice = told.audio().is_some() && (told.rtp_addr() != Some(rtp) || told.is_hold());
            voice || told.secondary_media().next().is_some()
        };
        let Some(told) = leg.local.clone().filter(is_astray) else { return };
        let face = leg.next_local_media(rtp, &self.settings.general);
        let offer = match told.audio() {
            Some(_) => negotiate::reopen(&told, &face),
            // It was in a fax: nobody but a telephone could go on with that.
            None => match local_offer::own_offer(&channel.peer.settings.codecs, &face) {
                Ok(voice) => negotiate::align_media(voice, &told),
                Err(_) => return,
            },
        };
        leg.reoffer(offer, &mut Cx { core: &mut self.core, index: &mut self.index });
    }
}

/// The address a description names, `0.0.0.0` (hold) included.
fn raw_address(description: &Sdp) -> SocketAddr {
    let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    match description.audio() {
        Some(audio) => {
            let ip = audio.connection.unwrap_or(unspecified);
            SocketAddr::new(ip, audio.port)
        }
        None => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}
