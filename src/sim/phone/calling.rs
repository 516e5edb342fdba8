//! The phone calls: INVITE as its sender sees it (RFC 3261 13.2).

use super::{Call, Phone, PhoneEvent, Purpose, State, attach, description, reoffer};
use crate::clock::Time;
use crate::sdp::Sdp;
use crate::sip::dialog::Dialog;
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::ClientId;
use crate::sip::uri::SipUri;
use crate::sip::validate::Essentials;
use bytes::Bytes;

/// An INVITE under way, with what is needed to send it again with credentials.
pub(super) struct Dialling {
    client: Option<ClientId>,
    target: String,
    call_id: String,
    tag: String,
    cseq: u32,
    challenged: u8,
    /// A provisional response came: it may be cancelled (RFC 3261 9.1).
    heard: bool,
    /// The user hung up.
    given_up: bool,
}

impl Phone {
    /// Calls a number. Nothing happens while it has a call.
    pub fn dial(&mut self, now: Time, number: &str) {
        self.now = now;
        if self.call.is_some() {
            return;
        }
        self.reset_sound();
        let exchange = self.config.exchange;
        let target = SipUri::new(Some(number), exchange.ip().into(), Some(exchange.port())).to_string();
        let target = self.scheme(target);
        let (begin, _) = self.config.profile.marks(self.config.sip.port());
        let dialling = Dialling {
            client: None,
            target,
            call_id: format!("{begin}{}@{}", self.chance.hex(16), self.config.sip.ip()),
            tag: self.tag(),
            cseq: 100,
            challenged: 0,
            heard: false,
            given_up: false,
        };
        let local = if self.behaviour.offerless { None } else { self.offer() };
        self.call = Some(Call {
            state: State::Dialling(dialling),
            dialog: None,
            made_offer: local.is_some(),
            local,
            remote: None,
            ours: true,
            pending_ok: None,
            answer: None,
            reoffers: reoffer::Reoffers::default(),
        });
        self.send_invite();
    }

