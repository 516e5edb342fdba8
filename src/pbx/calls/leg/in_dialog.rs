//! What arrives within the dialog of a leg, and the offers that are made in it.

use super::body::{description, unfit_body};
use super::context::{Arrival, Cx};
use super::early_dialogs::plain_status;
use super::event::{Ending, LegEvent};
use super::info::InfoRelay;
use super::reinvite::{Conflict, Parts, ReceivedOffer};
use super::session_timer::unfit_timer;
use super::uas::PendingOk;
use super::{Leg, State};
use crate::pbx::core::Requester;
use crate::sdp::{Sdp, choose_voice};
use crate::sip::Flow;
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{Answer, ClientId, ServerId};
use crate::sip::validate::Essentials;
use bytes::Bytes;

impl Leg {
    /// A response to one of this leg's requests.
    pub fn receive_response(&mut self, answer: Answer<Requester>, cx: &mut Cx<'_>) {
        let Answer { id, response, essentials, refused, .. } = answer;
        if !self.on_response_in_dialog(id, &response, essentials.cseq.number, cx) {
            self.on_invite_response(id, &response, &essentials, refused.map(|refused| refused.request), cx);
        }
    }

    /// A response to our re-INVITE (of number `cseq`), UPDATE, INFO or MESSAGE. False when it is to neither.
    pub(super) fn on_response_in_dialog(
        &mut self,
        id: ClientId,
        response: &Response,
        cseq: u32,
        cx: &mut Cx<'_>,
    ) -> bool {
        let Leg { ua, agreement, session_timer, renegotiation, info, refers, state, .. } = self;
        let ending = if renegotiation.is_sent_by(id) {
            renegotiation.on_response(response, cseq, Parts { ua, agreement, session_timer }, cx)
        } else if session_timer.is_update(id) {
            session_timer.on_update_response(response, ua, cx)
        } else if info.is_sent(id) {
            // A caller that has not acknowledged its 200 may not have had it: to it there is no dialog yet.
            info.on_response(id, (response, cseq), ua, cx).filter(|_| matches!(state, State::Confirmed))
        } else if refers.is_sent(id) {
            refers.on_response(id, (response, cseq), ua, cx);
            None
        } else {
            return false;
        };
        if ending.is_some() {
            self.end_by_bye(ending, cx);
        }
        true
    }

    /// An ACK that belongs to this dialog and to no transaction: it is for a 2xx of ours.
    /// `arrival`: how it came, when its tags prove whose it is.
    pub fn receive_ack(
        &mut self,
        request: &Request,
        essentials: &Essentials,
        arrival: Option<Arrival>,
        cx: &mut Cx<'_>,
    ) {
        let is_awaited = self.pending_ok.as_ref().is_some_and(|ok| ok.cseq() == essentials.cseq.number);
        if let Some(to) = arrival.filter(|_| is_awaited).and_then(|arrival| self.ua.moved_to(arrival)) {
            self.move_to(to, cx);
        }
        let body = description(&request.headers, &request.body).and_then(Result::ok);
        self.on_ack(essentials.cseq.number, body, cx);
    }

    /// The ACK of this number came, with this description.
    fn on_ack(&mut self, cseq: u32, body: Option<Sdp>, cx: &mut Cx<'_>) {
        // A repeated ACK, or one for a transaction long done, is for no 2xx that waits.
        let Some(ok) = self.pending_ok.take_if(|ok| ok.cseq() == cseq) else { return };
        let we_offered = ok.we_offered();
        let answer = if we_offered { body } else { None };
        ok.stop(cx);
        if let Some(answer) = &answer {
            self.agreement.take_remote(answer.clone());
        }
        if let State::Answering { hang_up } = self.state {
            self.state = State::Confirmed;
            if hang_up {
                // RFC 3261 15: the callee may send BYE once its 2xx is acknowledged.
                return self.end_by_bye(None, cx);
            }
            if we_offered && self.agreement.agreed().is_none() {
                // RFC 3261 13.2.1: an answer to our offer belongs in the ACK. Without one nothing can be sent anywhere.
                return self.end_by_bye(Some(Ending::Undescribed), cx);
            }
        }
        self.info.release(&mut self.ua, cx);
        self.ua.report(LegEvent::Confirmed(answer), cx);
    }

