//! A call whose INVITE had a 2xx: the dialog, new offers of either side, and its end (RFC 3261 12, 14, 15).

use super::call_media::CallMedia;
use super::change::Change;
use super::event::PhoneEvent;
use super::in_dialog;
use super::ok_retransmission::OkRetransmission;
use super::renegotiation::{DialogState, Renegotiation};
use super::sdp_body;
use super::user_agent::{ReceivedRequest, ReceivedResponse, UserAgent};
use crate::sdp::Sdp;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::validate::Essentials;
use bytes::Bytes;

/// How far a new RTP port is from the last.
const PORT_STEP: u16 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// This side answered. BYE has to wait for the ACK (RFC 3261 15); then it follows if the user has hung up.
    AwaitingAck { hung_up: bool },
    /// Both sides know that the call is established.
    Talking,
}

/// A call from its answer to its end. Methods that take it by value give it back unless the call is over.
pub(super) struct EstablishedCall {
    dialog: Dialog,
    phase: Phase,
    media: CallMedia,
    /// The 2xx that has no ACK yet.
    ok: Option<OkRetransmission>,
    renegotiation: Renegotiation,
}

impl EstablishedCall {
    /// A call of this side that was answered and acknowledged.
    pub fn outgoing(dialog: Dialog, media: CallMedia, renegotiation: Renegotiation) -> EstablishedCall {
        EstablishedCall { dialog, phase: Phase::Talking, media, ok: None, renegotiation }
    }

    /// A call that this side answers with `ok`.
    pub fn incoming(
        mut dialog: Dialog,
        media: CallMedia,
        renegotiation: Renegotiation,
        ok: OkRetransmission,
    ) -> EstablishedCall {
        dialog.confirmed = true;
        EstablishedCall { dialog, phase: Phase::AwaitingAck { hung_up: false }, media, ok: Some(ok), renegotiation }
    }

    /// Whether both sides know that the call is established.
    pub fn is_talking(&self) -> bool {
        self.phase == Phase::Talking
    }

    /// Its dialog.
    pub fn dialog(&self) -> DialogKey {
        self.dialog.key()
    }

    /// The Call-ID of its dialog.
    pub fn call_id(&self) -> &str {
        self.dialog.call_id.as_str()
    }

    /// Its media.
    pub fn media(&self) -> &CallMedia {
        &self.media
    }

    /// The user hangs up (RFC 3261 15).
    pub fn hang_up(mut self, ua: &mut UserAgent) -> Option<EstablishedCall> {
        match self.phase {
            Phase::AwaitingAck { .. } => {
                self.phase = Phase::AwaitingAck { hung_up: true };
                Some(self)
            }
            Phase::Talking => {
                self.send_bye(ua);
                None
            }
        }
    }

    /// A key is pressed: sends INFO, as phones do that send no telephone events.
    pub fn press(&mut self, ua: &mut UserAgent, key: char) {
        if self.phase != Phase::Talking {
            return;
        }
        let mut info = self.dialog.request(Method::Info);
        info.headers.push(HeaderName::ContentType, Bytes::from_static(b"application/dtmf-relay"));
        info.body = Bytes::from(format!("Signal={key}\r\nDuration=160\r\n"));
        ua.send(info, None);
    }

