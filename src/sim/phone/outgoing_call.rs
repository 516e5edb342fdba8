//! A call of this phone that is not answered: INVITE as its sender sees it (RFC 3261 13.2).

use super::call_media::CallMedia;
use super::change::Change;
use super::established_call::EstablishedCall;
use super::event::PhoneEvent;
use super::renegotiation::Renegotiation;
use super::sdp_body;
use super::user_agent::{Purpose, ReceivedResponse, UserAgent};
use crate::sdp::Sdp;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::header::{CSeq, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::ClientId;
use bytes::Bytes;

/// What an INVITE needs to be sent, and sent again with credentials.
struct Invite {
    target: String,
    call_id: String,
    tag: String,
    cseq: u32,
}

impl Invite {
    fn send(&mut self, ua: &mut UserAgent, offer: Option<&Sdp>) -> ClientId {
        self.cseq = self.cseq.saturating_add(1);
        let mut request = Request::new(Method::Invite, self.target.clone());
        let cseq = CSeq { number: self.cseq, method: Method::Invite };
        let from = format!("{};tag={}", ua.identity.address_of_record(), self.tag);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, Bytes::from_static(b"70"));
        headers.push(HeaderName::From, Bytes::from(from));
        headers.push(HeaderName::To, Bytes::from(format!("<{}>", self.target)));
        headers.push(HeaderName::CallId, Bytes::from(self.call_id.clone()));
        headers.push(HeaderName::CSeq, Bytes::from(cseq.to_string()));
        headers.push(HeaderName::Contact, ua.contact());
        if let Some(sdp) = offer {
            sdp_body::attach(headers, &mut request.body, sdp);
        }
        ua.authorize(&mut request);
        ua.send(request, Some(Purpose::Invite))
    }
}

/// What becomes of a call by a response.
pub(super) enum Outcome {
    /// It is not answered yet.
    Pending(Box<OutgoingCall>),
    /// It is answered.
    Established(Box<EstablishedCall>),
    /// It is over.
    Over,
}

/// A call from its INVITE until its final response.
pub(super) struct OutgoingCall {
    invite: Invite,
    client: ClientId,
    /// How often the INVITE was challenged.
    challenged: u8,
    /// Whether a provisional response came, so that it may be cancelled (RFC 3261 9.1).
    provisional_seen: bool,
    /// The dialog of the latest provisional response that made one.
    early: Option<DialogKey>,
    /// Whether the user has hung up.
    hung_up: bool,
    media: CallMedia,
    renegotiation: Renegotiation,
}

impl OutgoingCall {
    /// Calls a number.
    pub fn start(ua: &mut UserAgent, number: &str) -> OutgoingCall {
        let mut media = CallMedia::new(ua);
        let mut invite = Invite {
            target: ua.identity.uri_at_exchange(Some(number), ua.behaviour.sips),
            call_id: ua.identity.new_call_id(&mut ua.rng),
            tag: ua.identity.new_tag(&mut ua.rng),
            cseq: 100,
        };
        let offer = if ua.behaviour.offerless { None } else { media.offer() };
        let client = invite.send(ua, offer.as_ref());
        media.agreement.local_offered = offer.is_some();
        media.agreement.local = offer;
        let renegotiation = Renegotiation::new(true);
        let (challenged, provisional_seen, hung_up) = (0, false, false);
        OutgoingCall { invite, client, challenged, provisional_seen, early: None, hung_up, media, renegotiation }
    }

    /// Its media.
    pub fn media(&self) -> &CallMedia {
        &self.media
    }

    /// Its early dialog, once a response has made one.
    pub fn dialog(&self) -> Option<DialogKey> {
        self.early.clone()
    }

    /// Adds a re-INVITE or UPDATE to those that are to be sent once it is answered.
    pub fn want(&mut self, method: Method, change: Option<Change>) {
        self.renegotiation.want(method, change);
    }

    /// Takes a response to its INVITE.
    pub fn on_response(mut self, ua: &mut UserAgent, received: &ReceivedResponse) -> Outcome {
        let response = &received.response;
        match response.status {
            0..=199 => {
                if self.hung_up && !self.provisional_seen {
                    ua.cancel(received.client);
                }
                self.provisional_seen = true;
                let key = DialogKey::of_response(&received.essentials);
                self.early = key.filter(|key| key.remote_tag.is_some()).or(self.early);
                self.provisional(ua, response);
                Outcome::Pending(Box::new(self))
            }
            200..=299 => self.accepted(ua, received),
            401 if !self.hung_up && ua.learn_challenge(response, self.challenged) => {
                self.challenged = self.challenged.saturating_add(1);
                self.provisional_seen = false;
                self.client = self.invite.send(ua, self.media.agreement.local.as_ref());
                Outcome::Pending(Box::new(self))
            }
            status => {
                self.failed(ua, status);
                Outcome::Over
            }
        }
    }

