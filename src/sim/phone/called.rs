//! The phone is called: INVITE as its receiver sees it (RFC 3261 13.3).

use super::{Alarm, Call, Phone, PhoneEvent, State, attach, description, reoffer};
use crate::clock::Time;
use crate::sdp::Sdp;
use crate::sip::dialog::Dialog;
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::timer::TimerId;
use crate::sip::transaction::ServerId;
use crate::sip::uri::Uri;
use crate::sip::validate::Essentials;
use std::time::Duration;

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

/// A 2xx sent again until its ACK comes (RFC 3261 13.3.1.4).
pub(super) struct PendingOk {
    server: ServerId,
    response: Response,
    cseq: u32,
    interval: Duration,
    again: TimerId,
    give_up: TimerId,
    /// It made the offer, so the ACK brings the answer.
    offered: bool,
}

impl Phone {
    pub(super) fn called(&mut self, server: ServerId, request: &Request, essentials: &Essentials) {
        if let Some(status) = self.behaviour.refuse {
            return self.reply(server, request, status);
        }
        // RFC 3261 21.4.18: a line that has a call is busy.
        if self.call.is_some() {
            return self.reply(server, request, 486);
        }
        let tag = self.tag();
        let Ok(dialog) = Dialog::uas(request, essentials, &tag) else { return self.reply(server, request, 400) };
        self.reset_sound();
        self.call = Some(Call {
            state: State::Called { server, ringing: false },
            dialog: Some(dialog),
            local: None,
            remote: description(&request.headers, &request.body),
            made_offer: false,
            ours: false,
            pending_ok: None,
            answer: None,
            reoffers: reoffer::Reoffers::default(),
        });
        let from = user_of(&essentials.from.uri);
        let number = request.uri().map(|uri| user_of(&uri)).unwrap_or_default();
        self.tell(PhoneEvent::Called { from, number });
        let now = self.now;
        if self.behaviour.auto_early_media {
            self.early_media(now);
        }
        if self.behaviour.auto_ring {
            self.ring(now);
        }
        if let Some(after) = self.behaviour.auto_answer_after {
            let timer = self.alarms.set(now + after, Alarm::Answer);
            if let Some(call) = &mut self.call {
                call.answer = Some(timer);
            }
        }
    }

    /// Rings: 180.
    pub fn ring(&mut self, now: Time) {
        self.now = now;
        self.provisional(180, None);
    }

    /// Sends sound before the answer: 183 with the answer to the offer.
    pub fn early_media(&mut self, now: Time) {
        self.now = now;
        let Some(description) = self.description_to_answer() else { return };
        if let Some(call) = &mut self.call {
            call.local = Some(description.clone());
        }
        self.provisional(183, Some(description));
        self.tell_media();
    }

    /// Answers: 200, sent again until the ACK comes.
    pub fn answer(&mut self, now: Time) {
        self.now = now;
        let Some(Call { state: State::Called { server, .. }, .. }) = &self.call else { return };
        let server = *server;
        let Some(description) = self.description_to_answer() else { return self.refuse(now, 488) };
        let offered = self.call.as_ref().is_some_and(|call| call.remote.is_none());
        self.disarm_answer();
        let Some(response) = self.response_in_call(server, 200, Some(&description)) else { return };
        let Some(call) = &mut self.call else { return };
        call.local = Some(description);
        call.made_offer = offered;
        call.state = State::Answering { hang_up: false };
        if let Some(dialog) = &mut call.dialog {
            dialog.confirmed = true;
        }
        self.send_ok(server, response, offered);
        if !offered {
            self.tell_media();
        }
    }

    /// Refuses with a final status.
    pub fn refuse(&mut self, now: Time, status: u16) {
        self.now = now;
        let Some(Call { state: State::Called { server, .. }, .. }) = &self.call else { return };
        if let Some(response) = self.response_in_call(*server, status, None) {
            self.respond(*server, response);
        }
        self.end_call();
    }

    /// What its answer says: what its early one said, the answer to the offer, or an offer when there was none.
    fn description_to_answer(&mut self) -> Option<Sdp> {
        let call = self.call.as_ref()?;
        match (&call.local, &call.remote) {
            (Some(told), _) => Some(told.clone()),
            (None, Some(offer)) => {
                let offer = offer.clone();
                self.answer_to(&offer)
            }
            (None, None) => self.offer(),
        }
    }

