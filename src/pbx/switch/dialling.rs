//! `Dial`: lines are found, rung, and the first to answer is joined to the caller.

use super::Switch;
use crate::config::peer::{Host, Peer};
use crate::dialplan::{ChannelId, DialRequest, DialStatus, DialTarget, Reply};
use crate::pbx::alarm::Alarm;
use crate::pbx::bridge::Bridge;
use crate::pbx::cause;
use crate::pbx::channel::{ChannelState, Doing};
use crate::pbx::dial::{Branch, Dial};
use crate::pbx::leg::{self, Calling, Leg, LegId};
use crate::registrar::location::preferred;
use crate::registrar::qualify::Status;
use crate::sdp::{Sdp, negotiate, own, payload};
use crate::sip::Flow;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where a line is to be called: what its INVITE will say, kept until its ports are bound.
pub(super) struct Outgoing {
    target: String,
    to: String,
    route: Vec<Bytes>,
    watched: bool,
}

/// One place to send an INVITE to.
pub(super) struct Found {
    peer: Arc<Peer>,
    flow: Flow,
    behind_nat: bool,
    outgoing: Outgoing,
}

impl Found {
    /// The Request-URI.
    pub(super) fn target(&self) -> &str {
        &self.outgoing.target
    }
}

impl Switch {
    /// A program dials.
    pub(super) fn dial(&mut self, caller: ChannelId, request: DialRequest) {
        let mut dial = Dial::new(self.cx.now.mono, request.options);
        let ring_at_once = dial.options.ringing;
        let mut found: Vec<(String, Found)> = Vec::new();
        for target in &request.targets {
            let named = |peer: &Peer| found.iter().filter(|(_, place)| place.peer.name == peer.name).count();
            match self.locate(target).and_then(|places| self.within_limit(places, named)) {
                Ok(places) => found.extend(places.into_iter().map(|place| (target.to_string(), place))),
                Err((cause, why)) => {
                    let text = format!("Couldn't call {target}: {why}");
                    self.cx.out.notice(text);
                    dial.fail(cause, why);
                }
            }
        }
        dial.timer = request.timeout.map(|timeout| self.cx.alarms.set(self.cx.now.mono + timeout, Alarm::Dial(caller)));
        if let Some(channel) = self.channels.get_mut(&caller) {
            channel.doing = Doing::Dialling(Box::new(dial));
        }
        for (name, place) in found {
            self.open_branch(caller, &name, place);
        }
        if ring_at_once {
            self.with_leg(caller, |leg, cx| leg.ring(cx));
        }
        self.finish_if_all_failed(caller);
    }

    /// A line that may have no more calls is busy (chan_sip calls it unavailable; to a caller it is the same as a phone off the hook).
    fn within_limit(&self, places: Vec<Found>, named: impl Fn(&Peer) -> usize) -> Result<Vec<Found>, (u16, String)> {
        let peer = places.first().map(|place| &place.peer);
        match peer.and_then(|peer| Some((peer, self.limit_reached(peer, named(peer))?))) {
            Some((peer, limit)) => {
                let name = &peer.name;
                Err((cause::BUSY, format!("Call to peer '{name}' rejected due to usage limit of {limit}")))
            }
            None => Ok(places),
        }
    }

    /// The places a dial string names, or the cause and the plain reason why there is none.
    fn locate(&mut self, target: &DialTarget) -> Result<Vec<Found>, (u16, String)> {
        if !target.technology.eq_ignore_ascii_case("SIP") {
            let why = format!("there is no '{}' here, only SIP", target.technology);
            return Err((66, why));
        }
        let (name, exten) = target.line();
        let Some(peer) = self.settings.peers.get(name).cloned() else {
            return Err((cause::ABSENT, format!("no peer '{name}' in sip.conf")));
        };
        if !peer.is_callable() {
            return Err((cause::ABSENT, format!("'{name}' is type=user: it may call, not be called")));
        }
        let watched = self.check_reachable(&peer)?;
        let mut places = Vec::new();
        for binding in preferred(self.location.bindings(&peer.name)) {
            let target = match exten {
                Some(exten) => format!("sip:{}@{}", leg::escape_user(exten), binding.flow.remote),
                None => binding.contact.to_string(),
            };
            let behind_nat = leg::uri_address(&binding.contact) != Some(binding.flow.remote);
            let mut found = place(&peer, binding.flow, behind_nat, target, watched);
            found.outgoing.route.clone_from(&binding.path);
            places.push(found);
        }
        if places.is_empty() {
            let Some(address) = self.static_address(&peer) else {
                let why = match &peer.host {
                    Host::Named { name: host, .. } => format!("the name {host} of '{name}' leads to no address"),
                    Host::Dynamic | Host::Static(_) => format!("'{name}' is not registered"),
                };
                return Err((cause::ABSENT, why));
            };
            let user = exten.or(peer.default_user.as_deref()).unwrap_or(&peer.name);
            let flow = self.flow_to(&peer, address);
            let target = format!("sip:{}@{address}{}", leg::escape_user(user), leg::transport_param(flow.transport));
            places.push(place(&peer, flow, false, target, watched));
        }
        Ok(places)
    }

