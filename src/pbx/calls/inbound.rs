//! A line calls: its leg, its channel, its ports, and then its program.

use super::caller_identity::{self, Shown};
use super::cdr_writer::{self, RefusedCall};
use super::channel::{Activity, ChannelState};
use super::description::no_codec;
use super::diversion;
use super::invite_headers;
use super::leg::{self, Arrival, Cx, IncomingInvite, Leg};
use super::limits::limit_reached;
use super::parties::{MAX_CHANNELS, Parties};
use crate::config::peer::{Kind, Peer};
use crate::config::suggest::nearest;
use crate::dialplan::app::AppCall;
use crate::dialplan::program::errand;
use crate::dialplan::{CallerId, ChannelId, Diversion, Existence, Position, Program};
use crate::pbx::core::{Core, LegId};
use crate::pbx::failure::{Failure, FailureReason};
use crate::sdp::{Sdp, choose_voice, negotiate};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::transaction::ServerId;
use crate::sip::uri::Uri;
use crate::sip::validate::Essentials;
use crate::wording::outside;
use std::net::SocketAddr;
use std::sync::Arc;

/// An INVITE that would open a call.
pub(crate) struct Invite<'a> {
    /// Its transaction.
    pub(crate) server: ServerId,
    /// The request.
    pub(crate) request: &'a Request,
    /// Its mandatory headers, read.
    pub(crate) essentials: &'a Essentials,
    /// Whose it is.
    pub(crate) peer: Arc<Peer>,
    /// How it came.
    pub(crate) arrival: Arrival,
}

/// An INVITE before there is a transaction for it.
pub(crate) struct Asked<'a> {
    /// The request.
    pub(crate) request: &'a Request,
    /// Its mandatory headers, read.
    pub(crate) essentials: &'a Essentials,
    /// Whose it is.
    pub(crate) peer: &'a Arc<Peer>,
}

/// A call that may be opened.
struct Fit {
    exten: String,
    shown: Shown,
    offer: Option<Sdp>,
}

/// A call that may not.
struct Refused {
    response: Response,
    /// What was dialled by whom, and why it fails; none: the telephone is only to ask again.
    why: Option<Box<(String, Shown, Failure)>>,
}

/// Opens calls, with all channels at hand.
pub(super) struct Inbound<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) core: &'a mut Core,
    /// The exchange is stopping: it takes no new calls.
    pub(super) stopping: bool,
}

impl Inbound<'_> {
    /// An INVITE from a known line. Says whether it opened a call.
    pub(super) fn call(&mut self, invite: Invite<'_>) -> bool {
        let Invite { server, request, essentials, peer, arrival } = &invite;
        let asked = Asked { request, essentials, peer };
        match self.judge(&asked) {
            Ok(Fit { exten, shown, offer }) => self.open(&invite, exten, shown, offer),
            Err(refused) => {
                let source = arrival.flow.remote;
                let response = self.refused(&asked, refused, source);
                self.core.respond(*server, response);
                false
            }
        }
    }

    /// The answer to an INVITE that cannot become a call; none when it can.
    pub(super) fn refusal(&mut self, asked: &Asked<'_>, source: SocketAddr) -> Option<Response> {
        let refused = self.judge(asked).err()?;
        Some(self.refused(asked, refused, source))
    }

    /// What the call would be, or why there is none.
    fn judge(&self, asked: &Asked<'_>) -> Result<Fit, Refused> {
        let Asked { request, essentials, peer } = *asked;
        let exten = dialed(request);
        let shown = caller_identity::caller(peer, request, essentials);
        let with_status =
            |failure: Failure| (Response::for_request(request, failure.reason.row().status, None), failure);
        // RFC 3261 16.3 step 3.
        let may_call = if essentials.max_forwards == Some(0) {
            Err(FailureReason::HopsSpent.with(&[]))
        } else {
            self.may_call(peer, &exten, &shown.number)
        };
        let offer = match may_call {
            Err(failure) => Err(with_status(failure)),
            // The 422 names the shortest time allowed, and the telephone asks again: nothing has failed yet.
            Ok(()) => match leg::unfit_timer(&peer.settings, request) {
                Some(response) => return Err(Refused { response, why: None }),
                None => match unfit(request) {
                    Some(refusal) => Err(refusal),
                    None => offer(peer, request).map_err(with_status),
                },
            },
        };
        match offer {
            Ok(offer) => Ok(Fit { exten, shown, offer }),
            Err((response, failure)) => Err(Refused { response, why: Some(Box::new((exten, shown, failure))) }),
        }
    }

    /// Tells of a refusal what there is to tell, and gives the answer.
    fn refused(&mut self, asked: &Asked<'_>, refused: Refused, source: SocketAddr) -> Response {
        if let Some(why) = refused.why {
            let (exten, shown, failure) = *why;
            let call = RefusedCall { peer: asked.peer, source, exten: &exten, caller: (shown.name, shown.number) };
            let parties = &mut *self.parties;
            let name = &asked.peer.name;
            cdr_writer::rejected(call, failure, |core| parties.next_names(name, core), self.core);
        }
        refused.response
    }

    fn open(&mut self, invite: &Invite<'_>, exten: String, shown: Shown, offer: Option<Sdp>) -> bool {
        let (id, leg) = (ChannelId(self.core.fresh_id()), LegId(self.core.fresh_id()));
        let Invite { server, request, essentials, peer, arrival } = invite;
        let mut cx = Cx { core: self.core, index: &mut self.parties.index };
        let came = IncomingInvite { server: *server, request, essentials, offer };
        let made = Leg::incoming(leg, id, peer.clone(), came, *arrival, &mut cx);
        let Ok(made) = made else {
            self.core.respond(*server, Response::for_request(request, 400, None));
            return false;
        };
        let position = Position::new(&peer.settings.context, &exten, 1);
        let picks_up = self.picks_up(peer, &exten, &shown.number);
        if let Some(channel) = self.parties.open(id, made, Activity::ReservingPorts, self.core) {
            channel.state = ChannelState::Ring;
            channel.program = Some(program((id, &channel.name), &position, invite, &shown, picks_up));
            channel.caller_number = shown.number;
            channel.caller_name = shown.name;
            channel.entered = Some(position);
            channel.invite = invite_headers::kept(&request.headers);
        }
        true
    }

    /// `pickupexten=`: is the number that of group pickup, and no extension of the dialplan?
    fn picks_up(&self, peer: &Peer, exten: &str, number: &str) -> bool {
        let code = &self.core.config.features.pickup_extension;
        let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
        !code.is_empty()
            && exten == code
            && !peer.groups.pickups.is_empty()
            && plan.exists(&peer.settings.context, exten, Some(number), wall) != Existence::Yes
    }

    /// Why this line may not call this number now.
    fn may_call(&self, peer: &Peer, exten: &str, number: &str) -> Result<(), Failure> {
        let context = &peer.settings.context;
        if self.stopping {
            return Err(FailureReason::Stopping.with(&[]));
        }
        if self.parties.count() >= MAX_CHANNELS {
            return Err(FailureReason::TooMany.with(&[&MAX_CHANNELS.to_string()]));
        }
        let is_emergency = peer.kind != Kind::Guest && self.core.config.general.emergency.has(exten);
        if let Some(limit) = limit_reached(self.parties, peer, 0).filter(|_| !is_emergency) {
            return Err(FailureReason::CallerLimit.with(&[&limit.to_string()]));
        }
        if self.picks_up(peer, exten, number) {
            return Ok(());
        }
        let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
        match plan.exists(context, exten, Some(number), wall) {
            Existence::Yes => Ok(()),
            Existence::MoreDigits => Err(FailureReason::Incomplete.with(&[context])),
            Existence::No if !plan.has_context(context) => {
                Err(FailureReason::NoSuchExtension.with(&[context, " There is no such context in extensions.conf"]))
            }
            Existence::No => {
                // A guest may try one number after another, and each would be compared with all there are.
                let is_guest = peer.kind == Kind::Guest;
                let near = if is_guest { None } else { nearest(exten, plan.numbers(context, wall)) };
                let near = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
                Err(FailureReason::NoSuchExtension.with(&[context, &near]))
            }
        }
    }
}