    /// A request within this dialog, other than ACK and CANCEL (RFC 3261 12.2.2). Its tags prove whose it is, a new
    /// CSeq that it is no copy of an old one: then the peer is where it came from.
    pub fn receive_request(
        &mut self,
        server: ServerId,
        request: &Request,
        essentials: &Essentials,
        arrival: Arrival,
        cx: &mut Cx<'_>,
    ) {
        let ua = &mut self.ua;
        if let Some(other) = ua.dialogs.find_other(essentials) {
            let response = ua.dialogs.receive_in_other(other, request, essentials, &ua.contact, cx.index);
            if let Some(response) = response {
                cx.core.respond(server, response);
            }
            return;
        }
        let dialog = ua.dialogs.current.as_mut();
        let number = essentials.cseq.number;
        let is_new = dialog.as_ref().is_some_and(|it| it.remote_cseq.is_none_or(|before| number > before));
        if dialog.is_none_or(|dialog| dialog.receive(essentials.cseq.number, &request.method).is_err()) {
            // RFC 3261 12.2.2: an old CSeq is answered with 500.
            return cx.core.respond(server, Response::for_request(request, 500, None));
        }
        self.info.note_allow(&request.headers);
        if let Some(to) = Some(arrival).filter(|_| is_new).and_then(|arrival| self.ua.moved_to(arrival)) {
            self.move_to(to, cx);
        }
        match &request.method {
            Method::Bye => self.on_bye(server, request, cx),
            Method::Invite | Method::Update => self.on_offer(server, request, cx),
            Method::Info => InfoRelay::receive(server, request, &self.ua, cx),
            Method::Message => self.ua.report(LegEvent::InfoReceived(server), cx),
            Method::Refer if self.state.is_up() => self.ua.report(LegEvent::ReferReceived(server), cx),
            method => {
                if *method == Method::Notify {
                    self.refers.notified(request, &self.ua, cx);
                }
                if let Some(status) = plain_status(method) {
                    cx.core.respond(server, Response::for_request(request, status, None));
                }
            }
        }
    }

    /// The peer is reached by another flow from now on, also by what is under way to it.
    pub fn move_to(&mut self, to: Flow, cx: &mut Cx<'_>) {
        let from = self.ua.flow;
        if !self.ua.move_to(to, cx) {
            return;
        }
        let invite = match self.state {
            State::Incoming { invite } => Some(invite),
            State::Calling(_) | State::Answering { .. } | State::Confirmed | State::Ended => None,
        };
        for server in invite.into_iter().chain(self.pending_ok.as_ref().map(PendingOk::server)) {
            cx.core.tx.redirect_responses(server, from, to);
        }
        self.ua.report(LegEvent::Moved(from.remote), cx);
    }

    /// RFC 3261 15.1.2: 200 at once; a pending INVITE of either side is over with it (487).
    fn on_bye(&mut self, server: ServerId, request: &Request, cx: &mut Cx<'_>) {
        cx.core.respond(server, Response::for_request(request, 200, None));
        let is_early = matches!(self.state, State::Calling(_));
        if is_early && self.ua.dialogs.replace_current(&mut self.agreement.remote, cx.index) {
            // The telephone of this dialog hung up before any answer, and others ring still: the call waits for them.
            return;
        }
        // Before REFER was, a transfer was asked for so (draft-ietf-sip-cc-transfer).
        if let Some(also) = request.headers.get(HeaderName::from_static("Also")).filter(|_| self.state.is_up()) {
            self.ua.report(LegEvent::Also(Bytes::copy_from_slice(also)), cx);
        }
        self.refuse_offer(487, cx);
        let is_wanted = match &self.state {
            State::Calling(invitation) => invitation.is_wanted(),
            State::Answering { hang_up } => !hang_up,
            State::Incoming { .. } | State::Confirmed | State::Ended => true,
        };
        self.refuse(487, cx);
        self.end(cx);
        if is_wanted {
            self.ua.report(LegEvent::Ended(Ending::Bye), cx);
        }
    }