    fn provisional(&mut self, status: u16, body: Option<Sdp>) {
        let Some(Call { state: State::Called { server, ringing }, .. }) = &mut self.call else { return };
        *ringing = true;
        let server = *server;
        if let Some(response) = self.response_in_call(server, status, body.as_ref()) {
            self.respond(server, response);
        }
    }

    pub(super) fn response_in_call(&self, server: ServerId, status: u16, body: Option<&Sdp>) -> Option<Response> {
        let tag = self.call.as_ref()?.dialog.as_ref()?.local_tag.as_str();
        let request = self.tx.server_request(server)?;
        let mut response = Response::for_request(request, status, Some(tag));
        if (101..300).contains(&status) {
            response.headers.push(HeaderName::Contact, self.contact());
        }
        if let Some(sdp) = body {
            attach(&mut response.headers, &mut response.body, sdp);
        }
        Some(response)
    }

    pub(super) fn send_ok(&mut self, server: ServerId, response: Response, offered: bool) {
        // RFC 3261 13.2.2.4: its ACK has the number of its INVITE.
        let cseq = response.headers.get(HeaderName::CSeq).and_then(|cseq| CSeq::parse(cseq).ok());
        let cseq = cseq.map_or(0, |cseq| cseq.number);
        self.drop_pending_ok();
        self.respond(server, response.clone());
        let again = self.alarms.set(self.now + T1, Alarm::Ok);
        let give_up = self.alarms.set(self.now + T1 * 64, Alarm::OkGiveUp);
        if let Some(call) = &mut self.call {
            call.pending_ok = Some(PendingOk { server, response, cseq, interval: T1, again, give_up, offered });
        }
    }

    pub(super) fn drop_pending_ok(&mut self) -> Option<PendingOk> {
        let pending = self.call.as_mut()?.pending_ok.take()?;
        self.alarms.cancel(pending.again);
        self.alarms.cancel(pending.give_up);
        Some(pending)
    }

    pub(super) fn disarm_answer(&mut self) {
        if let Some(timer) = self.call.as_mut().and_then(|call| call.answer.take()) {
            self.alarms.cancel(timer);
        }
    }

    /// RFC 3261 13.3.1.4: the interval starts at T1 and doubles up to T2.
    pub(super) fn repeat_ok(&mut self) {
        let Some(pending) = self.call.as_mut().and_then(|call| call.pending_ok.as_mut()) else { return };
        pending.interval = (pending.interval * 2).min(T2);
        pending.again = self.alarms.set(self.now + pending.interval, Alarm::Ok);
        let (server, response) = (pending.server, pending.response.clone());
        self.respond(server, response);
    }

    /// RFC 3261 13.3.1.4: no ACK for 64*T1.
    pub(super) fn ok_never_acked(&mut self) {
        if self.drop_pending_ok().is_some() {
            self.send_bye();
        }
    }

    /// An ACK of no refusal, so of a 2xx.
    pub(super) fn acknowledged(&mut self, request: &Request, essentials: &Essentials) {
        let Some(call) = self.call.as_ref().filter(|call| call.is_of(essentials)) else { return };
        if call.pending_ok.as_ref().is_none_or(|pending| pending.cseq != essentials.cseq.number) {
            return;
        }
        let offered = self.drop_pending_ok().is_some_and(|pending| pending.offered);
        let Some(call) = &mut self.call else { return };
        if offered && let Some(answer) = description(&request.headers, &request.body) {
            call.remote = Some(answer);
            self.tell_media();
        }
        let Some(call) = &mut self.call else { return };
        match call.state {
            State::Answering { hang_up } => {
                call.state = State::Talking;
                self.tell(PhoneEvent::Answered);
                if hang_up {
                    self.send_bye();
                }
            }
            State::Dialling(_) | State::Called { .. } | State::Talking => {}
        }
    }

    /// RFC 3261 9.2: 487, unless it was answered already.
    pub(super) fn cancelled(&mut self, invite: ServerId) {
        if let Some(Call { state: State::Called { server, .. }, .. }) = &self.call
            && *server == invite
        {
            if let Some(response) = self.response_in_call(invite, 487, None) {
                self.respond(invite, response);
            }
            self.end_call();
        }
    }
}

/// The user part of a URI; empty when there is none.
pub(super) fn user_of(uri: &Uri) -> String {
    uri.sip().and_then(|uri| uri.user_text()).map(|user| user.into_owned()).unwrap_or_default()
}