    fn provisional(&mut self, ua: &mut UserAgent, response: &Response) {
        if let Some(early) = sdp_body::read(&response.headers, &response.body) {
            self.media.agreement.remote = Some(early);
            self.media.report(ua);
            ua.report(PhoneEvent::Progress);
        } else if response.status == 180 {
            ua.report(PhoneEvent::Ringing);
        }
    }

    /// RFC 3261 13.2.2.4: acknowledged at once, and ended by BYE if the user has hung up meanwhile.
    fn accepted(mut self, ua: &mut UserAgent, received: &ReceivedResponse) -> Outcome {
        let response = &received.response;
        let Some(dialog) = ua
            .request_of(received.client)
            .and_then(|request| Dialog::uac(&request, response, &received.essentials).ok())
        else {
            return Outcome::Pending(Box::new(self));
        };
        let remote = sdp_body::read(&response.headers, &response.body);
        // RFC 3261 13.2.1: when the INVITE made no offer, the 2xx does, and the ACK brings the answer.
        let offer = remote.as_ref().filter(|_| !self.media.agreement.local_offered);
        let answer = offer.and_then(|offer| self.media.answer(offer, &ua.behaviour));
        let in_ack = answer.as_ref().filter(|_| !ua.behaviour.bare_acks);
        ua.acknowledge(received, &dialog, in_ack);
        let agreement = &mut self.media.agreement;
        agreement.local = answer.or(agreement.local.take());
        agreement.remote = remote.or(agreement.remote.take());
        let call = EstablishedCall::outgoing(dialog, self.media, self.renegotiation);
        if self.hung_up {
            call.send_bye(ua);
            return Outcome::Over;
        }
        call.media().report(ua);
        ua.report(PhoneEvent::Answered);
        Outcome::Established(Box::new(call))
    }

    /// It was refused, or had no response (408).
    pub fn failed(self, ua: &mut UserAgent, status: u16) {
        ua.abandon_call();
        ua.report(if self.hung_up { PhoneEvent::Ended } else { PhoneEvent::Failed(status) });
    }

    /// The user hangs up: CANCEL, as soon as it may be sent (RFC 3261 9.1).
    pub fn hang_up(&mut self, ua: &mut UserAgent) {
        if self.provisional_seen && !self.hung_up {
            ua.cancel(self.client);
        }
        self.hung_up = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::phone::test_support::{methods, requests, respond, sdp, user_agent};

    fn calling() -> (UserAgent, OutgoingCall, Request) {
        let mut ua = user_agent();
        let call = OutgoingCall::start(&mut ua, "100");
        let invite = requests(&mut ua).remove(0);
        assert_eq!(invite.target, "sip:100@192.0.2.2:5060");
        (ua, call, invite)
    }

    #[test]
    fn an_answer_is_acknowledged_and_establishes_the_call() {
        let (mut ua, call, invite) = calling();
        let (_, ok) = respond(&mut ua, &invite, 200, &[], Some(&sdp(8))).unwrap();
        let Outcome::Established(call) = call.on_response(&mut ua, &ok) else { panic!("not established") };
        assert_eq!(methods(&mut ua), ["ACK"]);
        let target = "192.0.2.2:10000".parse().unwrap();
        assert_eq!(ua.take_events(), [PhoneEvent::MediaAt(target), PhoneEvent::Answered]);
        assert_eq!((call.media().agreement.payload_type(), call.is_talking()), (Some(8), true));
    }

    #[test]
    fn cancel_waits_for_a_provisional_response() {
        let (mut ua, mut call, invite) = calling();
        call.hang_up(&mut ua);
        assert_eq!(methods(&mut ua), [""; 0]);
        let (_, ringing) = respond(&mut ua, &invite, 180, &[], None).unwrap();
        let Outcome::Pending(call) = call.on_response(&mut ua, &ringing) else { panic!("over") };
        assert_eq!(methods(&mut ua), ["CANCEL"]);
        let (_, terminated) = respond(&mut ua, &invite, 487, &[], None).unwrap();
        assert!(matches!(call.on_response(&mut ua, &terminated), Outcome::Over));
        assert_eq!(ua.take_events(), [PhoneEvent::Ringing, PhoneEvent::Ended]);
    }

    #[test]
    fn an_answer_after_the_user_hung_up_is_acknowledged_and_ended() {
        let (mut ua, mut call, invite) = calling();
        call.hang_up(&mut ua);
        let (_, ok) = respond(&mut ua, &invite, 200, &[], Some(&sdp(0))).unwrap();
        assert!(matches!(call.on_response(&mut ua, &ok), Outcome::Over));
        assert_eq!(methods(&mut ua), ["ACK", "BYE"]);
        assert_eq!(ua.take_events(), [PhoneEvent::Ended]);
    }
}