    /// The peer's re-INVITE or UPDATE.
    fn on_offer(&mut self, server: ServerId, request: &Request, cx: &mut Cx<'_>) {
        let unfit = unfit_body(request).or_else(|| unfit_timer(&self.peer.settings, request));
        if let Some(response) = unfit {
            return cx.core.respond(server, response);
        }
        let offer = match description(&request.headers, &request.body) {
            Some(Ok(sdp)) if sdp.check_offer().is_ok() => Some(choose_voice(sdp, &self.peer.settings.codecs)),
            Some(_) => return cx.core.respond(server, Response::for_request(request, 488, None)),
            None => None,
        };
        self.ua.refresh_target(&request.headers, &cx.core.routing);
        if request.method == Method::Update && offer.is_none() {
            // RFC 3311 5.2: without an offer it meets no other, and only moves the target.
            if let Some(response) = self.session_timer.accept(server, None, self.state.is_up(), &self.ua, cx) {
                cx.core.respond(server, response);
            }
            return;
        }
        if let Some(conflict) = self.renegotiation.conflict() {
            let response = conflict.response(request, &mut cx.core.rng);
            return cx.core.respond(server, response);
        }
        // RFC 3261 14.1: a new INVITE in order proves that the peer has our 2xx. Its ACK was lost or overtaken, and is
        // not waited for, unless it brings an answer.
        let unacknowledged = self.pending_ok.as_ref().filter(|ok| !ok.we_offered()).map(PendingOk::cseq);
        if let Some(cseq) = unacknowledged.filter(|_| request.method == Method::Invite) {
            self.on_ack(cseq, None, cx);
        }
        if let Some(conflict) = open_offer(&self.state, self.pending_ok.as_ref(), &request.method) {
            let response = conflict.response(request, &mut cx.core.rng);
            return cx.core.respond(server, response);
        }
        self.ua.reinvites.came(cx.core.now.mono);
        let received = ReceivedOffer { server, method: request.method.clone(), offer: offer.clone() };
        self.renegotiation.receive(received, &self.ua, cx);
        if request.method == Method::Invite {
            cx.core.respond(server, Response::for_request(request, 100, None));
        }
        self.ua.report(LegEvent::OfferReceived(offer), cx);
    }

    /// Sends the peer a new offer. Only when [`Leg::is_idle`].
    pub fn renegotiate(&mut self, offer: Sdp, cx: &mut Cx<'_>) {
        if self.is_idle() {
            let Leg { ua, agreement, session_timer, renegotiation, .. } = self;
            renegotiation.send(offer, false, Parts { ua, agreement, session_timer }, cx);
        }
    }

    /// The peer's new offer that waits for its answer.
    pub fn pending_offer(&self) -> Option<&Sdp> {
        self.renegotiation.pending_offer()
    }

    /// Accepts the peer's new offer with this answer (or, when it made none, with our offer).
    pub fn accept_offer(&mut self, description: Sdp, cx: &mut Cx<'_>) {
        let Some(ReceivedOffer { server, method, offer }) = self.renegotiation.take_received() else { return };
        let we_offered = offer.is_none();
        if let Some(offer) = offer {
            self.agreement.take_remote(offer);
        }
        self.agreement.describe(description.clone(), we_offered);
        let response = self.session_timer.accept(server, Some(description), self.state.is_up(), &self.ua, cx);
        let Some(response) = response else { return };
        if method != Method::Invite {
            return cx.core.respond(server, response);
        }
        let ok = PendingOk::send(self.id, server, response, we_offered, cx);
        if let Some(before) = self.pending_ok.replace(ok) {
            before.stop(cx);
        }
    }

    /// Refuses the peer's new offer; what was agreed before goes on.
    pub fn refuse_offer(&mut self, status: u16, cx: &mut Cx<'_>) {
        self.renegotiation.refuse(status, cx);
    }
}

/// What a new offer of the peer, by this method, meets in the INVITE or 2xx of the leg: an offer or answer that is
/// still open.
fn open_offer(state: &State, pending_ok: Option<&PendingOk>, method: &Method) -> Option<Conflict> {
    let ours_is_open = pending_ok.is_some_and(PendingOk::we_offered);
    match (state, pending_ok) {
        (State::Confirmed, None) => None,
        // RFC 3311 5.2: our 2xx answered the peer's offer, so an UPDATE may bring the next, whatever became of the ACK.
        (State::Confirmed | State::Answering { hang_up: false }, Some(_))
            if *method == Method::Update && !ours_is_open =>
        {
            None
        }
        (State::Calling(invitation), _) if invitation.is_wanted() => Some(Conflict::Glare),
        (_, Some(_)) if ours_is_open => Some(Conflict::Glare),
        (State::Confirmed | State::Answering { .. } | State::Incoming { .. } | State::Calling(_) | State::Ended, _) => {
            Some(Conflict::TooSoon)
        }
    }
}