/// The program of a call, with the variables it starts with.
fn program(
    channel: (ChannelId, &str),
    position: &Position,
    invite: &Invite<'_>,
    shown: &Shown,
    picks_up: bool,
) -> Program {
    let mut caller = CallerId {
        name: shown.name.clone(),
        number: shown.number.clone(),
        ani: shown.number.clone(),
        dnid: position.exten.clone(),
        rdnis: String::new(),
        presentation: shown.presentation,
        diversion: Diversion::default(),
    };
    diversion::read(&invite.peer, &invite.request.headers, &mut caller);
    let mut program = match picks_up {
        true => errand::application(
            channel,
            position.clone(),
            caller,
            AppCall { name: "Pickup".to_owned(), args: String::new() },
        ),
        false => Program::new(channel.0, channel.1, position.clone(), caller),
    };
    program.set_language(&invite.peer.settings.language);
    program.set_variable("SIPCALLID", &invite.essentials.call_id);
    if let Some(agent) = invite.request.headers.text(HeaderName::UserAgent) {
        program.set_variable("SIPUSERAGENT", &agent);
    }
    program.set_variable("SIPURI", &invite.essentials.from.uri.to_string());
    if let Ok(Uri::Sip(asked)) = invite.request.uri() {
        program.set_variable("SIPDOMAIN", &asked.host.to_string());
    }
    for (name, value) in &invite.peer.set_vars {
        program.set_variable(name, value);
    }
    program
}

/// The refusal of a body or an Accept that is of no use here (415, 406).
fn unfit(request: &Request) -> Option<(Response, Failure)> {
    let response = leg::unfit_body(request)?;
    let kind = request.headers.text(HeaderName::ContentType).unwrap_or_default();
    let reason = FailureReason::UnfitBody.with(&[&response.status.to_string(), &outside(&kind)]);
    Some((response, reason))
}

/// What a caller offers, if its INVITE has an offer that can be read and something of it allowed.
pub(super) fn offer(peer: &Peer, request: &Request) -> Result<Option<Sdp>, Failure> {
    let offer = match leg::description(&request.headers, &request.body) {
        None => return Ok(None),
        Some(Ok(offer)) => match offer.check_offer() {
            Ok(()) => choose_voice(offer, &peer.settings.codecs),
            Err(error) => return Err(FailureReason::Unreadable.with(&[&error.to_string()])),
        },
        Some(Err(error)) => return Err(FailureReason::Unreadable.with(&[&error.to_string()])),
    };
    match negotiate::usable(&offer, &peer.settings.codecs) {
        Ok(()) => Ok(Some(offer)),
        Err(none) => Err(no_codec(&none, &[peer])),
    }
}

/// The number dialled: the user part of the Request-URI, `s` when there is none.
fn dialed(request: &Request) -> String {
    let user = leg::user_of(&request.uri());
    user.filter(|user| !user.is_empty()).unwrap_or_else(|| "s".to_owned())
}
