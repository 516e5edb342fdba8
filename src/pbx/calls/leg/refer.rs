//! REFER within a dialog (RFC 3515): the peer's, whose implicit subscription is told how the call goes that it asked for,
//! and our own.

use super::context::Cx;
use super::event::LegEvent;
use super::user_agent::UserAgent;
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::status::reason_phrase;
use crate::sip::transaction::{ClientId, ServerId};
use bytes::Bytes;

/// `Refer-Sub` (RFC 4488): false when nobody wants to be told how it goes.
const REFER_SUB: HeaderName = HeaderName::Other(Bytes::from_static(b"Refer-Sub"));
/// How long the implicit subscription may last, in seconds: longer than anything rings.
const LASTS: u32 = 180;

/// How often a NOTIFY is sent again that a later request of ours has overtaken.
const MAX_REPEATS: u8 = 3;

/// What a leg was asked by REFER, and asks.
#[derive(Debug, Default)]
pub struct Refers {
    /// The peer's REFER whose outcome is not known yet.
    open: Option<Subscription>,
    /// Our NOTIFY that has no answer yet: the next waits for that, or it might arrive before it.
    sent: Option<Sent>,
    /// What is to be told next.
    waiting: Option<(u32, u16)>,
    /// Our own REFER, until its outcome is known.
    ours: Option<ClientId>,
    /// Ours was accepted, and the peer will tell how it goes.
    is_told: bool,
}

/// The subscription that a REFER makes (RFC 3515 2.4.4).
#[derive(Debug, Clone, Copy)]
struct Subscription {
    /// The number of the REFER, which names it.
    id: u32,
    /// Nobody is told.
    is_quiet: bool,
}

/// A NOTIFY of ours.
#[derive(Debug, Clone, Copy)]
struct Sent {
    client: ClientId,
    /// The subscription and the status that it tells.
    told: (u32, u16),
    /// How often it was sent before.
    repeats: u8,
}

impl Refers {
    /// Is the outcome of a REFER of the peer still open?
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The peer's REFER is accepted: 202. Who asked not to be told (RFC 4488) is not.
    pub fn accept(&mut self, server: ServerId, request: &Request, ua: &UserAgent, cx: &mut Cx<'_>) {
        let is_quiet = request.headers.text(REFER_SUB).is_some_and(|wish| wish.trim().eq_ignore_ascii_case("false"));
        let cseq = request.headers.get(HeaderName::CSeq);
        let id = cseq.and_then(|cseq| crate::sip::header::CSeq::parse(cseq).ok()).map_or(0, |cseq| cseq.number);
        let mut response = ua.response(request, 202, None);
        if is_quiet {
            response.headers.push(REFER_SUB, "false");
        }
        cx.core.respond(server, response);
        self.open = Some(Subscription { id, is_quiet });
    }

    /// Tells the peer how the call goes that it asked for (RFC 3515 2.4.5); a final status ends the subscription.
    pub fn notify(&mut self, status: u16, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        let Some(Subscription { id, is_quiet }) = self.open else { return };
        if status >= 200 {
            self.open = None;
        }
        if is_quiet {
            return;
        }
        match self.sent {
            Some(_) => self.waiting = Some((id, status)),
            None => self.send((id, status), 0, ua, cx),
        }
    }

    fn send(&mut self, told: (u32, u16), repeats: u8, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        let (id, status) = told;
        let Some(dialog) = &mut ua.dialogs.current else { return };
        let mut request = dialog.request(Method::Notify);
        let state =
            if status < 200 { format!("active;expires={LASTS}") } else { "terminated;reason=noresource".into() };
        request.headers.push(HeaderName::Contact, ua.contact.clone());
        request.headers.push(HeaderName::Event, format!("refer;id={id}"));
        request.headers.push(HeaderName::SubscriptionState, state);
        request.headers.push(HeaderName::ContentType, "message/sipfrag;version=2.0");
        request.body = format!("SIP/2.0 {status} {}\r\n", reason_phrase(status)).into();
        ua.add_common_headers(&mut request, cx);
        self.sent = Some(Sent { client: ua.send(request, cx), told, repeats });
    }

