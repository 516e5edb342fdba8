//! REGISTER (RFC 3261 10.2), again and again before it expires.

use super::{Alarm, Phone, PhoneConfig, PhoneEvent, Purpose};
use crate::chance::Chance;
use crate::clock::Time;
use crate::sip::header::{CSeq, ContactValue, HeaderName};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::timer::TimerId;
use bytes::Bytes;
use std::time::Duration;

/// So long before its end a registration is refreshed.
const AHEAD: Duration = Duration::from_secs(5);
/// So long after a refusal by nobody (no answer) it is tried again.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Registration {
    call_id: String,
    tag: String,
    cseq: u32,
    /// The seconds asked for in the REGISTER under way.
    asked: u32,
    challenged: u8,
    refresh: Option<TimerId>,
    is_registered: bool,
}

impl Registration {
    pub fn new(config: &PhoneConfig, chance: &mut Chance) -> Registration {
        let (begin, end) = config.profile.marks(config.sip.port());
        Registration {
            call_id: format!("{begin}{}@{}", chance.hex(16), config.sip.ip()),
            tag: format!("{begin}{}{end}", chance.hex(12)),
            cseq: 100,
            asked: 0,
            challenged: 0,
            refresh: None,
            is_registered: false,
        }
    }

    /// The tag it has whenever no dialog gives it another.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    pub fn is_armed(&self) -> bool {
        self.refresh.is_some()
    }
}

impl Phone {
    /// Registers, or refreshes its registration now.
    pub fn register(&mut self, now: Time) {
        self.ask_to_register(now, self.config.expires);
    }

    /// Ends its registration.
    pub fn unregister(&mut self, now: Time) {
        self.ask_to_register(now, 0);
    }

    /// Did the exchange say that it is registered, and has it not ended since?
    pub fn is_registered(&self) -> bool {
        self.registration.is_registered
    }

    fn ask_to_register(&mut self, now: Time, expires: u32) {
        self.now = now;
        self.disarm_refresh();
        self.registration.asked = expires;
        self.registration.challenged = 0;
        self.send_register();
    }

    fn disarm_refresh(&mut self) {
        if let Some(timer) = self.registration.refresh.take() {
            self.alarms.cancel(timer);
        }
    }

    fn send_register(&mut self) {
        self.registration.cseq = self.registration.cseq.saturating_add(1);
        let exchange = self.config.exchange;
        let mut request = Request::new(Method::Register, self.scheme(format!("sip:{exchange}")));
        let Registration { call_id, tag, cseq, asked, .. } = &self.registration;
        let address = format!("<sip:{}@{exchange}>", self.config.user);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, Bytes::from_static(b"70"));
        headers.push(HeaderName::From, Bytes::from(format!("{address};tag={tag}")));
        headers.push(HeaderName::To, Bytes::from(address));
        headers.push(HeaderName::CallId, Bytes::from(call_id.clone()));
        headers.push(HeaderName::CSeq, Bytes::from(CSeq { number: *cseq, method: Method::Register }.to_string()));
        headers.push(HeaderName::Expires, Bytes::from(asked.to_string()));
        headers.push(HeaderName::Contact, self.contact());
        self.authorize(&mut request);
        self.send(request, Some(Purpose::Register));
    }

    pub(super) fn register_answered(&mut self, response: &Response) {
        match response.status {
            0..=199 => {}
            200..=299 if self.registration.asked == 0 => {
                self.registration.is_registered = false;
                self.tell(PhoneEvent::Unregistered);
            }
            200..=299 => self.registered(response),
            401 => {
                let challenged = self.registration.challenged;
                if self.learn_challenge(response, challenged) {
                    self.registration.challenged = challenged.saturating_add(1);
                    self.send_register();
                } else {
                    self.register_refused(401);
                }
            }
            status => self.register_refused(status),
        }
    }

    fn registered(&mut self, response: &Response) {
        let ours = format!("{}", self.config.sip);
        let contacts = response.headers.values(HeaderName::Contact).filter_map(|line| ContactValue::parse(&line).ok());
        let granted = contacts
            .filter(|contact| contact.address().is_some_and(|address| address.uri.to_string().contains(&ours)))
            .find_map(|contact| contact.expires());
        let whole = response.headers.text(HeaderName::Expires).and_then(|text| text.trim().parse().ok());
        let expires = granted.or(whole).unwrap_or(self.registration.asked);
        self.registration.is_registered = true;
        let wait = Duration::from_secs(u64::from(expires)).saturating_sub(AHEAD).max(Duration::from_secs(1));
        self.arm_refresh(wait);
        self.tell(PhoneEvent::Registered { expires });
    }

    pub(super) fn register_refused(&mut self, status: u16) {
        self.registration.is_registered = false;
        self.challenge = None;
        if matches!(status, 408 | 500..=599) && self.registration.asked > 0 {
            self.arm_refresh(PATIENCE);
        }
        self.tell(PhoneEvent::RegisterRefused(status));
    }

    fn arm_refresh(&mut self, wait: Duration) {
        self.disarm_refresh();
        self.registration.refresh = Some(self.alarms.set(self.now + wait, Alarm::Refresh));
    }
}