    /// LAGGED is called with a warning, UNREACHABLE not at all; says whether the peer is watched and alive.
    fn check_reachable(&mut self, peer: &Peer) -> Result<bool, (u16, String)> {
        let Some(status) = self.status_of(&peer.name) else { return Ok(false) };
        match status {
            Status::Unreachable => {
                let since = self.unreachable_for(&peer.name).as_secs();
                Err((cause::ABSENT, format!("'{}' has been UNREACHABLE for {since} s", peer.name)))
            }
            Status::Lagged(ms) => {
                let limit = peer.settings.qualify.unwrap_or_default().as_millis();
                let text = format!(
                    "'{}' is LAGGED ({ms} ms of {limit} ms allowed by qualify=); called all the same",
                    peer.name
                );
                self.cx.out.warning(text);
                Ok(true)
            }
            Status::Ok(_) => Ok(true),
            Status::Unknown | Status::Unmonitored => Ok(false),
        }
    }

    pub(super) fn static_address(&self, peer: &Peer) -> Option<SocketAddr> {
        match peer.host {
            Host::Static(_) | Host::Named { .. } => peer.host.address(self.settings.admission.names()),
            Host::Dynamic => peer.default_addr,
        }
    }

    /// The way to a peer's fixed address.
    pub(super) fn flow_to(&self, peer: &Peer, remote: SocketAddr) -> Flow {
        let transport = peer.settings.transport();
        let bound = self.settings.listening.of(transport);
        let seen = self.settings.local_towards.get(&remote.ip()).copied();
        let ip = seen.filter(|_| bound.ip().is_unspecified()).unwrap_or(bound.ip());
        let local = SocketAddr::new(ip, bound.port());
        let told = self.settings.admission.told(transport, local, remote.ip());
        Flow { transport, local, told, remote, connection: None }
    }