    /// What is still to be told is told at once: the dialog is about to end.
    pub(super) fn flush(&mut self, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        if let Some(told) = self.waiting.take() {
            self.send(told, 0, ua, cx);
        }
    }

    /// Asks the peer to call somebody else.
    pub fn refer(&mut self, to: &str, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        let Some(dialog) = &mut ua.dialogs.current else { return };
        let mut request = dialog.request(Method::Refer);
        let by = format!("<{}>", dialog.local.uri);
        request.headers.push(HeaderName::Contact, ua.contact.clone());
        request.headers.push(HeaderName::ReferTo, format!("<{to}>"));
        request.headers.push(HeaderName::ReferredBy, by);
        ua.add_common_headers(&mut request, cx);
        self.ours = Some(ua.send(request, cx));
        self.is_told = false;
    }

    /// Is this a NOTIFY or REFER of ours?
    pub(super) fn is_sent(&self, id: ClientId) -> bool {
        self.ours == Some(id) || self.is_notify(id)
    }

    fn is_notify(&self, id: ClientId) -> bool {
        self.sent.is_some_and(|sent| sent.client == id)
    }

    /// A response to one of them, of number `cseq`. Who refuses to be told how it goes is told nothing more; what a later
    /// request of ours overtook is told again.
    pub(super) fn on_response(
        &mut self,
        id: ClientId,
        (response, cseq): (&Response, u32),
        ua: &mut UserAgent,
        cx: &mut Cx<'_>,
    ) {
        if response.status < 200 {
            return;
        }
        if self.ours == Some(id) {
            self.ours = None;
            let refused =
                response.headers.text(REFER_SUB).is_some_and(|wish| wish.trim().eq_ignore_ascii_case("false"));
            self.is_told = response.status < 300 && !refused;
            if !self.is_told {
                ua.report(LegEvent::Referred(response.status), cx);
            }
            return;
        }
        let sent = self.sent.take();
        let is_overtaken = response.status == 500 && ua.is_overtaken(cseq);
        if let Some(sent) = sent.filter(|sent| is_overtaken && sent.repeats < MAX_REPEATS) {
            // What is to be told next says more.
            let told = self.waiting.take().unwrap_or(sent.told);
            return self.send(told, sent.repeats.saturating_add(1), ua, cx);
        }
        if response.status >= 300 {
            (self.open, self.waiting) = (None, None);
        }
        self.flush(ua, cx);
    }

    /// One of them had no answer.
    pub(super) fn on_silence(&mut self, id: ClientId, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        if self.ours == Some(id) {
            self.ours = None;
            ua.report(LegEvent::Referred(408), cx);
        }
        if self.is_notify(id) {
            self.sent = None;
            self.flush(ua, cx);
        }
    }

    /// The peer's NOTIFY: how the call goes that we asked for, when it is about that.
    pub(super) fn notified(&mut self, request: &Request, ua: &UserAgent, cx: &mut Cx<'_>) {
        let event = request.headers.text(HeaderName::Event).unwrap_or_default();
        let is_refer = event.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("refer"));
        let line = String::from_utf8_lossy(&request.body).into_owned();
        let status = line.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
        let state = request.headers.text(HeaderName::SubscriptionState).unwrap_or_default();
        let is_over = state.trim().to_ascii_lowercase().starts_with("terminated");
        let outcome = match status {
            Some(status) if status >= 200 => Some(status),
            // RFC 3515 2.4.5: what ends without a final status has failed as far as anybody knows.
            _ => Some(500).filter(|_| is_over),
        };
        // It may overtake the 202 (RFC 6665 4.1.2.4), which says nothing more then.
        if let Some(status) = outcome.filter(|_| is_refer && (self.is_told || self.ours.is_some())) {
            (self.is_told, self.ours) = (false, None);
            ua.report(LegEvent::Referred(status), cx);
        }
    }
}
