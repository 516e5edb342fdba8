//! MESSAGE outside of a call (RFC 3428): one at a time, sent again with credentials when it is challenged.

use super::event::PhoneEvent;
use super::user_agent::{Purpose, UserAgent};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use bytes::Bytes;

/// The text message that a phone is sending.
#[derive(Default)]
pub(super) struct Texting {
    under_way: Option<Text>,
}

struct Text {
    to: String,
    body: String,
    call_id: String,
    cseq: u32,
    challenged: u8,
}

impl Texting {
    /// Sends a text to a number. Nothing happens while another is under way.
    pub fn start(&mut self, ua: &mut UserAgent, to: &str, body: &str) {
        if self.under_way.is_none() {
            let call_id = ua.identity.new_call_id(&mut ua.rng);
            let text = Text { to: to.to_owned(), body: body.to_owned(), call_id, cseq: 1, challenged: 0 };
            send(ua, &text);
            self.under_way = Some(text);
        }
    }

    /// Takes a response to it.
    pub fn on_response(&mut self, ua: &mut UserAgent, response: &Response) {
        let Some(text) = &mut self.under_way else { return };
        match response.status {
            0..=199 => {}
            401 if ua.learn_challenge(response, text.challenged) => {
                text.challenged = text.challenged.saturating_add(1);
                text.cseq = text.cseq.saturating_add(1);
                send(ua, text);
            }
            status => self.end(ua, status),
        }
    }

    /// It is over with this status (408: no response).
    pub fn end(&mut self, ua: &mut UserAgent, status: u16) {
        self.under_way = None;
        ua.report(PhoneEvent::TextAnswered(status));
    }

    /// Whether one is under way.
    pub fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }
}

fn send(ua: &mut UserAgent, text: &Text) {
    let target = ua.identity.uri_at_exchange(Some(&text.to), ua.behaviour.sips);
    let mut request = Request::new(Method::Message, target.clone());
    let from = format!("{};tag={}", ua.identity.address_of_record(), ua.identity.new_tag(&mut ua.rng));
    let headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, Bytes::from_static(b"70"));
    headers.push(HeaderName::From, from);
    headers.push(HeaderName::To, format!("<{target}>"));
    headers.push(HeaderName::CallId, text.call_id.clone());
    headers.push(HeaderName::CSeq, format!("{} MESSAGE", text.cseq));
    headers.push(HeaderName::ContentType, Bytes::from_static(b"text/plain"));
    request.body = Bytes::from(text.body.clone());
    ua.authorize(&mut request);
    ua.send(request, Some(Purpose::Text));
}
