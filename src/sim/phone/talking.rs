//! The dialog of a call: requests within it, and its end (RFC 3261 12, 15).

use super::{Call, Phone, PhoneEvent, State};
use crate::clock::Time;
use crate::sip::dialog::DialogKey;
use crate::sip::header::HeaderName;
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;
use bytes::Bytes;

impl Call {
    /// Does the request belong to this call's dialog?
    pub(super) fn is_of(&self, essentials: &Essentials) -> bool {
        match (&self.dialog, DialogKey::of_request(essentials)) {
            (Some(dialog), Some(key)) => dialog.key() == key,
            (Some(_) | None, Some(_) | None) => false,
        }
    }
}

impl Phone {
    /// Hangs up: CANCEL, refusal (480) or BYE as its state demands (RFC 3261 15); nothing without a call.
    pub fn hang_up(&mut self, now: Time) {
        self.now = now;
        let Some(call) = &mut self.call else { return };
        match &mut call.state {
            State::Dialling(_) => self.give_up(),
            State::Called { .. } => self.refuse(now, 480),
            State::Answering { hang_up } => *hang_up = true,
            State::Talking => self.send_bye(),
        }
    }

    /// A key is pressed in mid-call: INFO, as telephones that send no telephone events have it.
    pub fn press(&mut self, now: Time, key: char) {
        self.now = now;
        let Some(call) = self.call.as_mut().filter(|call| matches!(call.state, State::Talking)) else { return };
        let Some(dialog) = &mut call.dialog else { return };
        let mut info = dialog.request(Method::Info);
        info.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/dtmf-relay"));
        info.body = Bytes::from(format!("Signal={key}\r\nDuration=160\r\n"));
        self.send(info, None);
    }

    /// The Call-ID of its call, once there is a dialog.
    pub fn call_id(&self) -> Option<&str> {
        self.call.as_ref()?.dialog.as_ref().map(|dialog| dialog.call_id.as_str())
    }

    /// A request with a To tag.
    pub(super) fn in_dialog(&mut self, server: ServerId, request: &Request, essentials: &Essentials) {
        let Some(call) = self.call.as_mut().filter(|call| call.is_of(essentials)) else {
            return self.reply(server, request, 481);
        };
        let in_order =
            call.dialog.as_mut().is_some_and(|dialog| dialog.receive(essentials.cseq.number, &request.method).is_ok());
        if !in_order {
            return self.reply(server, request, 500);
        }
        match request.method {
            Method::Bye => self.bye_came(server, request),
            Method::Invite | Method::Update => self.reoffered(server, request),
            Method::Options | Method::Info | Method::Notify | Method::Message => self.reply(server, request, 200),
            Method::Ack
            | Method::Cancel
            | Method::Register
            | Method::Subscribe
            | Method::Refer
            | Method::Prack
            | Method::Publish
            | Method::Other(_) => self.reply(server, request, 405),
        }
    }

    fn bye_came(&mut self, server: ServerId, request: &Request) {
        self.reply(server, request, 200);
        if let Some(Call { state: State::Called { server: invite, .. }, .. }) = &self.call {
            // RFC 3261 15.1.2: a pending INVITE is over with it.
            let invite = *invite;
            if let Some(response) = self.response_in_call(invite, 487, None) {
                self.respond(invite, response);
            }
        }
        self.end_call();
    }

    pub(super) fn send_bye(&mut self) {
        let Some(dialog) = self.call.as_mut().and_then(|call| call.dialog.as_mut()) else { return };
        let bye = dialog.request(Method::Bye);
        self.send(bye, None);
        self.end_call();
    }

    pub(super) fn end_call(&mut self) {
        self.forget_call();
        self.tell(PhoneEvent::Ended);
    }

    /// Takes the call off, with its timers and with what its requests were for.
    pub(super) fn forget_call(&mut self) {
        self.disarm_answer();
        self.drop_pending_ok();
        self.disarm_reoffer();
        let (tx, now) = (&mut self.tx, self.now);
        self.purposes.retain(|client, purpose| {
            let stays = *purpose == super::Purpose::Register;
            if !stays {
                tx.abandon(now, *client);
            }
            stays
        });
        self.call = None;
    }
}