    /// Sends a request without a body within the dialog, with these header fields.
    pub fn request(&mut self, ua: &mut UserAgent, method: Method, fields: &[(&'static str, &str)]) {
        let mut request = self.dialog.request(method);
        for (name, value) in fields {
            request.headers.push(HeaderName::from_static(name), Bytes::copy_from_slice(value.as_bytes()));
        }
        ua.send(request, None);
    }

    /// Sends a text message (RFC 3428).
    pub fn text(&mut self, ua: &mut UserAgent, text: &str) {
        if self.phase != Phase::Talking {
            return;
        }
        let mut message = self.dialog.request(Method::Message);
        message.headers.push(HeaderName::ContentType, Bytes::from_static(b"text/plain"));
        message.body = Bytes::from(text.to_owned());
        ua.send(message, None);
    }

    /// Adds a re-INVITE or UPDATE to those that are to be sent.
    pub fn want(&mut self, method: Method, change: Option<Change>) {
        self.renegotiation.want(method, change);
    }

    /// Sends the next re-INVITE or UPDATE that is wanted, but not while an INVITE of either side is under way (RFC 3261
    /// 14.1).
    pub fn send_wanted(&mut self, ua: &mut UserAgent) {
        if self.ok.is_none() && self.phase == Phase::Talking {
            self.renegotiation.send_next(ua, &mut self.dialog, &mut self.media);
        }
    }

    /// Takes a response to the re-INVITE or UPDATE under way.
    pub fn on_response(mut self, ua: &mut UserAgent, received: &ReceivedResponse) -> Option<EstablishedCall> {
        let state = self.renegotiation.on_response(ua, &mut self.dialog, &mut self.media, received);
        self.unless_gone(ua, state)
    }

    /// The re-INVITE or UPDATE under way had no response in time.
    pub fn on_timeout(mut self, ua: &mut UserAgent) -> Option<EstablishedCall> {
        let state = self.renegotiation.on_timeout(ua, &mut self.media);
        self.unless_gone(ua, state)
    }

    fn unless_gone(self, ua: &mut UserAgent, state: DialogState) -> Option<EstablishedCall> {
        match state {
            DialogState::Alive => Some(self),
            DialogState::Gone => {
                self.send_bye(ua);
                None
            }
        }
    }

    /// The time to try an offer again has come.
    pub fn on_retry_timer(&mut self) {
        self.renegotiation.on_retry_timer();
    }

    /// The 2xx is to be sent again.
    pub fn on_ok_timer(&mut self, ua: &mut UserAgent) {
        if let Some(ok) = &mut self.ok {
            ok.retransmit(ua);
        }
    }

    /// RFC 3261 13.3.1.4: no ACK came for 64*T1.
    pub fn on_ok_abandoned(self, ua: &mut UserAgent) -> Option<EstablishedCall> {
        if self.ok.is_none() {
            return Some(self);
        }
        self.send_bye(ua);
        None
    }

    /// The ACK of a 2xx.
    pub fn on_ack(mut self, ua: &mut UserAgent, ack: &Request, essentials: &Essentials) -> Option<EstablishedCall> {
        if !in_dialog::is_of(&self.dialog, essentials) {
            return Some(self);
        }
        let Some(ok) = self.ok.take_if(|ok| ok.is_acknowledged_by(essentials.cseq.number)) else { return Some(self) };
        let brings_answer = ok.stop(ua);
        if brings_answer && let Some(answer) = sdp_body::read(&ack.headers, &ack.body) {
            self.media.agreement.remote = Some(answer);
            self.media.report(ua);
        }
        match self.phase {
            Phase::AwaitingAck { hung_up } => {
                self.phase = Phase::Talking;
                ua.report(PhoneEvent::Answered);
                if hung_up {
                    self.send_bye(ua);
                    return None;
                }
                Some(self)
            }
            Phase::Talking => Some(self),
        }
    }

    /// A request of the other side.
    pub fn on_request(mut self, ua: &mut UserAgent, received: &ReceivedRequest) -> Option<EstablishedCall> {
        if let Err(status) = in_dialog::admit(&mut self.dialog, received) {
            ua.reply(received, status);
            return Some(self);
        }
        match &received.request.method {
            Method::Bye => {
                ua.reply(received, 200);
                self.end(ua);
                return None;
            }
            Method::Invite | Method::Update => self.on_renegotiation(ua, received),
            Method::Refer if ua.behaviour.refer_outcome.is_some() => self.on_refer(ua, received),
            method => {
                ua.report_text(&received.request);
                ua.reply(received, in_dialog::default_status(method));
            }
        }
        Some(self)
    }

    /// REFER of the other side: it is accepted, and told (RFC 3515 2.4.5) that it is tried, and how that went.
    fn on_refer(&mut self, ua: &mut UserAgent, received: &ReceivedRequest) {
        ua.reply(received, 202);
        let outcome = ua.behaviour.refer_outcome.unwrap_or(100);
        for status in [100, outcome] {
            let state = if status < 200 { "active;expires=60" } else { "terminated;reason=noresource" };
            let mut notify = self.dialog.request(Method::Notify);
            notify.headers.push(HeaderName::Event, "refer");
            notify.headers.push(HeaderName::SubscriptionState, state);
            notify.headers.push(HeaderName::ContentType, "message/sipfrag;version=2.0");
            notify.body = Bytes::from(format!("SIP/2.0 {status} Outcome\r\n"));
            ua.send(notify, None);
        }
    }

    /// A re-INVITE or UPDATE of the other side.
    fn on_renegotiation(&mut self, ua: &mut UserAgent, received: &ReceivedRequest) {
        let request = &received.request;
        if in_dialog::is_refresh(request) {
            return in_dialog::accept(ua, received, None);
        }
        // RFC 3261 14.2, RFC 3311 5.2: a request of this side is under way, or a 2xx of it has no ACK yet.
        if self.renegotiation.is_pending() || self.ok.is_some() || self.phase != Phase::Talking {
            return ua.reply(received, 491);
        }
        if let Some(status) = ua.behaviour.refuse_reinvite {
            return ua.reply(received, status);
        }
        self.dialog.refresh_target(&request.headers);
        let offer = sdp_body::read(&request.headers, &request.body);
        if !request.body.is_empty() && offer.is_none() {
            return ua.reply(received, 488);
        }
        let before = self.media.negotiator.preferences;
        if ua.behaviour.new_port_on_reinvite {
            let port = before.rtp.port().saturating_add(PORT_STEP);
            self.media.negotiator.preferences.rtp.set_port(port);
        }
        let local = match &offer {
            Some(offer) => self.media.answer(offer, &ua.behaviour),
            None => self.media.offer(),
        };
        match local {
            Some(local) => self.accept(ua, received, offer, local),
            None => {
                self.media.negotiator.preferences = before;
                ua.reply(received, 488);
            }
        }
    }

    fn accept(&mut self, ua: &mut UserAgent, received: &ReceivedRequest, offer: Option<Sdp>, local: Sdp) {
        let local_offered = offer.is_none();
        if received.request.method == Method::Update {
            in_dialog::accept(ua, received, Some(&local));
        } else if let Some(response) = self.invite_response(ua, received, &local) {
            self.ok = Some(OkRetransmission::start(ua, received.server, response, local_offered));
        }
        let agreement = &mut self.media.agreement;
        agreement.local = Some(local);
        agreement.local_offered = local_offered;
        if offer.is_some() {
            agreement.remote = offer;
            self.media.report(ua);
        }
        ua.report(PhoneEvent::Renegotiated);
    }

    fn invite_response(&self, ua: &UserAgent, received: &ReceivedRequest, sdp: &Sdp) -> Option<Response> {
        ua.invite_response(received.server, 200, self.dialog.local_tag.as_str(), Some(sdp))
    }

    /// Ends the call by BYE.
    pub fn send_bye(mut self, ua: &mut UserAgent) {
        let bye = self.dialog.request(Method::Bye);
        ua.send(bye, None);
        self.end(ua);
    }

    fn end(mut self, ua: &mut UserAgent) {
        if let Some(ok) = self.ok.take() {
            ok.stop(ua);
        }
        self.renegotiation.stop(ua);
        ua.abandon_call();
        ua.report(PhoneEvent::Ended);
    }
}
