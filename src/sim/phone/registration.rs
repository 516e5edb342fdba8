//! REGISTER (RFC 3261 10.2), refreshed before it expires.

use super::event::PhoneEvent;
use super::identity::Identity;
use super::user_agent::{Purpose, Timer, UserAgent};
use crate::rng::Rng;
use crate::sip::header::{CSeq, ContactValue, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use bytes::Bytes;
use std::time::Duration;

/// How long before its end a registration is refreshed.
const REFRESH_BEFORE: Duration = Duration::from_secs(5);
/// When to try again after no response, or an error of the exchange.
const RETRY_AFTER: Duration = Duration::from_secs(20);

/// The registration of a phone.
pub(super) struct Registration {
    call_id: String,
    tag: String,
    cseq: u32,
    /// The seconds asked for in the latest REGISTER.
    asked: u32,
    /// How often the latest REGISTER was challenged.
    challenged: u8,
    timer: Option<TimerId>,
    is_registered: bool,
}

impl Registration {
    /// Of a phone that is not registered.
    pub fn new(identity: &Identity, rng: &mut Rng) -> Registration {
        Registration {
            call_id: identity.new_call_id(rng),
            tag: identity.new_tag(rng),
            cseq: 100,
            asked: 0,
            challenged: 0,
            timer: None,
            is_registered: false,
        }
    }

    /// Its tag in From.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether the exchange granted it, and it has not ended since.
    pub fn is_registered(&self) -> bool {
        self.is_registered
    }

    /// How many timers it runs.
    pub fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    /// Registers for this many seconds, 0 to unregister.
    pub fn start(&mut self, ua: &mut UserAgent, expires: u32) {
        ua.cancel_timer(self.timer.take());
        self.asked = expires;
        self.challenged = 0;
        self.send(ua);
    }

    fn send(&mut self, ua: &mut UserAgent) {
        self.cseq = self.cseq.saturating_add(1);
        let mut request = Request::new(Method::Register, ua.identity.uri_at_exchange(None, ua.behaviour.sips));
        let address = ua.identity.address_of_record();
        let cseq = CSeq { number: self.cseq, method: Method::Register };
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, Bytes::from_static(b"70"));
        headers.push(HeaderName::From, Bytes::from(format!("{address};tag={}", self.tag)));
        headers.push(HeaderName::To, Bytes::from(address));
        headers.push(HeaderName::CallId, Bytes::from(self.call_id.clone()));
        headers.push(HeaderName::CSeq, Bytes::from(cseq.to_string()));
        headers.push(HeaderName::Expires, Bytes::from(self.asked.to_string()));
        headers.push(HeaderName::Contact, ua.contact());
        ua.authorize(&mut request);
        ua.send(request, Some(Purpose::Register));
    }

    /// Takes a response to its REGISTER.
    pub fn on_response(&mut self, ua: &mut UserAgent, response: &Response) {
        match response.status {
            0..=199 => {}
            200..=299 if self.asked == 0 => {
                self.is_registered = false;
                ua.report(PhoneEvent::Unregistered);
            }
            200..=299 => self.granted(ua, response),
            401 if ua.learn_challenge(response, self.challenged) => {
                self.challenged = self.challenged.saturating_add(1);
                self.send(ua);
            }
            status => self.refused(ua, status),
        }
    }

    fn granted(&mut self, ua: &mut UserAgent, response: &Response) {
        let own = ua.identity.config.sip.to_string();
        let contacts = response.headers.values(HeaderName::Contact).filter_map(|line| ContactValue::parse(&line).ok());
        let granted = contacts
            .filter(|contact| contact.address().is_some_and(|address| address.uri.to_string().contains(&own)))
            .find_map(|contact| contact.expires());
        let for_all = response.headers.text(HeaderName::Expires).and_then(|text| text.trim().parse().ok());
        let expires = granted.or(for_all).unwrap_or(self.asked);
        self.is_registered = true;
        let wait = Duration::from_secs(u64::from(expires)).saturating_sub(REFRESH_BEFORE);
        self.set_timer(ua, wait.max(Duration::from_secs(1)));
        ua.report(PhoneEvent::Registered { expires });
    }

    /// Its REGISTER was refused, or had no response (408).
    pub fn refused(&mut self, ua: &mut UserAgent, status: u16) {
        self.is_registered = false;
        ua.forget_challenge();
        if matches!(status, 408 | 500..=599) && self.asked > 0 {
            self.set_timer(ua, RETRY_AFTER);
        }
        ua.report(PhoneEvent::RegisterRefused(status));
    }

    fn set_timer(&mut self, ua: &mut UserAgent, wait: Duration) {
        ua.cancel_timer(self.timer.take());
        self.timer = Some(ua.set_timer(wait, Timer::Register));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::phone::test_support::{START, requests, respond, user_agent};

    fn registering() -> (UserAgent, Registration, Request) {
        let mut ua = user_agent();
        let mut registration = Registration::new(&ua.identity, &mut Rng::from_number(1));
        registration.start(&mut ua, 60);
        let register = requests(&mut ua).remove(0);
        (ua, registration, register)
    }

    #[test]
    fn a_challenge_is_answered_and_the_registration_refreshed_before_it_expires() {
        let (mut ua, mut registration, register) = registering();
        let challenge = [(HeaderName::WwwAuthenticate, "Digest realm=\"r\", nonce=\"n\"")];
        let (_, challenged) = respond(&mut ua, &register, 401, &challenge, None).unwrap();
        registration.on_response(&mut ua, &challenged.response);
        let again = requests(&mut ua).remove(0);
        assert!(register.headers.get(HeaderName::Authorization).is_none());
        assert!(again.headers.get(HeaderName::Authorization).is_some());
        let (_, granted) = respond(&mut ua, &again, 200, &[(HeaderName::Expires, "40")], None).unwrap();
        registration.on_response(&mut ua, &granted.response);
        assert_eq!(ua.take_events(), [PhoneEvent::Registered { expires: 40 }]);
        assert!(registration.is_registered());
        ua.now = START + Duration::from_secs(35);
        assert_eq!(ua.expired_timer(), Some(Timer::Register));
    }

    #[test]
    fn a_wrong_secret_ends_it_and_an_error_of_the_exchange_is_tried_again() {
        let (mut ua, mut registration, register) = registering();
        let (_, forbidden) = respond(&mut ua, &register, 403, &[], None).unwrap();
        registration.on_response(&mut ua, &forbidden.response);
        assert_eq!((ua.take_events(), registration.timers()), (vec![PhoneEvent::RegisterRefused(403)], 0));
        registration.start(&mut ua, 60);
        let register = requests(&mut ua).remove(0);
        let (_, unavailable) = respond(&mut ua, &register, 503, &[], None).unwrap();
        registration.on_response(&mut ua, &unavailable.response);
        assert_eq!((ua.take_events(), registration.timers()), (vec![PhoneEvent::RegisterRefused(503)], 1));
        ua.now = START + RETRY_AFTER;
        assert_eq!(ua.expired_timer(), Some(Timer::Register));
        assert!(!registration.is_registered());
    }
}
