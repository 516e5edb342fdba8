//! New offers on an established leg: re-INVITE from either side, UPDATE from the peer (RFC 3261 14, RFC 3311).

use super::body::{description, unfit_body};
use super::context::Cx;
use super::event::LegEvent;
use super::session_timer::unfit_timer;
use super::{Leg, Reoffer, State};
use crate::pbx::core::LegTimer;
use crate::pbx::core::Requester;
use crate::sdp::Sdp;
use crate::sdp::negotiate::same_media;
use crate::sip::header::{HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{ClientId, ServerId};
use crate::sip::validate::Essentials;
use bytes::Bytes;
use std::time::Duration;

/// A new offer met with 491 is made again so often: a phone may say so until the ACK of its own 2xx comes, which may be seconds on a bad network.
const MOST_GLARES: u8 = 7;

impl Leg {
    /// Sends the peer a new offer. Only when [`Leg::is_idle`].
    pub fn renegotiate(&mut self, offer: Sdp, cx: &mut Cx<'_>) {
        if !self.is_idle() {
            return;
        }
        let Some(dialog) = &mut self.dialog else { return };
        let mut request = dialog.request(Method::Invite);
        request.headers.push(HeaderName::Contact, self.contact.clone());
        self.dress(&mut request, cx);
        self.ask_for_timer(&mut request.headers);
        request.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
        request.body = offer.to_bytes().into();
        let how = self.sending(None);
        let client = cx.core.request(request, self.flow, how, Requester::Leg(self.id));
        let previous = self.agreement.offer(offer);
        self.reoffer = Reoffer::Sent { client, previous, refresh: false };
    }

    pub(super) fn is_reoffer(&self, id: ClientId) -> bool {
        matches!(self.reoffer, Reoffer::Sent { client, .. } if client == id)
    }

    /// The peer answers our re-INVITE.
    pub(super) fn reoffer_answered(
        &mut self,
        id: ClientId,
        response: &Response,
        essentials: &Essentials,
        cx: &mut Cx<'_>,
    ) {
        match response.status {
            0..=199 => {}
            200..=299 => {
                self.acknowledge(id, essentials.cseq.number, cx);
                let refresh = matches!(self.reoffer, Reoffer::Sent { refresh: true, .. });
                self.reoffer = Reoffer::None;
                self.glares = 0;
                self.refresh_target(&response.headers, cx);
                self.timer_answered(&response.headers, cx);
                let answer = description(&response.headers, &response.body).and_then(Result::ok);
                let same =
                    answer.as_ref().zip(self.agreement.remote.as_ref()).is_none_or(|(new, old)| same_media(old, new));
                if let Some(answer) = &answer {
                    self.agreement.take_remote(answer.clone());
                }
                match (refresh, same) {
                    (false, _) => self.tell(LegEvent::OfferAccepted(answer), cx),
                    // What waited for the leg to be idle may go on.
                    (true, true) => self.tell(LegEvent::Confirmed(None), cx),
                    // The peer took the occasion to move: the call is told as after an ACK that brings an answer.
                    (true, false) => self.tell(LegEvent::Confirmed(answer), cx),
                }
            }
            300.. => {
                self.reoffer_refused(response, cx);
            }
        }
    }

    pub(super) fn reoffer_refused(&mut self, response: &Response, cx: &mut Cx<'_>) {
        let Reoffer::Sent { previous, refresh, .. } = std::mem::replace(&mut self.reoffer, Reoffer::None) else {
            return;
        };
        let offer = self.agreement.withdraw_offer(previous);
        if refresh {
            self.refresh_refused(response, cx);
            if !self.is_ended() {
                self.tell(LegEvent::Confirmed(None), cx);
            }
            return;
        }
        match (response.status, offer) {
            // RFC 3261 14.1: 481 and 408 end the dialog.
            (481 | 408, _) => self.lost(cx),
            (422, Some(offer)) if self.raise_interval(&response.headers) => {
                let timer = cx.timer(self.id, LegTimer::Glare, Duration::ZERO);
                self.reoffer = Reoffer::Waiting { offer, timer };
            }
            (491, Some(offer)) if self.glares < MOST_GLARES => {
                self.glares = self.glares.saturating_add(1);
                let delay = self.glare_delay(cx.core.rng.bits());
                let timer = cx.timer(self.id, LegTimer::Glare, delay);
                self.reoffer = Reoffer::Waiting { offer, timer };
            }
            (status, _) => {
                self.glares = 0;
                self.tell(LegEvent::OfferRefused(status), cx);
            }
        }
    }

    /// RFC 3261 14.1: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other, in units of 10 ms.
    fn glare_delay(&self, random: u64) -> Duration {
        let units = if self.ours { 210 + random % 191 } else { random % 201 };
        Duration::from_millis(units.saturating_mul(10))
    }

    pub(super) fn reoffer_again(&mut self, cx: &mut Cx<'_>) {
        if let Reoffer::Waiting { offer, .. } = std::mem::replace(&mut self.reoffer, Reoffer::None) {
            if self.is_idle() {
                self.renegotiate(offer, cx);
            } else {
                self.tell(LegEvent::OfferRefused(491), cx);
            }
        }
    }

    /// The peer's re-INVITE or UPDATE.
    pub(super) fn reoffer_came(&mut self, server: ServerId, request: &Request, cx: &mut Cx<'_>) {
        let unfit = unfit_body(request).or_else(|| unfit_timer(&self.peer.settings, request));
        if let Some(response) = unfit {
            return cx.core.respond(server, response);
        }
        let offer = match description(&request.headers, &request.body) {
            Some(Ok(sdp)) => Some(sdp),
            Some(Err(_)) => return self.reply(server, request, 488, cx),
            None => None,
        };
        self.refresh_target(&request.headers, cx);
        if request.method == Method::Update && offer.is_none() {
            // RFC 3311 5.2: without an offer it meets no other, and only moves the target.
            return self.accept_refresh(server, request, cx);
        }
        match &self.reoffer {
            // RFC 3261 14.2: ours is under way.
            Reoffer::Sent { .. } => return self.reply(server, request, 491, cx),
            // RFC 3261 14.2: a second one before the first is answered.
            Reoffer::Received { .. } => return self.too_soon(server, request, cx),
            Reoffer::Waiting { .. } | Reoffer::None => {}
        }
        self.take_as_acknowledged(&request.method, cx);
        if self.has_to_wait(&request.method) {
            // RFC 3261 14.2 and RFC 3311 5.2: what meets an offer of ours gets 491, what comes before our answer to its own waits.
            if self.awaits_answer() {
                return self.reply(server, request, 491, cx);
            }
            return self.too_soon(server, request, cx);
        }
        if let Reoffer::Waiting { timer, .. } = self.reoffer {
            // Theirs comes first; ours is told as refused and may be tried anew by the call.
            cx.core.timers.cancel(timer);
            self.tell(LegEvent::OfferRefused(491), cx);
        }
        self.reoffer = Reoffer::Received { server, method: request.method.clone(), offer: offer.clone() };
        if request.method == Method::Invite {
            cx.core.respond(server, Response::for_request(request, 100, None));
        }
        self.tell(LegEvent::OfferReceived(offer), cx);
    }

    /// A new INVITE in order proves that the peer has our 2xx (RFC 3261 14.1): its ACK was lost or overtaken, and is not waited for, unless it brings
    /// an answer.
    fn take_as_acknowledged(&mut self, method: &Method, cx: &mut Cx<'_>) {
        if *method == Method::Invite
            && let Some(cseq) = self.pending_ok.as_ref().filter(|pending| !pending.offered).map(|pending| pending.cseq)
        {
            self.acknowledged(cseq, None, cx);
        }
    }

    /// Is an offer or answer still open that was made before?
    fn has_to_wait(&self, method: &Method) -> bool {
        match (self.state, &self.pending_ok) {
            // RFC 3311 5.2: our 2xx answered the peer's offer, so an UPDATE may bring the next, whatever became of the ACK.
            (State::Confirmed | State::Answering { hang_up: false }, Some(pending)) => {
                *method != Method::Update || pending.offered
            }
            (State::Confirmed, None) => false,
            (State::Answering { .. }, _)
            | (State::Incoming { .. } | State::Outgoing { .. } | State::Abandoned { .. } | State::Ended, _) => true,
        }
    }

    /// Is an offer of ours open, in our INVITE or in a 2xx of ours?
    fn awaits_answer(&self) -> bool {
        matches!(self.state, State::Outgoing { .. }) || self.pending_ok.as_ref().is_some_and(|pending| pending.offered)
    }

    fn too_soon(&self, server: ServerId, request: &Request, cx: &mut Cx<'_>) {
        let mut response = Response::for_request(request, 500, None);
        response.headers.push(HeaderName::RetryAfter, Bytes::from(cx.core.rng.below(11).to_string()));
        cx.core.respond(server, response);
    }

    fn accept_refresh(&mut self, server: ServerId, request: &Request, cx: &mut Cx<'_>) {
        let mut response = self.compose(request, None, 200, None);
        self.refresh_came(&request.headers, &mut response, cx);
        cx.core.respond(server, response);
    }

    /// A re-INVITE or UPDATE is accepted: it refreshes a call that is up.
    fn refresh_came(&mut self, asked: &Headers, response: &mut Response, cx: &mut Cx<'_>) {
        if matches!(self.state, State::Confirmed | State::Answering { .. }) {
            self.answer_timer(asked, response, cx);
        }
    }

    /// RFC 3261 12.2.2: a target refresh request moves the remote target.
    pub(super) fn refresh_target(&mut self, headers: &Headers, cx: &Cx<'_>) {
        if let Some(dialog) = &mut self.dialog {
            let before = dialog.remote_target.clone();
            dialog.refresh_target(headers);
            self.follow_dialog(Some(before), &cx.core.routing);
        }
    }

    /// The peer's new offer, taken off to be answered. One of ours under way stays: it has a client and a timer to be ended with the leg.
    fn take_received(&mut self) -> Option<(ServerId, Method, Option<Sdp>)> {
        match std::mem::replace(&mut self.reoffer, Reoffer::None) {
            Reoffer::Received { server, method, offer } => Some((server, method, offer)),
            other @ (Reoffer::None | Reoffer::Sent { .. } | Reoffer::Waiting { .. }) => {
                self.reoffer = other;
                None
            }
        }
    }

    /// Accepts the peer's new offer with this answer (or, when it made none, with our offer).
    pub fn accept_offer(&mut self, description: Sdp, cx: &mut Cx<'_>) {
        let Some((server, method, offer)) = self.take_received() else { return };
        let offered = offer.is_none();
        if let Some(offer) = offer {
            self.agreement.take_remote(offer);
        }
        self.agreement.describe(description.clone(), offered);
        let Some(request) = cx.core.tx.server_request(server) else { return };
        let asked = request.headers.clone();
        let mut response = self.compose(request, None, 200, Some(description));
        self.refresh_came(&asked, &mut response, cx);
        if method == Method::Invite {
            self.send_ok(server, response, offered, cx);
        } else {
            cx.core.respond(server, response);
        }
    }

    /// The peer's new offer that waits for its answer.
    pub fn pending_offer(&self) -> Option<&Sdp> {
        match &self.reoffer {
            Reoffer::Received { offer, .. } => offer.as_ref(),
            Reoffer::None | Reoffer::Sent { .. } | Reoffer::Waiting { .. } => None,
        }
    }

    /// Refuses the peer's new offer; what was agreed before goes on.
    pub fn refuse_offer(&mut self, status: u16, cx: &mut Cx<'_>) {
        let Some((server, ..)) = self.take_received() else { return };
        let Some(request) = cx.core.tx.server_request(server) else { return };
        let response = Response::for_request(request, status, None);
        cx.core.respond(server, response);
    }

    /// RFC 3261 15.1.2: what is still open when the call ends gets 487.
    pub(super) fn refuse_pending_reoffer(&mut self, cx: &mut Cx<'_>) {
        self.refuse_offer(487, cx);
    }
}
