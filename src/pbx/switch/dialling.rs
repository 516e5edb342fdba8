//! `Dial`: lines are found, rung, and the first to answer is joined to the caller.

use super::{MOST_CHANNELS, Switch};
use crate::config::peer::{Peer, PeerAddress};
use crate::config::presentation::Presentation;
use crate::config::suggest::nearest;
use crate::datetime;
use crate::dialplan::{AppReply, ChannelId, DialRequest, DialStatus, DialTarget};
use crate::pbx::bridge::Bridge;
use crate::pbx::call_timer::CallTimer;
use crate::pbx::cause;
use crate::pbx::channel::{Channel, ChannelState, Doing};
use crate::pbx::dial::{Branch, Dial};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::leg::{self, Calling, Cx, Leg, LegId};
use crate::pbx::media::MediaCommand;
use crate::registrar::location::preferred;
use crate::registrar::next_hop::target_uri;
use crate::registrar::qualify::Status;
use crate::sdp::negotiate::NoCommonCodec;
use crate::sdp::{LocalMedia, Sdp, local_offer, negotiate, payload};
use crate::sip::flow::Transport;
use crate::sip::{Flow, Uri};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where a line is to be called: what its INVITE will say, kept until its ports are bound.
pub(super) struct Outgoing {
    target: String,
    to: String,
    route: Vec<Bytes>,
    watched: bool,
    presentation: Presentation,
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
        let mut dial = Dial::new(self.core.now.mono, request.options);
        dial.heard = self.leg_of_channel(caller).map_or(0, Leg::heard);
        let ring_at_once = dial.options.ringing;
        let mut found: Vec<(String, Found)> = Vec::new();
        for target in &request.targets {
            let named = |peer: &Peer| found.iter().filter(|(_, place)| place.peer.name == peer.name).count();
            match self.locate(target).and_then(|places| self.within_limit(places, found.len(), named)) {
                Ok(places) => found.extend(places.into_iter().map(|place| (target.to_string(), place))),
                Err(reason) => {
                    self.core.out.verbose(3, format!("Couldn't call {target}: {}", reason.text));
                    dial.fail(reason);
                }
            }
        }
        dial.timer =
            request.timeout.map(|timeout| self.core.timers.set(self.core.now.mono + timeout, CallTimer::Dial(caller)));
        if let Some(channel) = self.channels.get_mut(&caller) {
            channel.doing = Doing::Dialling(Box::new(dial));
        }
        if !found.is_empty() && self.rings_in_band(caller) {
            // What the caller hears ringing in is what the called line may have: no other codec could follow the tone.
            let _ = self.let_hear(caller);
        }
        for (name, place) in found {
            self.open_branch(caller, &name, place);
        }
        if ring_at_once {
            self.let_ring(caller);
        }
        self.finish_if_all_failed(caller);
    }

    /// A line that may have no more calls is busy (chan_sip calls it unavailable; to a caller it is the same as a phone off the hook).
    fn within_limit(
        &self,
        places: Vec<Found>,
        found: usize,
        named: impl Fn(&Peer) -> usize,
    ) -> Result<Vec<Found>, Failure> {
        if self.channels.len().saturating_add(found).saturating_add(places.len()) > MOST_CHANNELS {
            return Err(FailureReason::TooMany.with(&[&MOST_CHANNELS.to_string()]));
        }
        let peer = places.first().map(|place| &place.peer);
        match peer.and_then(|peer| Some((peer, self.limit_reached(peer, named(peer))?))) {
            Some((peer, limit)) => Err(FailureReason::CalleeLimit.with(&[&peer.name, &limit.to_string()])),
            None => Ok(places),
        }
    }

    /// The places a dial string names, or why there is none.
    fn locate(&mut self, target: &DialTarget) -> Result<Vec<Found>, Failure> {
        if !target.technology.eq_ignore_ascii_case("SIP") {
            return Err(FailureReason::NoTechnology.with(&[&target.technology]));
        }
        let (name, exten) = target.line();
        let Some(peer) = self.settings.peers.get(name).cloned() else {
            let near = nearest(name, self.settings.peers.keys().map(String::as_str));
            let near = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            return Err(FailureReason::NoSuchPeer.with(&[name, &near]));
        };
        if !peer.is_callable() {
            return Err(FailureReason::NotCallable.with(&[name]));
        }
        let watched = self.check_reachable(&peer)?;
        let mut places = Vec::new();
        for binding in preferred(self.location.bindings(&peer.name)) {
            let secure = binding.contact.sip().is_some_and(|contact| contact.secure);
            let target = match exten {
                Some(exten) => target_uri(Some(&leg::escape_user(exten)), binding.flow, secure),
                None => binding.contact.to_string(),
            };
            let behind_nat = is_behind_nat(&binding.contact, binding.flow);
            let mut found = place(&peer, binding.flow, behind_nat, target, watched);
            found.outgoing.route.clone_from(&binding.path);
            places.push(found);
        }
        if places.is_empty() {
            let Some(address) = self.static_address(&peer) else {
                return Err(match &peer.host {
                    PeerAddress::Named { name: host, .. } => FailureReason::NoAddress.with(&[host, name]),
                    PeerAddress::Dynamic | PeerAddress::Static(_) => self.not_registered(name),
                });
            };
            let user = exten.or(peer.default_user.as_deref()).unwrap_or(&peer.name);
            let flow = self.flow_to(&peer, address);
            let target = target_uri(Some(&leg::escape_user(user)), flow, false);
            places.push(place(&peer, flow, false, target, watched));
        }
        Ok(places)
    }

    /// LAGGED is called with a warning, UNREACHABLE not at all; says whether the peer is watched and alive.
    fn check_reachable(&mut self, peer: &Peer) -> Result<bool, Failure> {
        let Some(status) = self.status_of(&peer.name) else { return Ok(false) };
        match status {
            Status::Unreachable => {
                let away = self.unreachable_for(&peer.name);
                Err(FailureReason::Unreachable.with(&[&peer.name, &datetime::span(away), &self.moment_ago(away)]))
            }
            Status::Lagged(ms) => {
                let limit = peer.settings.qualify.unwrap_or_default().as_millis();
                let reason = FailureReason::Lagged.with(&[&peer.name, &ms.to_string(), &limit.to_string()]);
                self.core.out.warning(reason.text);
                Ok(true)
            }
            Status::Ok(_) => Ok(true),
            Status::Unknown | Status::Unmonitored => Ok(false),
        }
    }

    pub(super) fn static_address(&self, peer: &Peer) -> Option<SocketAddr> {
        match peer.host {
            PeerAddress::Static(_) | PeerAddress::Named { .. } => peer.host.address(self.settings.admission.names()),
            PeerAddress::Dynamic => peer.default_addr,
        }
    }

    /// The way to a peer's fixed address.
    pub(super) fn flow_to(&self, peer: &Peer, remote: SocketAddr) -> Flow {
        let transport = peer.settings.transport();
        let seen = self.settings.local_towards.get(&remote.ip()).copied();
        let seen = seen.unwrap_or(self.settings.listening.of(transport).ip());
        Flow { server: peer.host.server(), ..self.core.routing.over(transport, seen, remote) }
    }

    pub(super) fn open_branch(&mut self, caller: ChannelId, name: &str, mut place: Found) {
        let id = ChannelId(self.fresh_id());
        let leg_id = LegId(self.fresh_id());
        let leg = Leg::outgoing(
            leg_id,
            id,
            place.peer.clone(),
            (place.flow, place.behind_nat),
            &mut Cx { core: &mut self.core, index: &mut self.index },
        );
        self.legs.insert(leg_id, leg);
        self.open_channel(id, leg_id, place.peer, Doing::Called(caller), ChannelState::Down);
        let branch = self.name_of(id);
        let (caller_name, caller_number) = match self.channels.get_mut(&caller) {
            Some(channel) => {
                channel.cdr.called_channel = branch;
                if let Some(dial) = channel.dial_mut() {
                    dial.branches.push((id, Branch::Reserving));
                    dial.peer = (String::new(), name.strip_prefix("SIP/").unwrap_or(name).to_owned());
                }
                let shown = channel.program.as_ref().map(|program| program.caller()).unwrap_or_default();
                place.outgoing.presentation = shown.presentation;
                (shown.name, shown.number)
            }
            None => Default::default(),
        };
        self.calling.insert(id, place.outgoing);
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.caller_name = caller_name;
            channel.caller_number = caller_number;
        }
    }

    /// A called line's ports are bound: its INVITE can say where media shall go.
    pub(super) fn ports_for_branch(&mut self, id: ChannelId, rtp: SocketAddr) {
        let Some(caller) = self.channels.get(&id).and_then(Channel::called_by) else { return };
        if !self.calling.contains_key(&id) || !self.is_branch_settled(caller, id) {
            return;
        }
        let Some(outgoing) = self.calling.remove(&id) else { return };
        let Some(channel) = self.channels.get(&id) else { return };
        let name = channel.peer.name.clone();
        let offer = match self.offer_for(caller, id, rtp) {
            Ok(offer) => offer,
            Err(reason) => {
                self.core.out.verbose(3, format!("Couldn't call SIP/{name}: {}", reason.text));
                return self.branch_failed(caller, id, reason);
            }
        };
        let Some(channel) = self.channels.get(&id) else { return };
        let known = Some(&channel.caller_number).filter(|number| !number.is_empty());
        let from_user = channel.peer.from_user.as_ref().or(known).unwrap_or(&self.settings.general.caller_id);
        let (hops, secure) = self.leg_of_channel(caller).map_or((u8::MAX, false), |leg| (leg.hops, leg.is_secure()));
        let Some(leg) = self.legs.get_mut(&channel.leg) else { return };
        let calling = Calling {
            hops,
            target: outgoing.target,
            route: outgoing.route,
            to: outgoing.to,
            from_name: Some(&channel.caller_name),
            from_number: &channel.caller_number,
            from_user,
            from_domain: channel.peer.from_domain.clone().unwrap_or_else(|| leg::host(leg.flow.advertised.ip())),
            presentation: outgoing.presentation,
            watched: outgoing.watched,
        };
        let over = leg.flow.transport;
        leg.invite(&calling, offer, &mut Cx { core: &mut self.core, index: &mut self.index });
        self.mark_branch(caller, id, Branch::Calling);
        self.core.out.verbose(3, format!("Called SIP/{name}"));
        if secure && over != Transport::Tls {
            // RFC 5630 5.1.1.3: the exchange is the end of the caller's call, and begins another.
            self.core
                .out
                .verbose(3, format!("The caller's side is secured by TLS (sips:), that of SIP/{name} is not: {over}"));
        }
    }

    /// The offer a called line gets: the caller's, as far as both lines allow it, with our address.
    fn offer_for(&mut self, caller: ChannelId, callee: ChannelId, rtp: SocketAddr) -> Result<Sdp, Failure> {
        let allow = self.common_codecs(caller, callee);
        let general = self.settings.general.clone();
        let extras = self.extras_between(callee, caller);
        let face = match self.channels.get(&callee).and_then(|channel| self.legs.get_mut(&channel.leg)) {
            Some(leg) => LocalMedia { secondary: extras, ..leg.next_local_media(rtp, &general) },
            None => return Err(self.gone(callee)),
        };
        let Some(leg) = self.leg_of_channel(caller) else { return Err(self.gone(caller)) };
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
            (None, _) => local_offer::own_offer(&allow, &face),
        };
        made.map_err(|none| self.no_codec(&none, &[caller, callee]))
    }

    /// A leg that nobody should miss: it ended a moment ago.
    fn gone(&self, id: ChannelId) -> Failure {
        FailureReason::Gone.with(&[self.channels.get(&id).map_or("it", |channel| &channel.peer.name)])
    }

    /// No codec in common, as far as these lines allow any.
    pub(super) fn no_codec(&self, none: &NoCommonCodec, lines: &[ChannelId]) -> Failure {
        let peers: Vec<&Peer> =
            lines.iter().filter_map(|id| self.channels.get(id)).map(|channel| &*channel.peer).collect();
        no_codec(none, &peers)
    }

    pub(super) fn mark_branch(&mut self, caller: ChannelId, id: ChannelId, state: Branch) {
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) {
            dial.mark(id, state);
        }
    }

    /// One line cannot be had: take it off, and finish when it was the last.
    pub(super) fn branch_failed(&mut self, caller: ChannelId, id: ChannelId, reason: Failure) {
        self.hang_up_leg(id, cause::NORMAL);
        self.forget_channel(id);
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut())
            && dial.drop_branch(id)
        {
            dial.fail(reason);
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
        self.core.out.verbose(2, text);
        self.end_dial(caller, status, None);
    }

    /// The time is up.
    pub(super) fn rung_long_enough(&mut self, caller: ChannelId) {
        let now = self.core.now.mono;
        let Some(dial) = self.channels.get(&caller).and_then(|channel| channel.dial()) else { return };
        if dial.bridge.is_some() {
            return;
        }
        let rung = now.since(dial.started);
        let mut lines: Vec<String> = Vec::new();
        for channel in dial.branches.iter().filter_map(|(id, _)| self.channels.get(id)) {
            let line = format!("'{}'", channel.peer.name);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let reason = FailureReason::NoAnswer.with(&[&lines.join(", "), &datetime::span(rung)]);
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) {
            dial.reasons.push(reason);
        }
        self.core.out.verbose(3, format!("Nobody picked up in {} ms", rung.as_millis()));
        self.end_dial(caller, DialStatus::NoAnswer, Some(cause::NO_ANSWER));
    }

    /// A Dial that was never answered is over: every line still rung is given up, and the program told.
    fn end_dial(&mut self, caller: ChannelId, status: DialStatus, hangup_cause: Option<u16>) {
        self.give_up_branches(caller, None);
        self.sweep_extras(&[caller]);
        let now = self.core.now.mono;
        let Some(channel) = self.channels.get_mut(&caller) else { return };
        let Some(dial) = channel.dial_mut() else { return };
        let timer = dial.timer.take();
        let report = dial.report(now, status, hangup_cause, false);
        let reasons = std::mem::take(&mut dial.reasons);
        if std::mem::take(&mut dial.tone) {
            self.core.out.media.push(MediaCommand::Idle { stream: channel.stream });
        }
        channel.cdr.unanswered = Some(status);
        channel.cdr.note(reasons);
        if let Some(timer) = timer {
            self.core.timers.cancel(timer);
        }
        self.answer_program(caller, AppReply::Dialled(report));
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
            let line = self.channels.get(&callee).map(|channel| channel.peer.name.clone()).unwrap_or_default();
            return self.branch_failed(caller, callee, FailureReason::NoDescription.with(&[&line]));
        };
        let text = format!("{} answered {}", self.name_of(callee), self.name_of(caller));
        self.core.out.verbose(3, text);
        let now = self.core.now.mono;
        if let Some(channel) = self.channels.get_mut(&callee) {
            channel.state = ChannelState::Up;
            channel.answered = Some(now);
        }
        if self.leg_of_channel(caller).is_some_and(|leg| leg.is_unanswered_caller()) {
            match self.answer_for(caller, &answer) {
                Ok(description) => self.answer_leg(caller, description),
                Err(reason) => return self.branch_failed(caller, callee, reason),
            }
        }
        self.tell_answered_elsewhere(caller, callee);
        self.give_up_branches(caller, Some(callee));
        let direct = self.may_go_direct(caller, callee);
        let callee_name = self.name_of(callee);
        if let Some(channel) = self.channels.get_mut(&caller) {
            channel.cdr.called_channel.clone_from(&callee_name);
            channel.cdr.connected = true;
        }
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) {
            dial.answered = Some(now);
            dial.bridge = Some(Bridge::new(caller, callee, direct, dial.heard));
            dial.peer.0 = callee_name;
            if let Some(timer) = dial.timer.take() {
                self.core.timers.cancel(timer);
            }
        }
        self.join(caller, callee);
        self.sweep_extras(&[caller, callee]);
        self.try_direct(caller);
    }

    /// What a caller is told of a called line's description: its own payload numbers, our address. What it was told before stands.
    pub(super) fn answer_for(&mut self, caller: ChannelId, answer: &Sdp) -> Result<Sdp, Failure> {
        let extras = self.extras_of(caller);
        let Some(channel) = self.channels.get(&caller) else { return Err(self.gone(caller)) };
        let Some(rtp) = channel.rtp else { return Err(self.gone(caller)) };
        let general = &self.settings.general;
        let Some(leg) = self.legs.get_mut(&channel.leg) else { return Err(self.gone(caller)) };
        if let Some(told) = &leg.local {
            return Ok(told.clone());
        }
        let face = LocalMedia { secondary: extras, ..leg.next_local_media(rtp, general) };
        let allow = &channel.peer.settings.codecs;
        let made = match &leg.remote {
            Some(offer) => negotiate::answer_from(offer, answer, allow, &face),
            // The INVITE had no offer: ours is what the called line agreed to.
            None => negotiate::offer_from(answer, allow, &face),
        };
        made.map_err(|none| self.no_codec(&none, &[caller]))
    }

    /// The story of the lines that rang in vain.
    fn tell_answered_elsewhere(&mut self, caller: ChannelId, callee: ChannelId) {
        let Some(dial) = self.channels.get(&caller).and_then(|channel| channel.dial()) else { return };
        let others: Vec<ChannelId> = dial.branches.iter().map(|(id, _)| *id).filter(|id| *id != callee).collect();
        let by = self.name_of(callee);
        for other in others {
            let text = format!("{}: {}", self.name_of(other), FailureReason::AnsweredElsewhere.with(&[&by]).text);
            self.core.out.verbose(3, text);
        }
    }
}

