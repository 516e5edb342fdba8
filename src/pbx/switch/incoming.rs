//! A line calls: its leg, its channel, its ports, and then its program.

use super::{MOST_CHANNELS, Switch};
use crate::config::peer::Peer;
use crate::dialplan::{ChannelId, Existence, Position, Program};
use crate::pbx::cause;
use crate::pbx::channel::{Channel, ChannelState, Doing};
use crate::pbx::leg::{self, Leg, LegId};
use crate::pbx::media::{MediaCommand, StreamId};
use crate::pbx::record::Side;
use crate::sdp::{Sdp, negotiate};
use crate::sip::header::{HeaderName, NameAddr};
use crate::sip::message::{Request, Response};
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;
use crate::sip::{Flow, Uri};
use std::net::SocketAddr;
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
        let (name, number) = caller_id(&peer, request, essentials);
        if let Err((status, why)) = self.may_call(&peer, &exten, &number) {
            let text = format!("Call from '{}' ({source}) to extension '{exten}' rejected because {why}", peer.name);
            self.cx.out.notice(text);
            return self.reply(invite, Response::for_request(request, status, None));
        }
        if let Some(response) = leg::unfit_timer(&peer.settings, request) {
            return self.reply(invite, response);
        }
        if let Some(response) = leg::unfit_body(request) {
            let kind = request.headers.text(HeaderName::ContentType).unwrap_or_default();
            let text =
                format!("Call from '{}' refused: {} for its body or Accept ('{kind}')", peer.name, response.status);
            self.cx.out.notice(text);
            return self.reply(invite, response);
        }
        let offer = match leg::description(&request.headers, &request.body) {
            Some(Ok(sdp)) => Some(sdp),
            Some(Err(error)) => {
                self.cx.out.notice(format!("Call from '{}' refused: {error} in its media description", peer.name));
                return self.reply(invite, Response::for_request(request, 400, None));
            }
            None => None,
        };
        if let Some(why) = self.no_codec(&peer, offer.as_ref()) {
            self.cx.out.notice(format!("Call from '{}' to '{exten}' refused: {why}", peer.name));
            return self.reply(invite, Response::for_request(request, 488, None));
        }
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
            &mut self.cx,
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
        let shown = (name.as_str(), number.as_str());
        let program = self.program_for((channel, &channel_name), &position, &peer, shown, request, essentials);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.program = Some(program);
            channel.caller_number = number;
            channel.caller_name = name;
            channel.entered = Some(position);
        }
    }

    /// Why this line may not call this number now: the status owed and the reason in plain words.
    fn may_call(&self, peer: &Peer, exten: &str, number: &str) -> Result<(), (u16, String)> {
        let context = &peer.settings.context;
        if !peer.is_caller() {
            return Err((403, format!("'{}' is type=peer: it may be called, not call", peer.name)));
        }
        if self.stopping.is_some() {
            return Err((503, "the exchange is stopping".to_owned()));
        }
        if self.channels.len() >= MOST_CHANNELS {
            return Err((503, format!("{MOST_CHANNELS} lines are busy already")));
        }
        if let Some(limit) = self.limit_reached(peer, 0) {
            return Err((480, format!("of its usage limit of {limit}")));
        }
        match self.settings.dialplan.exists(context, exten, Some(number), self.cx.now.wall) {
            Existence::Yes => Ok(()),
            Existence::MoreDigits => Err((484, format!("the number is not complete in context '{context}'"))),
            Existence::No => Err((404, format!("extension not found in context '{context}'."))),
        }
    }

    /// The `call-limit=` of a line that has so many calls already, both directions and `more` counted.
    pub(super) fn limit_reached(&self, peer: &Peer, more: usize) -> Option<u32> {
        let limit = peer.call_limit.filter(|limit| *limit > 0)?;
        let calls = self.channels.values().filter(|channel| channel.peer.name == peer.name).count();
        (calls.saturating_add(more) >= usize::try_from(limit).unwrap_or(usize::MAX)).then_some(limit)
    }

    fn no_codec(&self, peer: &Peer, offer: Option<&Sdp>) -> Option<String> {
        let offer = offer?;
        negotiate::usable(offer, &peer.settings.codecs).err().map(|none| none.to_string())
    }

    fn program_for(
        &self,
        (channel, channel_name): (ChannelId, &str),
        position: &Position,
        peer: &Peer,
        (name, number): (&str, &str),
        request: &Request,
        essentials: &Essentials,
    ) -> Program {
        let caller_id = crate::dialplan::CallerId {
            name: name.to_owned(),
            number: number.to_owned(),
            ani: number.to_owned(),
            dnid: position.exten.clone(),
            ..Default::default()
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
        let serial = self.last_channel;
        self.last_channel = self.last_channel.wrapping_add(1);
        let seconds = self.cx.now.wall.0.div_euclid(1000);
        let local = self.legs.get(&leg).map_or_else(|| self.settings.listening.udp.ip(), |leg| leg.flow.local.ip());
        let wanted = self.settings.general.rtp_bind.filter(|ip| !ip.is_unspecified());
        let local = wanted.filter(|ip| ip.is_ipv4() == local.is_ipv4()).unwrap_or(local);
        let channel = Channel {
            id,
            name: format!("SIP/{}-{serial:08x}", peer.name),
            unique_id: format!("{seconds}.{serial}"),
            peer,
            leg,
            stream,
            rtp: None,
            state,
            doing,
            program: None,
            caller_name: String::new(),
            caller_number: String::new(),
            entered: None,
            created: self.cx.now.mono,
            created_wall: self.cx.now.wall,
            answered: None,
            dead: false,
            plays: 0,
            ledger: Default::default(),
        };
        self.channels.insert(id, channel);
        self.streams.insert(stream, id);
        self.cx.out.media.push(MediaCommand::Reserve { stream, local });
    }

    /// A channel's ports are bound.
    pub(super) fn reserved(&mut self, stream: StreamId, rtp: SocketAddr) {
        let Some(channel) = self.streams.get(&stream).and_then(|id| self.channels.get_mut(id)) else {
            // The call ended while its ports were being bound: its Release is already on the way.
            return;
        };
        // What the peer is told may be the address of a translator that passes RTP on to us.
        let outside = self.legs.get(&channel.leg).map(|leg| leg.flow).filter(|flow| flow.told.ip() != flow.local.ip());
        let outside = outside.map(|flow| flow.told.ip());
        let told = self.settings.general.media_address.or(outside).filter(|ip| ip.is_ipv4() == rtp.is_ipv4());
        let rtp = SocketAddr::new(told.unwrap_or(rtp.ip()), rtp.port());
        channel.rtp = Some(rtp);
        let id = channel.id;
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
        let text =
            format!("{}: no RTP ports: {why}; rtpstart= and rtpend= in rtp.conf set how many there are", channel.name);
        self.cx.out.warning(text);
        match called_by {
            Some(caller) => self.branch_failed(caller, id, cause::CONGESTION, "no RTP ports are left".to_owned()),
            None => {
                self.hang_up_leg(id, cause::CONGESTION);
                self.note_end(id, Side::Exchange, cause::CONGESTION);
                self.forget_channel(id);
            }
        }
    }
}