    fn send_invite(&mut self) {
        let exchange = self.config.exchange;
        let contact = self.contact();
        let Some(Call { state: State::Dialling(dialling), local, .. }) = &mut self.call else { return };
        dialling.cseq = dialling.cseq.saturating_add(1);
        dialling.heard = false;
        let mut request = Request::new(Method::Invite, dialling.target.clone());
        let cseq = CSeq { number: dialling.cseq, method: Method::Invite };
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, Bytes::from_static(b"70"));
        let from = format!("<sip:{}@{exchange}>;tag={}", self.config.user, dialling.tag);
        headers.push(HeaderName::From, Bytes::from(from));
        headers.push(HeaderName::To, Bytes::from(format!("<{}>", dialling.target)));
        headers.push(HeaderName::CallId, Bytes::from(dialling.call_id.clone()));
        headers.push(HeaderName::CSeq, Bytes::from(cseq.to_string()));
        headers.push(HeaderName::Contact, contact);
        if let Some(sdp) = local {
            attach(headers, &mut request.body, sdp);
        }
        self.authorize(&mut request);
        let client = self.send(request, Some(Purpose::Invite));
        if let Some(Call { state: State::Dialling(dialling), .. }) = &mut self.call {
            dialling.client = Some(client);
        }
    }

    pub(super) fn invite_answered(&mut self, id: ClientId, response: &Response, essentials: &Essentials) {
        let Some(Call { state: State::Dialling(dialling), .. }) = &mut self.call else {
            return self.acknowledge_late(id, response, essentials);
        };
        match response.status {
            0..=199 => {
                let cancel = dialling.given_up && !dialling.heard;
                dialling.heard = true;
                if cancel {
                    self.tx.cancel(self.now, id, &mut self.sent);
                }
                self.provisional_came(response);
            }
            200..=299 => self.invite_accepted(id, response, essentials),
            401 => {
                let (challenged, given_up) = (dialling.challenged, dialling.given_up);
                if !given_up && self.learn_challenge(response, challenged) {
                    if let Some(Call { state: State::Dialling(dialling), .. }) = &mut self.call {
                        dialling.challenged = challenged.saturating_add(1);
                    }
                    self.send_invite();
                } else {
                    self.invite_failed(401);
                }
            }
            status => self.invite_failed(status),
        }
    }

    fn provisional_came(&mut self, response: &Response) {
        let early = description(&response.headers, &response.body);
        if let (Some(early), Some(call)) = (early, &mut self.call) {
            call.remote = Some(early);
            self.tell_media();
            self.tell(PhoneEvent::Progress);
        } else if response.status == 180 {
            self.tell(PhoneEvent::Ringing);
        }
    }

    /// RFC 3261 13.2.2.4: acknowledged at once; and ended, when the user hung up meanwhile.
    fn invite_accepted(&mut self, id: ClientId, response: &Response, essentials: &Essentials) {
        let Some(request) = self.tx.request_of(id) else { return };
        let Ok(dialog) = Dialog::uac(&request, response, essentials) else { return };
        let told = description(&response.headers, &response.body);
        let offerless = self.call.as_ref().is_some_and(|call| !call.made_offer);
        // RFC 3261 13.2.1: the 2xx made the offer, so the ACK brings the answer.
        let answer = told.as_ref().filter(|_| offerless).and_then(|offer| self.answer_to(offer));
        self.acknowledge(id, &dialog, essentials, answer.as_ref());
        let Some(call) = &mut self.call else { return };
        let given_up = matches!(&call.state, State::Dialling(dialling) if dialling.given_up);
        call.dialog = Some(dialog);
        call.state = State::Talking;
        if answer.is_some() {
            call.local = answer;
        }
        if told.is_some() {
            call.remote = told;
        }
        if given_up {
            return self.send_bye();
        }
        self.tell_media();
        self.tell(PhoneEvent::Answered);
    }

    pub(super) fn acknowledge(&mut self, id: ClientId, dialog: &Dialog, essentials: &Essentials, body: Option<&Sdp>) {
        if self.behaviour.never_acks {
            return;
        }
        let mut ack = dialog.ack(essentials.cseq.number);
        if let Some(sdp) = body {
            attach(&mut ack.headers, &mut ack.body, sdp);
        }
        let flow = self.flow();
        self.tx.acknowledge(id, ack, flow, &mut self.chance, &mut self.sent);
    }

    /// A 2xx to an INVITE of a call that is gone: acknowledged, and ended when it opened one (RFC 3261 13.2.2.4).
    pub(super) fn acknowledge_late(&mut self, id: ClientId, response: &Response, essentials: &Essentials) {
        if essentials.cseq.method != Method::Invite || !(200..300).contains(&response.status) {
            return;
        }
        let Some(request) = self.tx.request_of(id) else { return };
        let opened = !request.headers.text(HeaderName::To).unwrap_or_default().contains(";tag=");
        let Ok(mut dialog) = Dialog::uac(&request, response, essentials) else { return };
        self.acknowledge(id, &dialog, essentials, None);
        if opened {
            let bye = dialog.request(Method::Bye);
            self.send(bye, None);
        }
    }

    pub(super) fn invite_failed(&mut self, status: u16) {
        let Some(Call { state: State::Dialling(dialling), .. }) = &self.call else { return };
        let event = if dialling.given_up { PhoneEvent::Ended } else { PhoneEvent::Failed(status) };
        self.forget_call();
        self.tell(event);
    }

    /// The user hangs up before the answer: CANCEL, as soon as it may be sent (RFC 3261 9.1).
    pub(super) fn give_up(&mut self) {
        let Some(Call { state: State::Dialling(dialling), .. }) = &mut self.call else { return };
        if dialling.given_up {
            return;
        }
        dialling.given_up = true;
        if let Some(client) = dialling.client.filter(|_| dialling.heard) {
            self.tx.cancel(self.now, client, &mut self.sent);
        }
    }
}
