//! The leg of a caller: the peer sent the INVITE and we answer it (RFC 3261 13.3).

use super::agreement::Agreement;
use super::context::{Arrival, Cx, T1, T2};
use super::event::{Ending, LegEvent};
use super::{Leg, PendingOk, Reoffer, State};
use crate::config::peer::Peer;
use crate::dialplan::ChannelId;
use crate::pbx::core::LegId;
use crate::pbx::core::LegTimer;
use crate::pbx::uri_text::{contact, user_of};
use crate::sdp::Sdp;
use crate::sip::Flow;
use crate::sip::dialog::{Dialog, DialogError};
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::sips::binds_answer;
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;
use bytes::Bytes;
use std::sync::Arc;

/// A caller's INVITE, as it came.
pub struct IncomingInvite<'a> {
    /// Its transaction.
    pub server: ServerId,
    /// The INVITE itself.
    pub request: &'a Request,
    /// What was read of it already.
    pub essentials: &'a Essentials,
    /// Its offer; `None` when it asks for ours.
    pub offer: Option<Sdp>,
}

impl Leg {
    /// A caller's leg, from its INVITE: the dialog exists at once, 100 Trying is sent.
    pub fn incoming(
        id: LegId,
        channel: ChannelId,
        peer: Arc<Peer>,
        IncomingInvite { server: invite, request, essentials, offer }: IncomingInvite<'_>,
        Arrival { flow, behind_nat }: Arrival,
        cx: &mut Cx<'_>,
    ) -> Result<Leg, DialogError> {
        let tag = cx.core.rng.hex(16);
        let dialog = Dialog::uas(request, essentials, &tag)?;
        cx.index.dialogs.insert(dialog.key(), id);
        cx.index.servers.insert(invite, id);
        cx.core.respond(invite, Response::for_request(request, 100, None));
        let user = user_of(&request.uri()).unwrap_or_default();
        // Where its connection is gone, and we make one.
        let flow = Flow { server: peer.host.server(), ..flow };
        let mut leg = Leg {
            id,
            channel,
            peer,
            flow,
            behind_nat,
            ours: false,
            agreement: Agreement::incoming(offer, &mut cx.core.rng),
            state: State::Incoming { invite },
            dialog: Some(dialog),
            forks: Vec::new(),
            pending_ok: None,
            reoffer: Reoffer::None,
            glares: 0,
            refresh: Default::default(),
            // RFC 7332: a call that goes on from here has one hop less.
            hops: essentials.max_forwards.map_or(u8::MAX, |hops| hops.saturating_sub(1)),
            contact: contact(&user, flow, binds_answer(request)),
        };
        leg.follow_dialog(None, &cx.core.routing);
        Ok(leg)
    }

    /// Tells the caller that the far phone rings.
    pub fn ring(&mut self, cx: &mut Cx<'_>) {
        self.provisional(180, None, cx);
    }

    /// Sends the caller a description before the answer, so that it hears what comes (183).
    pub fn progress(&mut self, description: Sdp, cx: &mut Cx<'_>) {
        self.agreement.local = Some(description.clone());
        self.provisional(183, Some(description), cx);
    }

    fn provisional(&mut self, status: u16, body: Option<Sdp>, cx: &mut Cx<'_>) {
        let State::Incoming { invite } = self.state else { return };
        if let Some(response) = self.response_to_invite(invite, status, body, cx) {
            cx.core.respond(invite, response);
        }
    }

    /// Answers the call; sent again until the ACK comes.
    pub fn answer(&mut self, description: Sdp, cx: &mut Cx<'_>) {
        let State::Incoming { invite } = self.state else { return };
        // RFC 3261 13.2.1: without an offer in the INVITE, the 2xx makes it.
        let offered = self.agreement.remote.is_none();
        self.agreement.describe(description.clone(), offered);
        cx.index.servers.remove(&invite);
        self.state = State::Answering { hang_up: false };
        if let Some(dialog) = &mut self.dialog {
            dialog.confirmed = true;
        }
        let asked = cx.core.tx.server_request(invite).map(|request| request.headers.clone());
        if let (Some(mut response), Some(asked)) = (self.response_to_invite(invite, 200, Some(description), cx), asked)
        {
            self.answer_timer(&asked, &mut response, cx);
            self.send_ok(invite, response, offered, cx);
        }
    }

    /// Refuses the call with a final status.
    pub fn refuse(&mut self, status: u16, cx: &mut Cx<'_>) {
        let State::Incoming { invite } = self.state else { return };
        if let Some(response) = self.response_to_invite(invite, status, None, cx) {
            cx.core.respond(invite, response);
        }
        self.end(cx);
    }

