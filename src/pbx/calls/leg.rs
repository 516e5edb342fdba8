//! A leg: one SIP dialog of a call, from its INVITE to its BYE. What happens on it comes out as [`LegEvent`]s; what the
//! call decides goes in by the methods. It knows no other leg.

mod agreement;
mod body;
mod challenged;
mod context;
mod early_dialogs;
mod event;
mod in_dialog;
mod info;
mod info_digit;
mod refer;
mod reinvite;
mod session_timer;
mod uac;
mod uas;
mod user_agent;

pub use crate::pbx::core::{LegId, LegTimer};
pub use crate::pbx::uri_text::{contact, escape_user, host, quote, to_uri, transport_param, uri_address, user_of};
pub use agreement::Agreement;
pub use body::{description, info_refusal, unfit_body};
pub use challenged::number_again;
pub use context::{Arrival, Cx, LegIndex};
pub use event::{Ending, LegEvent, Refusal};
pub use info::InfoRelay;
pub use info_digit::info_digit;
pub use refer::Refers;
pub use session_timer::unfit_timer;
pub use uac::Calling;
pub use uas::IncomingInvite;
pub use user_agent::UserAgent;

use crate::config::general::General;
use crate::config::peer::Peer;
use crate::dialplan::ChannelId;
use crate::pbx::cause;
use crate::sdp::{LocalMedia, Sdp, choose_voice};
use crate::sip::Flow;
use crate::sip::dialog::{Dialog, DialogError};
use crate::sip::message::{Request, Response};
use crate::sip::sips::binds_answer;
use crate::sip::transaction::{ClientId, ServerId};
use crate::sip::validate::Essentials;
use bytes::Bytes;
use early_dialogs::Dialogs;
use reinvite::{Parts, Renegotiation};
use session_timer::{Due, SessionTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use uac::Invitation;
use uas::PendingOk;

/// Where a leg stands.
#[derive(Debug)]
enum State {
    /// The peer calls; nothing final is sent.
    Incoming { invite: ServerId },
    /// We call the peer, or did and gave up; the final response is still to come.
    Calling(Invitation),
    /// Our 2xx is on its way to a caller. `hang_up`: BYE as soon as it is acknowledged (RFC 3261 15).
    Answering { hang_up: bool },
    /// Both sides agreed.
    Confirmed,
    /// Over, or not begun.
    Ended,
}

impl State {
    /// Did both sides agree, whether or not our 2xx is acknowledged?
    fn is_up(&self) -> bool {
        matches!(self, State::Answering { .. } | State::Confirmed)
    }
}

/// One SIP dialog of a call.
pub struct Leg {
    /// Its name.
    pub id: LegId,
    /// Whose line it is.
    pub peer: Arc<Peer>,
    /// Makes and sends its messages.
    pub ua: UserAgent,
    /// What both sides described.
    pub agreement: Agreement,
    /// The INFO requests of the other line that go to the peer.
    pub info: InfoRelay,
    /// What the peer asked for by REFER, and what it is asked.
    pub refers: Refers,
    /// Hops that a call which this one begins may still take (RFC 3261 8.1.1.6).
    pub hops: u8,
    state: State,
    pending_ok: Option<PendingOk>,
    renegotiation: Renegotiation,
    session_timer: SessionTimer,
}

impl Leg {
    /// A caller's leg, from its INVITE: the dialog exists at once, 100 Trying is sent.
    pub fn incoming(
        id: LegId,
        channel: ChannelId,
        peer: Arc<Peer>,
        invite: IncomingInvite<'_>,
        arrival: Arrival,
        cx: &mut Cx<'_>,
    ) -> Result<Leg, DialogError> {
        let IncomingInvite { server, request, essentials, offer } = invite;
        let tag = cx.core.rng.hex(16);
        let dialog = Dialog::uas(request, essentials, &tag)?;
        cx.index.dialogs.insert(dialog.key(), id);
        cx.index.servers.insert(server, id);
        cx.core.respond(server, Response::for_request(request, 100, None));
        let user = user_of(&request.uri()).unwrap_or_default();
        // Where its connection is gone, and we make one.
        let flow = Flow { server: peer.host.server(), ..arrival.flow };
        let contact = contact(&user, flow, binds_answer(request));
        let dialogs = Dialogs::of_caller(dialog);
        let ua = UserAgent::new(id, channel, peer.clone(), Arrival { flow, ..arrival }, contact, dialogs);
        let agreement = Agreement::incoming(offer, &mut cx.core.rng);
        let mut leg = Leg {
            // RFC 7332: a call that goes on from here has one hop less.
            hops: essentials.max_forwards.map_or(u8::MAX, |hops| hops.saturating_sub(1)),
            state: State::Incoming { invite: server },
            renegotiation: Renegotiation::new(id, false),
            ..Leg::new(peer, ua, agreement)
        };
        leg.info.note_allow(&request.headers);
        leg.ua.follow_dialog(None, &cx.core.routing);
        Ok(leg)
    }

    /// A called line's leg; nothing is sent before [`Leg::invite`].
    pub fn outgoing(id: LegId, channel: ChannelId, peer: Arc<Peer>, arrival: Arrival, cx: &mut Cx<'_>) -> Leg {
        let ua = UserAgent::new(id, channel, peer.clone(), arrival, Bytes::new(), Dialogs::default());
        Leg::new(peer, ua, Agreement::outgoing(&mut cx.core.rng))
    }

    fn new(peer: Arc<Peer>, ua: UserAgent, agreement: Agreement) -> Leg {
        let id = ua.leg;
        Leg {
            id,
            peer,
            ua,
            agreement,
            info: InfoRelay::default(),
            refers: Refers::default(),
            hops: u8::MAX,
            state: State::Ended,
            pending_ok: None,
            renegotiation: Renegotiation::new(id, true),
            session_timer: SessionTimer::new(id),
        }
    }

    /// Is the leg over, with nothing more to come or to send?
    pub fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Did both sides agree, so that the leg is a call in progress?
    pub fn is_confirmed(&self) -> bool {
        matches!(self.state, State::Confirmed)
    }

    /// Is it a caller to whom nothing final was sent?
    pub fn is_unanswered_caller(&self) -> bool {
        matches!(self.state, State::Incoming { .. })
    }

    /// Can a new offer be sent now (RFC 3261 14.1: no other INVITE in progress)?
    pub fn is_idle(&self) -> bool {
        self.is_confirmed() && self.pending_ok.is_none() && self.renegotiation.is_idle()
    }

    /// Does the leg wait for responses to this request of its own? Any other is over for it, whatever still comes.
    pub fn awaits(&self, id: ClientId) -> bool {
        let invites = matches!(&self.state, State::Calling(invitation) if invitation.is(id));
        invites
            || self.renegotiation.is_sent_by(id)
            || self.session_timer.is_update(id)
            || self.info.is_sent(id)
            || self.refers.is_sent(id)
    }

    /// Did it begin with `sips:`, so that nothing of it may leave TLS?
    pub fn is_secure(&self) -> bool {
        self.ua.dialogs.current.as_ref().is_some_and(|dialog| dialog.secure)
    }

    /// Is the peer reached at where it sends from rather than where it says it is?
    pub fn is_behind_nat(&self) -> bool {
        self.ua.behind_nat
    }

    /// Our tag, once there is a dialog.
    pub fn local_tag(&self) -> Option<&str> {
        self.ua.local_tag()
    }

    /// How our next description names us. `rtp` is where media shall go: our own port, or the other phone's for direct
    /// media.
    pub fn next_local_media(&mut self, rtp: SocketAddr, general: &General) -> LocalMedia {
        self.agreement.next_local_media(rtp, self.ua.flow.advertised.ip(), general)
    }

    /// Sends the caller a provisional response without a description: it rings (180), it is forwarded (181), it waits
    /// (182).
    pub fn indicate(&mut self, status: u16, cx: &mut Cx<'_>) {
        if let State::Incoming { invite } = self.state {
            self.ua.respond_to_invite(invite, status, None, cx);
        }
    }

    /// Sends the caller a description before the answer (183, or 180 while it rings): early media.
    pub fn progress(&mut self, status: u16, description: Sdp, cx: &mut Cx<'_>) {
        self.agreement.local = Some(description.clone());
        if let State::Incoming { invite } = self.state {
            self.ua.respond_to_invite(invite, status, Some(description), cx);
        }
    }

    /// Answers the call; the 2xx is sent again until the ACK comes.
    pub fn answer(&mut self, description: Sdp, cx: &mut Cx<'_>) {
        let State::Incoming { invite } = self.state else { return };
        // RFC 3261 13.2.1: without an offer in the INVITE, the 2xx makes it.
        let we_offered = self.agreement.remote.is_none();
        self.agreement.describe(description.clone(), we_offered);
        cx.index.servers.remove(&invite);
        self.state = State::Answering { hang_up: false };
        self.info.hold();
        if let Some(dialog) = &mut self.ua.dialogs.current {
            dialog.confirmed = true;
        }
        let response = self.session_timer.accept(invite, Some(description), true, &self.ua, cx);
        if let Some(response) = response {
            let mut ok = PendingOk::send(self.id, invite, response, we_offered, cx);
            if self.ua.flow.may_be_forged() {
                ok.be_brief(cx);
            }
            self.pending_ok = Some(ok);
        }
    }

    /// Refuses the call with a final status.
    fn refuse(&mut self, status: u16, cx: &mut Cx<'_>) {
        if let State::Incoming { invite } = self.state {
            self.ua.respond_to_invite(invite, status, None, cx);
            self.end(cx);
        }
    }

    /// The caller's CANCEL names our INVITE transaction (RFC 3261 9.2): 487, unless it came too late.
    pub fn cancelled(&mut self, cx: &mut Cx<'_>) {
        if self.is_unanswered_caller() {
            self.refuse(487, cx);
            self.ua.report(LegEvent::Ended(Ending::Cancelled), cx);
        }
    }

    /// Sends the INVITE with our offer.
    pub fn invite(&mut self, calling: &Calling, offer: Sdp, cx: &mut Cx<'_>) {
        let request = calling.invite(&offer, &mut self.ua, cx);
        self.agreement.local = Some(offer);
        self.state = State::Calling(Invitation::send(request, calling.watched, &self.ua, &self.session_timer, cx));
    }

    /// A response to our INVITE (RFC 3261 13.2.2).
    fn on_invite_response(
        &mut self,
        id: ClientId,
        response: &Response,
        essentials: &Essentials,
        refused: Option<Request>,
        cx: &mut Cx<'_>,
    ) {
        let is_wanted = matches!(&self.state, State::Calling(invitation) if invitation.is_wanted());
        self.info.note_allow(&response.headers);
        match response.status {
            0..=199 => {
                if let State::Calling(invitation) = &mut self.state {
                    invitation.on_provisional(cx);
                }
                if response.status > 100 && is_wanted {
                    self.on_early_dialog(id, response, essentials, cx);
                }
            }
            200..=299 => self.on_invite_success(id, response, essentials, cx),
            300.. => {
                // RFC 4028 7.3: the peer wants a longer interval.
                let is_too_short =
                    is_wanted && response.status == 422 && self.session_timer.raise_interval(&response.headers);
                if let (Some(request), State::Calling(invitation)) = (refused.filter(|_| is_too_short), &mut self.state)
                {
                    let Some(next) = uac::next_attempt(request) else { return };
                    invitation.stop(cx);
                    self.ua.dialogs.remove_from(cx.index);
                    self.ua.dialogs.current = None;
                    *invitation = Invitation::send(next, false, &self.ua, &self.session_timer, cx);
                    return;
                }
                self.end(cx);
                if is_wanted {
                    self.ua.report(uac::refusal(response), cx);
                }
            }
        }
    }

    /// A provisional response with a tag: the peer rings, or sends early media.
    fn on_early_dialog(&mut self, id: ClientId, response: &Response, essentials: &Essentials, cx: &mut Cx<'_>) {
        if !self.ua.adopt_dialog(id, response, essentials, &mut self.agreement.remote, cx) {
            return;
        }
        // A description we cannot read is no reason to lose the call: it rings.
        let described = description(&response.headers, &response.body).and_then(Result::ok);
        if described.is_some() {
            self.agreement.remote.clone_from(&described);
        }
        self.ua.report(LegEvent::Provisional(response.status, described), cx);
    }

    /// RFC 3261 13.2.2.4: a 2xx is acknowledged at once, whatever we want by now.
    fn on_invite_success(&mut self, id: ClientId, response: &Response, essentials: &Essentials, cx: &mut Cx<'_>) {
        self.ua.adopt_dialog(id, response, essentials, &mut self.agreement.remote, cx);
        let before = cx.core.tx.request_of(id).and_then(|request| request.uri().ok());
        self.ua.follow_dialog(before, &cx.core.routing);
        self.ua.acknowledge(id, essentials.cseq.number, cx);
        let State::Calling(invitation) = &self.state else { return };
        let is_wanted = invitation.is_wanted();
        invitation.stop(cx);
        self.state = State::Confirmed;
        if !is_wanted {
            // The answer crossed our CANCEL (RFC 3261 9.1): end what it began.
            return self.end_by_bye(None, cx);
        }
        self.session_timer.on_success(self.ua.settings(), &response.headers, cx);
        let answer = match description(&response.headers, &response.body) {
            Some(Ok(sdp)) => Some(choose_voice(sdp, &self.peer.settings.codecs)),
            // RFC 3261 13.2.1: an answer given in a reliable provisional stands; some phones give it only in their 18x.
            Some(Err(_)) | None => self.agreement.remote.clone(),
        };
        if answer.is_some() {
            self.agreement.remote.clone_from(&answer);
        }
        self.ua.report(LegEvent::Answered(answer), cx);
    }

    /// The system refused to send over `flow`: an INVITE on its way there that nobody ever answered has failed (RFC
    /// 3261 8.1.3.1). Says whether this leg had one.
    pub fn unsendable(&mut self, flow: Flow, why: &str, cx: &mut Cx<'_>) -> bool {
        let has_no_response = matches!(&self.state, State::Calling(invitation) if invitation.has_no_response());
        let is_concerned = has_no_response && self.ua.flow == flow;
        if is_concerned {
            self.end(cx);
            self.ua.report(LegEvent::Failed(Refusal::Unsendable(why.to_owned())), cx);
        }
        is_concerned
    }

    /// The network did not carry one of this leg's requests (RFC 3261 8.1.3.1: as good as a 503).
    pub fn transport_failed(&mut self, id: ClientId, why: &str, cx: &mut Cx<'_>) {
        // The call itself may go on: the peer can come back over another connection.
        if self.on_response_in_dialog(id, &Response::new(503), 0, cx) {
            return;
        }
        if matches!(&self.state, State::Calling(invitation) if invitation.is(id) && invitation.is_wanted()) {
            self.end(cx);
            return self.ua.report(LegEvent::Failed(Refusal::Unsendable(why.to_owned())), cx);
        }
        self.client_failed(id, cx);
    }

    /// One of this leg's client transactions ended without any final response.
    pub fn client_failed(&mut self, id: ClientId, cx: &mut Cx<'_>) {
        self.info.on_silence(id, cx);
        self.refers.on_silence(id, &mut self.ua, cx);
        match &self.state {
            State::Calling(invitation) if invitation.is(id) => {
                let is_wanted = invitation.is_wanted();
                self.end(cx);
                if is_wanted {
                    self.ua.report(LegEvent::Failed(Refusal::Silent), cx);
                }
            }
            // RFC 3261 12.2.1.2: no response within a dialog ends it.
            State::Confirmed if self.renegotiation.is_sent_by(id) || self.session_timer.is_update(id) => {
                self.end_by_bye(Some(Ending::Gone), cx);
            }
            State::Calling(_) | State::Confirmed | State::Incoming { .. } | State::Answering { .. } | State::Ended => {}
        }
    }

    /// One of the leg's timers went off.
    pub fn timer(&mut self, timer: LegTimer, cx: &mut Cx<'_>) {
        match timer {
            LegTimer::Ok => {
                if let Some(ok) = &mut self.pending_ok {
                    ok.retransmit(cx);
                }
            }
            // RFC 3261 13.3.1.4: no ACK for 64*T1: the dialog is confirmed, but BYE ends it.
            LegTimer::OkGiveUp => {
                if self.pending_ok.is_some() {
                    let is_wanted = !matches!(self.state, State::Answering { hang_up: true });
                    self.end_by_bye(is_wanted.then_some(Ending::NotAcked), cx);
                }
            }
            LegTimer::CancelGiveUp => {
                if let State::Calling(invitation) = &self.state {
                    invitation.give_up(cx);
                }
                self.end(cx);
            }
            LegTimer::Silence => {
                if let State::Calling(invitation) = &mut self.state
                    && invitation.on_silence(cx)
                {
                    self.ua.report(LegEvent::Failed(Refusal::Silent), cx);
                }
            }
            LegTimer::Glare => match self.renegotiation.take_waiting() {
                Some(offer) if self.is_idle() => self.renegotiate(offer, cx),
                Some(_) => self.ua.report(LegEvent::OfferRefused(491), cx),
                None => {}
            },
            // RFC 4028 10: refresh the call, or end it because the peer did not.
            LegTimer::SessionTimer => {
                match (
                    self.session_timer.on_timer(self.ua.settings(), self.is_idle(), cx),
                    self.agreement.local.clone(),
                ) {
                    (Due::Nothing, _) => {}
                    (Due::Expired, _) => self.end_by_bye(Some(Ending::Expired), cx),
                    (Due::ReInvite, Some(offer)) => {
                        let Leg { ua, agreement, session_timer, renegotiation, .. } = self;
                        renegotiation.send(offer, true, Parts { ua, agreement, session_timer }, cx);
                    }
                    (Due::ReInvite, None) | (Due::Update, _) => self.session_timer.send_update(&mut self.ua, cx),
                }
            }
        }
    }

    /// Ends the leg from our side, as its state demands: a refusal, a CANCEL, a BYE now or after the ACK.
    pub fn hang_up(&mut self, hangup_cause: u16, cx: &mut Cx<'_>) {
        match &mut self.state {
            State::Incoming { .. } => self.refuse(cause::to_status(hangup_cause), cx),
            State::Calling(invitation) => invitation.abandon(self.ua.cancel_reason.take(), cx),
            State::Answering { hang_up } => *hang_up = true,
            State::Confirmed => {
                self.refers.flush(&mut self.ua, cx);
                self.refuse_offer(487, cx);
                self.end_by_bye(None, cx);
            }
            State::Ended => {}
        }
    }

    /// Ends the dialog by BYE and with it the leg, and reports it when it was not our doing.
    fn end_by_bye(&mut self, ending: Option<Ending>, cx: &mut Cx<'_>) {
        if self.is_ended() {
            return;
        }
        if self.pending_ok.as_ref().is_some_and(PendingOk::is_brief) {
            self.ua.send_bye_once(cx);
        } else {
            self.ua.send_bye(cx);
        }
        self.end(cx);
        if let Some(ending) = ending {
            self.ua.report(LegEvent::Ended(ending), cx);
        }
    }

    /// Nothing more will come or go: timers and table entries of this leg vanish.
    fn end(&mut self, cx: &mut Cx<'_>) {
        self.renegotiation.end(cx);
        self.session_timer.end(cx);
        self.info.end(cx);
        if let Some(ok) = self.pending_ok.take() {
            ok.stop(cx);
        }
        if !self.is_ended() {
            cx.index.ended.push(self.id);
        }
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Calling(invitation) => invitation.end(cx),
            State::Incoming { invite } => {
                cx.index.servers.remove(&invite);
            }
            State::Answering { .. } | State::Confirmed | State::Ended => {}
        }
        self.ua.dialogs.remove_from(cx.index);
    }
}

/// Does a leg's peer hold because we told it to, or is it about to? An offer that takes it off hold may still be refused.
pub(super) fn is_kept_on_hold(leg: &Leg) -> bool {
    leg.is_confirmed() && (is_held_by_us(leg) || leg.renegotiation.our_offer().is_some_and(Sdp::is_hold))
}

/// Does a leg's peer hold because we told it to: by our latest description, or by the one before while it has not answered
/// the latest?
pub(super) fn is_held_by_us(leg: &Leg) -> bool {
    leg.agreement.local.iter().chain(leg.renegotiation.before_our_offer()).any(Sdp::is_hold)
}