/// Is a line reached elsewhere than its Contact says? A connection comes from a port of its own.
fn is_behind_nat(contact: &Uri, flow: Flow) -> bool {
    leg::uri_address(contact).is_none_or(|said| {
        said.ip() != flow.remote.ip() || (!flow.transport.is_reliable() && said.port() != flow.remote.port())
    })
}

/// No codec in common, with what each of these lines allows.
pub(super) fn no_codec(none: &NoCommonCodec, peers: &[&Peer]) -> Failure {
    if none.offered.is_empty() {
        return FailureReason::NoVoice.with(&[peers.first().map_or("it", |peer| &peer.name)]);
    }
    let mut allows: Vec<String> = Vec::new();
    for peer in peers {
        let allowed = peer.settings.codecs.names().join(", ");
        let text = format!("'{}' allows {}", peer.name, if allowed.is_empty() { "nothing" } else { &allowed });
        if !allows.contains(&text) {
            allows.push(text);
        }
    }
    FailureReason::NoCodec.with(&[&none.offered.join(", "), &allows.join(", ")])
}

pub(super) fn place(peer: &Arc<Peer>, flow: Flow, behind_nat: bool, target: String, watched: bool) -> Found {
    let to = leg::to_uri(&target);
    Found {
        peer: peer.clone(),
        flow,
        behind_nat,
        outgoing: Outgoing { target, to, route: Vec::new(), watched, presentation: Presentation::default() },
    }
}