    /// The caller's CANCEL names our INVITE transaction (RFC 3261 9.2): 487, unless it came too late.
    pub fn cancelled(&mut self, cx: &mut Cx<'_>) {
        if let State::Incoming { .. } = self.state {
            self.refuse(487, cx);
            self.tell(LegEvent::Ended(Ending::Cancelled), cx);
        }
    }

    fn response_to_invite(&self, invite: ServerId, status: u16, body: Option<Sdp>, cx: &Cx<'_>) -> Option<Response> {
        let request = cx.core.tx.server_request(invite)?;
        let tag = self.dialog.as_ref().map(|dialog| dialog.local_tag.as_str());
        Some(self.compose(request, tag, status, body))
    }

    /// A response to an INVITE of this dialog, with what forms or refreshes a dialog (RFC 3261 12.1.1).
    pub(super) fn compose(&self, request: &Request, tag: Option<&str>, status: u16, body: Option<Sdp>) -> Response {
        let mut response = Response::for_request(request, status, tag);
        if (101..300).contains(&status) {
            for route in request.headers.lines(HeaderName::RecordRoute) {
                response.headers.push(HeaderName::RecordRoute, route.clone());
            }
            response.headers.push(HeaderName::Contact, self.contact.clone());
        }
        if let Some(sdp) = body {
            response.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
            response.body = sdp.to_bytes().into();
        }
        response
    }

    pub(super) fn send_ok(&mut self, server: ServerId, response: Response, offered: bool, cx: &mut Cx<'_>) {
        // RFC 3261 13.2.2.4: the ACK has the number of its INVITE, whatever the peer sent since.
        let cseq = response.headers.get(HeaderName::CSeq).and_then(|cseq| CSeq::parse(cseq).ok());
        let cseq = cseq.map_or(0, |cseq| cseq.number);
        cx.core.respond(server, response.clone());
        let again = cx.timer(self.id, LegTimer::Ok, T1);
        let give_up = cx.timer(self.id, LegTimer::OkGiveUp, T1 * 64);
        self.drop_pending_ok(cx);
        cx.index.servers.insert(server, self.id);
        self.pending_ok = Some(PendingOk { server, response, cseq, interval: T1, again, give_up, offered });
    }

    pub(super) fn drop_pending_ok(&mut self, cx: &mut Cx<'_>) -> Option<PendingOk> {
        let pending = self.pending_ok.take()?;
        cx.index.servers.remove(&pending.server);
        cx.core.timers.cancel(pending.again);
        cx.core.timers.cancel(pending.give_up);
        Some(pending)
    }

    /// RFC 3261 13.3.1.4: the interval starts at T1 and doubles up to T2.
    pub(super) fn repeat_ok(&mut self, cx: &mut Cx<'_>) {
        let id = self.id;
        let Some(pending) = &mut self.pending_ok else { return };
        pending.interval = (pending.interval * 2).min(T2);
        pending.again = cx.timer(id, LegTimer::Ok, pending.interval);
        let (server, response) = (pending.server, pending.response.clone());
        cx.core.respond(server, response);
    }

    /// RFC 3261 13.3.1.4: no ACK for 64*T1: the dialog is confirmed, but BYE ends it.
    pub(super) fn ok_never_acked(&mut self, cx: &mut Cx<'_>) {
        if self.drop_pending_ok(cx).is_some() {
            let unwanted = self.state == State::Answering { hang_up: true };
            self.send_in_dialog(Method::Bye, cx);
            self.end(cx);
            if !unwanted {
                self.tell(LegEvent::Ended(Ending::NotAcked), cx);
            }
        }
    }

    /// The ACK for a 2xx of ours came.
    pub(super) fn acknowledged(&mut self, cseq: u32, body: Option<Sdp>, cx: &mut Cx<'_>) {
        if self.pending_ok.as_ref().is_none_or(|pending| pending.cseq != cseq) {
            return; // a repeated ACK, or one for a transaction long done
        }
        let offered = self.drop_pending_ok(cx).is_some_and(|pending| pending.offered);
        let answer = if offered { body } else { None };
        if let Some(answer) = &answer {
            self.agreement.take_remote(answer.clone());
        }
        if let State::Answering { hang_up } = self.state {
            self.state = State::Confirmed;
            if hang_up {
                // RFC 3261 15: the callee may send BYE once its 2xx is acknowledged.
                self.send_in_dialog(Method::Bye, cx);
                self.end(cx);
                return;
            }
        }
        self.tell(LegEvent::Confirmed(answer), cx);
    }

    /// The timers of a 2xx under way, for whoever counts what is left.
    pub fn is_waiting_for_ack(&self) -> bool {
        self.pending_ok.is_some()
    }
}
