//! A line calls: its leg, its channel, its ports, and then its program.

use super::dialling::no_codec;
use super::{MOST_CHANNELS, Switch};
use crate::config::peer::Peer;
use crate::config::suggest::nearest;
use crate::dialplan::{ChannelId, Existence, Position, Program};
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::channel::{Channel, ChannelState, Doing};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::identity::{self, Shown};
use crate::pbx::leg::{self, Cx, Leg, LegId};
use crate::pbx::media::{MediaCommand, StreamId, StreamKind};
use crate::sdp::{Sdp, negotiate};
use crate::sip::Flow;
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

impl Switch {
    /// An INVITE from a known line that opens a call.
    pub(super) fn incoming_call(
        &mut self,
        invite: ServerId,
        request: &Request,
        essentials: &Essentials,
        peer: Arc<Peer>,
        (came, behind_nat): (Flow, bool),
    ) {
        let source = came.remote;
        let exten = dialled(request);
        let shown = identity::caller(&peer, request, essentials);
        let refused = match self.may_call(&peer, &exten, &shown.number) {
            Err(reason) => Some((Response::for_request(request, reason.why.row().status, None), reason)),
            // A telephone that hears the shortest time allowed asks again: nothing has failed yet.
            Ok(()) => match leg::unfit_timer(&peer.settings, request) {
                Some(response) => return self.reply(invite, response),
                None => unfit(request),
            },
        };
        if let Some((response, reason)) = refused {
            self.reply(invite, response);
            return self.rejected(&peer, source, &exten, (shown.name, shown.number), reason);
        }
        let offer = match offer(&peer, request) {
            Ok(offer) => offer,
            Err(reason) => {
                self.reply(invite, Response::for_request(request, reason.why.row().status, None));
                return self.rejected(&peer, source, &exten, (shown.name, shown.number), reason);
            }
        };
        let channel = ChannelId(self.fresh_id());
        let leg = LegId(self.fresh_id());
        let made = Leg::incoming(
            leg,
            channel,
            peer.clone(),
            (request, essentials),
            invite,
            (came, behind_nat),
            offer,
            &mut Cx { core: &mut self.core, index: &mut self.index },
        );
        let made = match made {
            Ok(made) => made,
            Err(_) => return self.reply(invite, Response::for_request(request, 400, None)),
        };
        self.legs.insert(leg, made);
        self.calls_processed = self.calls_processed.saturating_add(1);
        let position = Position::new(&peer.settings.context, &exten, 1);
        self.open_channel(channel, leg, peer.clone(), Doing::Reserving, ChannelState::Ring);
        let channel_name = self.name_of(channel);
        let program = self.program_for((channel, &channel_name), &position, &peer, &shown, request, essentials);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.program = Some(program);
            channel.caller_number = shown.number;
            channel.caller_name = shown.name;
            channel.entered = Some(position);
        }
    }

    /// Why this line may not call this number now.
    fn may_call(&self, peer: &Peer, exten: &str, number: &str) -> Result<(), Failure> {
        let context = &peer.settings.context;
        if !peer.is_caller() {
            return Err(FailureReason::MayNotCall.with(&[&peer.name]));
        }
        if self.stopping.is_some() {
            return Err(FailureReason::Stopping.with(&[]));
        }
        if self.channels.len() >= MOST_CHANNELS {
            return Err(FailureReason::TooMany.with(&[&MOST_CHANNELS.to_string()]));
        }
        if let Some(limit) = self.limit_reached(peer, 0) {
            return Err(FailureReason::CallerLimit.with(&[&limit.to_string()]));
        }
        let (plan, wall) = (&self.settings.dialplan, self.core.now.wall);
        match plan.exists(context, exten, Some(number), wall) {
            Existence::Yes => Ok(()),
            Existence::MoreDigits => Err(FailureReason::Incomplete.with(&[context])),
            Existence::No if !plan.has_context(context) => {
                Err(FailureReason::NoSuchExtension.with(&[context, " There is no such context in extensions.conf"]))
            }
            Existence::No => {
                let near = nearest(exten, plan.numbers(context, wall));
                let near = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
                Err(FailureReason::NoSuchExtension.with(&[context, &near]))
            }
        }
    }

    /// The `call-limit=` of a line that has so many calls already, both directions and `more` counted.
    pub(super) fn limit_reached(&self, peer: &Peer, more: usize) -> Option<u32> {
        let limit = peer.call_limit.filter(|limit| *limit > 0)?;
        let calls = self.channels.values().filter(|channel| channel.peer.name == peer.name).count();
        (calls.saturating_add(more) >= usize::try_from(limit).unwrap_or(usize::MAX)).then_some(limit)
    }

    fn program_for(
        &self,
        (channel, channel_name): (ChannelId, &str),
        position: &Position,
        peer: &Peer,
        shown: &Shown,
        request: &Request,
        essentials: &Essentials,
    ) -> Program {
        let caller_id = crate::dialplan::CallerId {
            name: shown.name.clone(),
            number: shown.number.clone(),
            ani: shown.number.clone(),
            dnid: position.exten.clone(),
            rdnis: String::new(),
            presentation: shown.presentation,
        };
        let mut program = Program::new(channel, channel_name, position.clone(), caller_id);
        program.set_variable("SIPCALLID", &essentials.call_id);
        if let Some(agent) = request.headers.text(HeaderName::UserAgent) {
            program.set_variable("SIPUSERAGENT", &agent);
        }
        program.set_variable("SIPURI", &essentials.from.uri.to_string());
        for (name, value) in &peer.set_vars {
            program.set_variable(name, value);
        }
        program
    }

    /// A new channel's name and its id.
    pub(super) fn next_channel_name(&mut self, peer: &Peer) -> (String, String) {
        let serial = self.last_channel;
        self.last_channel = self.last_channel.wrapping_add(1);
        let seconds = self.core.now.wall.0.div_euclid(1000);
        (format!("SIP/{}-{serial:08x}", peer.name), format!("{seconds}.{serial}"))
    }

    /// Enters a channel in the tables and has its ports bound.
    pub(super) fn open_channel(
        &mut self,
        id: ChannelId,
        leg: LegId,
        peer: Arc<Peer>,
        doing: Doing,
        state: ChannelState,
    ) {
        let stream = StreamId(self.fresh_id());
        let (name, unique_id) = self.next_channel_name(&peer);
        let local = self.media_address(leg);
        let channel = Channel {
            id,
            name,
            unique_id,
            peer,
            leg,
            stream,
            extras: Vec::new(),
            rtp: None,
            state,
            doing,
            program: None,
            caller_name: String::new(),
            caller_number: String::new(),
            entered: None,
            created: self.core.now.mono,
            created_wall: self.core.now.wall,
            answered: None,
            was_direct: false,
            misplaced: false,
            dead: false,
            plays: 0,
            cdr: Default::default(),
        };
        self.channels.insert(id, channel);
        self.streams.insert(stream, id);
        self.core.out.media.push(MediaCommand::Reserve { stream, local, kind: StreamKind::Rtp });
    }

    /// The address a leg's media ports are bound at.
    pub(super) fn media_address(&self, leg: LegId) -> IpAddr {
        let local = self.legs.get(&leg).map_or_else(|| self.settings.listening.udp.ip(), |leg| leg.flow.local.ip());
        let wanted = self.settings.general.rtp_bind.filter(|ip| !ip.is_unspecified());
        wanted.filter(|ip| ip.is_ipv4() == local.is_ipv4()).unwrap_or(local)
    }

    /// A channel's ports are bound.
    pub(super) fn reserved(&mut self, stream: StreamId, rtp: SocketAddr) {
        let Some(channel) = self.streams.get(&stream).and_then(|id| self.channels.get_mut(id)) else {
            // The call ended while its ports were being bound: its Release is already on the way.
            return;
        };
        // What the peer is told may be the address of a translator that passes RTP on to us.
        let outside =
            self.legs.get(&channel.leg).map(|leg| leg.flow).filter(|flow| flow.advertised.ip() != flow.local.ip());
        let outside = outside.map(|flow| flow.advertised.ip());
        let told = self.settings.general.media_address.or(outside).filter(|ip| ip.is_ipv4() == rtp.is_ipv4());
        let rtp = SocketAddr::new(told.unwrap_or(rtp.ip()), rtp.port());
        let id = channel.id;
        if channel.stream != stream {
            return self.extra_reserved(id, stream, rtp);
        }
        channel.rtp = Some(rtp);
        match channel.doing {
            Doing::Reserving => {
                channel.doing = Doing::Running;
                self.runnable.push_back(id);
            }
            Doing::Called(_) => self.ports_for_branch(id, rtp),
            Doing::Running
            | Doing::Waiting(_)
            | Doing::Answering
            | Doing::Playing(..)
            | Doing::Echoing
            | Doing::Dialling(_) => {}
        }
    }

    /// No ports are left for a channel.
    pub(super) fn no_ports(&mut self, stream: StreamId, why: &str) {
        let Some(channel) = self.streams.get(&stream).and_then(|id| self.channels.get(id)) else { return };
        let (id, called_by) = (channel.id, channel.called_by());
        if channel.stream != stream {
            return self.extra_missing(id, stream, why);
        }
        let reason = FailureReason::NoPorts.with(&[why]);
        match called_by {
            Some(caller) => self.branch_failed(caller, id, reason),
            None => {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.cdr.note([reason]);
                }
                self.hang_up_leg(id, cause::CONGESTION);
                self.note_end(id, HangupBy::Exchange, cause::CONGESTION);
                self.forget_channel(id);
            }
        }
    }
}

/// The refusal of a body or an Accept that is of no use here (415, 406).
fn unfit(request: &Request) -> Option<(Response, Failure)> {
    let response = leg::unfit_body(request)?;
    let kind = request.headers.text(HeaderName::ContentType).unwrap_or_default();
    let reason = FailureReason::UnfitBody.with(&[&response.status.to_string(), &kind]);
    Some((response, reason))
}

/// What a caller offers, if its INVITE has an offer that can be read and something of it allowed.
fn offer(peer: &Peer, request: &Request) -> Result<Option<Sdp>, Failure> {
    let offer = match leg::description(&request.headers, &request.body) {
        None => return Ok(None),
        Some(Ok(offer)) => offer,
        Some(Err(error)) => return Err(FailureReason::Unreadable.with(&[&error.to_string()])),
    };
    match negotiate::usable(&offer, &peer.settings.codecs) {
        Ok(()) => Ok(Some(offer)),
        Err(none) => Err(no_codec(&none, &[peer])),
    }
}

/// The number dialled: the user part of the Request-URI, `s` when there is none.
fn dialled(request: &Request) -> String {
    let user = leg::user_of(&request.uri());
    user.filter(|user| !user.is_empty()).unwrap_or_else(|| "s".to_owned())
}