    pub(super) fn open_branch(&mut self, caller: ChannelId, name: &str, place: Found) {
        let id = ChannelId(self.fresh_id());
        let leg_id = LegId(self.fresh_id());
        let leg = Leg::outgoing(leg_id, id, place.peer.clone(), (place.flow, place.behind_nat), &mut self.cx);
        self.legs.insert(leg_id, leg);
        self.open_channel(id, leg_id, place.peer, Doing::Called(caller), ChannelState::Down);
        self.calling.insert(id, place.outgoing);
        let branch = self.name_of(id);
        let (caller_name, caller_number) = match self.channels.get_mut(&caller) {
            Some(channel) => {
                channel.ledger.called_channel = branch;
                if let Some(dial) = channel.dial_mut() {
                    dial.branches.push((id, Branch::Reserving));
                    dial.peer = (String::new(), name.strip_prefix("SIP/").unwrap_or(name).to_owned());
                }
                let shown = channel.program.as_ref().map(|program| program.caller());
                shown.map_or_else(Default::default, |id| (id.name, id.number))
            }
            None => Default::default(),
        };
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.caller_name = caller_name;
            channel.caller_number = caller_number;
        }
    }

    /// A called line's ports are bound: its INVITE can say where media shall go.
    pub(super) fn ports_for_branch(&mut self, id: ChannelId, rtp: SocketAddr) {
        let Some(outgoing) = self.calling.remove(&id) else { return };
        let Some(channel) = self.channels.get(&id) else { return };
        let Doing::Called(caller) = channel.doing else { return };
        let name = channel.peer.name.clone();
        let offer = match self.offer_for(caller, id, rtp) {
            Ok(offer) => offer,
            Err(why) => {
                self.cx.out.notice(format!("Couldn't call SIP/{name}: {why}"));
                return self.branch_failed(caller, id, cause::NOT_ACCEPTABLE, why);
            }
        };
        let Some(channel) = self.channels.get(&id) else { return };
        let known = Some(&channel.caller_number).filter(|number| !number.is_empty());
        let from_user = channel.peer.from_user.as_ref().or(known).unwrap_or(&self.settings.general.caller_id);
        let hops = self.leg_of_channel(caller).map_or(u8::MAX, |leg| leg.hops);
        let Some(leg) = self.legs.get_mut(&channel.leg) else { return };
        let calling = Calling {
            hops,
            target: outgoing.target,
            route: outgoing.route,
            to: outgoing.to,
            from_name: Some(&channel.caller_name),
            from_number: &channel.caller_number,
            from_user,
            from_domain: channel.peer.from_domain.clone().unwrap_or_else(|| leg::host(leg.flow.told.ip())),
            watched: outgoing.watched,
        };
        leg.invite(&calling, offer, &mut self.cx);
        self.mark_branch(caller, id, Branch::Calling);
        self.cx.out.verbose(3, format!("Called SIP/{name}"));
    }

    /// The offer a called line gets: the caller's, as far as both lines allow it, with our address.
    fn offer_for(&mut self, caller: ChannelId, callee: ChannelId, rtp: SocketAddr) -> Result<Sdp, String> {
        let allow = self.common_codecs(caller, callee);
        let general = self.settings.general.clone();
        let face = match self.channels.get(&callee).and_then(|channel| self.legs.get_mut(&channel.leg)) {
            Some(leg) => leg.next_face(rtp, &general),
            None => return Err("the leg is gone".to_owned()),
        };
        let Some(leg) = self.leg_of_channel(caller) else { return Err("the caller is gone".to_owned()) };
        let made = match (&leg.remote, &leg.local) {
            // Something was agreed already (a prompt was played): the callee may only have that.
            (Some(remote), Some(local)) => {
                let agreed =
                    if leg.made_offer() { payload::agreed(local, remote) } else { payload::agreed(remote, local) };
                match agreed {
                    Some(agreed) => negotiate::offer_of_agreed(remote, &agreed, &allow, &face),
                    None => negotiate::offer_from(remote, &allow, &face),
                }
            }
            (Some(offer), None) => negotiate::offer_from(offer, &allow, &face),
            (None, _) => own::own_offer(&allow, &face),
        };
        made.map_err(|none| none.to_string())
    }

    pub(super) fn mark_branch(&mut self, caller: ChannelId, id: ChannelId, state: Branch) {
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) {
            dial.mark(id, state);
        }
    }

    /// One line cannot be had: take it off, and finish when it was the last.
    pub(super) fn branch_failed(&mut self, caller: ChannelId, id: ChannelId, cause: u16, why: String) {
        self.hang_up_leg(id, cause::NORMAL);
        self.forget_channel(id);
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut())
            && dial.drop_branch(id)
        {
            dial.fail(cause, why);
            self.finish_if_all_failed(caller);
        }
    }

    fn finish_if_all_failed(&mut self, caller: ChannelId) {
        let Some(dial) = self.channels.get(&caller).and_then(|channel| channel.dial()) else { return };
        if !dial.branches.is_empty() || dial.bridge.is_some() {
            return;
        }
        let text = dial.summary();
        let status = dial.failure();
        self.cx.out.verbose(2, text);
        self.end_dial(caller, status, None);
    }

    /// The time is up.
    pub(super) fn rung_long_enough(&mut self, caller: ChannelId) {
        let now = self.cx.now.mono;
        let Some(dial) = self.channels.get(&caller).and_then(|channel| channel.dial()) else { return };
        if dial.bridge.is_some() {
            return;
        }
        let rung = now.since(dial.started).as_millis();
        self.cx.out.verbose(3, format!("Nobody picked up in {rung} ms"));
        self.end_dial(caller, DialStatus::NoAnswer, Some(cause::NO_ANSWER));
    }

    /// A Dial that was never answered is over: every line still rung is given up, and the program told.
    fn end_dial(&mut self, caller: ChannelId, status: DialStatus, hangup_cause: Option<u16>) {
        self.give_up_branches(caller, None);
        let now = self.cx.now.mono;
        let Some(channel) = self.channels.get_mut(&caller) else { return };
        let Some(dial) = channel.dial_mut() else { return };
        let timer = dial.timer.take();
        let report = dial.report(now, status, hangup_cause, false);
        channel.ledger.unanswered = Some((status, report.reason.clone()));
        if let Some(timer) = timer {
            self.cx.alarms.cancel(timer);
        }
        self.answer_program(caller, Reply::Dialled(report));
    }

    /// Gives up every line still rung but one.
    pub(super) fn give_up_branches(&mut self, caller: ChannelId, but: Option<ChannelId>) {
        let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) else { return };
        let others: Vec<ChannelId> = dial.branches.iter().map(|(id, _)| *id).filter(|id| Some(*id) != but).collect();
        dial.branches.clear();
        for id in others {
            self.hang_up_leg(id, cause::NORMAL);
            self.forget_channel(id);
        }
    }

    /// A line answered: the caller gets its answer, the others are given up, both are joined.
    pub(super) fn line_answered(&mut self, caller: ChannelId, callee: ChannelId, answer: Option<Sdp>) {
        let Some(answer) = answer else {
            let why = "it answered without a media description".to_owned();
            self.cx.out.notice(format!("{}: {why}", self.name_of(callee)));
            return self.branch_failed(caller, callee, cause::NOT_ACCEPTABLE, why);
        };
        let text = format!("{} answered {}", self.name_of(callee), self.name_of(caller));
        self.cx.out.verbose(3, text);
        let now = self.cx.now.mono;
        if let Some(channel) = self.channels.get_mut(&callee) {
            channel.state = ChannelState::Up;
            channel.answered = Some(now);
        }
        if self.leg_of_channel(caller).is_some_and(|leg| leg.is_unanswered_caller()) {
            match self.answer_for(caller, &answer) {
                Ok(description) => self.answer_leg(caller, description),
                Err(why) => {
                    self.cx.out.notice(format!("{}: {why}", self.name_of(callee)));
                    return self.branch_failed(caller, callee, cause::NOT_ACCEPTABLE, why);
                }
            }
        }
        self.give_up_branches(caller, Some(callee));
        let direct = self.may_go_direct(caller, callee);
        let callee_name = self.name_of(callee);
        if let Some(channel) = self.channels.get_mut(&caller) {
            channel.ledger.called_channel.clone_from(&callee_name);
        }
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) {
            dial.answered = Some(now);
            dial.bridge = Some(Bridge::new(caller, callee, direct));
            dial.peer.0 = callee_name;
            if let Some(timer) = dial.timer.take() {
                self.cx.alarms.cancel(timer);
            }
        }
        self.join(caller, callee);
        self.try_direct(caller);
    }

    /// What a caller is told of a called line's description: its own payload numbers, our address. What it was told before stands.
    pub(super) fn answer_for(&mut self, caller: ChannelId, answer: &Sdp) -> Result<Sdp, String> {
        let Some(channel) = self.channels.get(&caller) else { return Err("the caller is gone".to_owned()) };
        let Some(rtp) = channel.rtp else { return Err(format!("{}: no RTP port", channel.name)) };
        let general = &self.settings.general;
        let Some(leg) = self.legs.get_mut(&channel.leg) else { return Err("the caller is gone".to_owned()) };
        if let Some(told) = &leg.local {
            return Ok(told.clone());
        }
        let face = leg.next_face(rtp, general);
        let allow = &channel.peer.settings.codecs;
        let made = match &leg.remote {
            Some(offer) => negotiate::answer_from(offer, answer, allow, &face),
            // The INVITE had no offer: ours is what the called line agreed to.
            None => negotiate::offer_from(answer, allow, &face),
        };
        made.map_err(|none| none.to_string())
    }
}

pub(super) fn place(peer: &Arc<Peer>, flow: Flow, behind_nat: bool, target: String, watched: bool) -> Found {
    let to = target.split(';').next().unwrap_or(&target).to_owned();
    Found { peer: peer.clone(), flow, behind_nat, outgoing: Outgoing { target, to, route: Vec::new(), watched } }
}