/// The name and number a line calls from, each the first there is: what the line itself vouches for when it is trusted
/// (`trustrpid=`), its `callerid=`, what its From says.
fn caller_id(peer: &Peer, request: &Request, essentials: &Essentials) -> (String, String) {
    let told = if peer.settings.trust_rpid { identity(request) } else { None };
    let (told_name, told_number) = told.map_or((None, None), |told| (told.display.clone(), user(&told.uri)));
    let name = told_name.or_else(|| peer.caller_id.name.clone()).or_else(|| essentials.from.display.clone());
    let number = told_number.or_else(|| peer.caller_id.number.clone()).or_else(|| user(&essentials.from.uri));
    (name.unwrap_or_default(), number.unwrap_or_default())
}

/// Who calls according to P-Asserted-Identity (RFC 3325 9.1), else Remote-Party-ID.
fn identity(request: &Request) -> Option<NameAddr> {
    [HeaderName::PAssertedIdentity, HeaderName::RemotePartyId].into_iter().find_map(|name| {
        let mut values = request.headers.values(name);
        values.find_map(|value| NameAddr::parse(&value).ok().filter(|told| user(&told.uri).is_some()))
    })
}

fn user(uri: &Uri) -> Option<String> {
    leg::user_of::<()>(&Ok(uri.clone())).filter(|user| !user.is_empty())
}

/// The number dialled: the user part of the Request-URI, `s` when there is none.
fn dialled(request: &Request) -> String {
    let user = leg::user_of(&request.uri());
    user.filter(|user| !user.is_empty()).unwrap_or_else(|| "s".to_owned())
}
