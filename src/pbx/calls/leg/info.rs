//! INFO (RFC 6086, RFC 2976) and MESSAGE (RFC 3428) within a call: what one line sends goes to the other line's dialog as it is, and
//! the other line's final answer is the answer. Until then nothing is said: repeated requests are absorbed by the
//! transaction, and its time is that of ours.

use super::context::Cx;
use super::event::{Ending, LegEvent};
use super::info_digit;
use super::user_agent::UserAgent;
use crate::dialplan::text_message::PLAIN;
use crate::sip::header::{HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::{ClientId, ServerId};
use std::time::Duration;

/// Maximum number of INFO requests to one line that have no answer yet.
const MAX_PENDING: usize = 16;

/// The headers that say what a body is, and what the request is for (RFC 6086 4.1).
const CARRIED: [&str; 6] =
    ["Content-Type", "Content-Disposition", "Content-Encoding", "Content-Language", "MIME-Version", "Info-Package"];
/// The headers of an answer that say what would be taken.
const ANSWERED: [&str; 3] = ["Accept", "Accept-Encoding", "Recv-Info"];

/// The INFO and MESSAGE requests that a leg passes on to its peer.
#[derive(Debug, Default)]
pub struct InfoRelay {
    /// The latest Allow of the peer names INFO; none: it never sent one, which says nothing (RFC 3261 20.5).
    peer_takes: Option<bool>,
    /// The same of MESSAGE.
    peer_takes_text: Option<bool>,
    /// Ours.
    sent: Vec<Sent>,
}

/// A request of ours that has no answer yet.
#[derive(Debug)]
struct Sent {
    id: ClientId,
    /// The other line's that it carries.
    server: Option<ServerId>,
    /// It is a MESSAGE.
    is_text: bool,
}

impl InfoRelay {
    /// Notes whether the peer takes INFO and MESSAGE, by a message of its own.
    pub(super) fn note_allow(&mut self, headers: &Headers) {
        let mut allowed = headers.values(HeaderName::Allow).peekable();
        if allowed.peek().is_some() {
            let (mut info, mut text) = (false, false);
            for method in allowed {
                info |= method.eq_ignore_ascii_case(b"INFO");
                text |= method.eq_ignore_ascii_case(b"MESSAGE");
            }
            (self.peer_takes, self.peer_takes_text) = (Some(info), Some(text));
        }
    }

    /// The peer's INFO. One that says nothing only asks whether the call is up, and is answered here.
    pub(super) fn receive(server: ServerId, request: &Request, ua: &UserAgent, cx: &mut Cx<'_>) {
        if request.body.is_empty() && request.headers.get(HeaderName::from_static("Info-Package")).is_none() {
            return cx.core.respond(server, Response::for_request(request, 200, None));
        }
        ua.report(LegEvent::InfoReceived(server), cx);
    }

    /// Passes the other line's INFO or MESSAGE on to the peer; the status to refuse it with, when that cannot be.
    ///
    /// # Errors
    /// The peer does not take it, or has not answered those before.
    pub fn pass(&mut self, server: ServerId, ua: &mut UserAgent, cx: &mut Cx<'_>) -> Result<(), u16> {
        let Some(received) = cx.core.tx.server_request(server).cloned() else { return Ok(()) };
        let takes = if received.method == Method::Message { self.peer_takes_text } else { self.peer_takes };
        if takes == Some(false) {
            return Err(415);
        }
        if self.sent.len() >= MAX_PENDING {
            return Err(500);
        }
        let Some(dialog) = &mut ua.dialogs.current else { return Err(415) };
        let is_text = received.method == Method::Message;
        let mut request = dialog.request(received.method);
        for name in CARRIED.map(HeaderName::from_static) {
            if let Some(value) = received.headers.get(name.clone()) {
                request.headers.push(name, value.clone());
            }
        }
        request.body = received.body;
        ua.add_common_headers(&mut request, cx);
        let id = ua.send(request, cx);
        self.sent.push(Sent { id, server: Some(server), is_text });
        Ok(())
    }

    /// Sends the peer a digit of our own, pressed for so long.
    ///
    /// # Errors
    /// Why it cannot be sent.
    pub fn send_digit(
        &mut self,
        (digit, pressed): (char, Duration),
        is_short: bool,
        ua: &mut UserAgent,
        cx: &mut Cx<'_>,
    ) -> Result<(), String> {
        if self.peer_takes == Some(false) {
            return Err("its telephone takes no INFO".to_owned());
        }
        if self.sent.len() >= MAX_PENDING {
            return Err(format!("its telephone has not answered {MAX_PENDING} INFO requests"));
        }
        let Some(dialog) = &mut ua.dialogs.current else { return Err("there is no dialog yet".to_owned()) };
        let mut request = dialog.request(Method::Info);
        let (kind, body) = info_digit::body(digit, pressed, is_short);
        request.headers.push(HeaderName::ContentType, kind);
        request.body = body.into();
        ua.add_common_headers(&mut request, cx);
        let id = ua.send(request, cx);
        self.sent.push(Sent { id, server: None, is_text: false });
        Ok(())
    }

    /// Sends the peer a text of our own.
    ///
    /// # Errors
    /// Why it cannot be sent.
    pub fn send_text(&mut self, text: String, ua: &mut UserAgent, cx: &mut Cx<'_>) -> Result<(), String> {
        if self.peer_takes_text == Some(false) {
            return Err("its telephone takes no text messages".to_owned());
        }
        if self.sent.len() >= MAX_PENDING {
            return Err(format!("its telephone has not answered {MAX_PENDING} requests"));
        }
        let Some(dialog) = &mut ua.dialogs.current else { return Err("there is no dialog yet".to_owned()) };
        let mut request = dialog.request(Method::Message);
        request.headers.push(HeaderName::ContentType, PLAIN.as_bytes());
        request.body = text.into();
        ua.add_common_headers(&mut request, cx);
        let id = ua.send(request, cx);
        self.sent.push(Sent { id, server: None, is_text: true });
        Ok(())
    }

    /// Is this one of ours?
    pub(super) fn is_sent(&self, id: ClientId) -> bool {
        self.sent.iter().any(|sent| sent.id == id)
    }

    /// The peer's response. Says how the leg ends, when it ends by it (RFC 3261 12.2.1.2).
    pub(super) fn on_response(&mut self, id: ClientId, response: &Response, cx: &mut Cx<'_>) -> Option<Ending> {
        if response.status < 200 {
            return None;
        }
        let status = carried_status(response.status);
        let sent = self.take(id);
        if let Some(server) = sent.as_ref().and_then(|sent| sent.server) {
            answer(server, status, Some(response).filter(|_| status == response.status), cx);
        }
        if matches!(response.status, 405 | 501) {
            let is_text = sent.is_some_and(|sent| sent.is_text);
            *(if is_text { &mut self.peer_takes_text } else { &mut self.peer_takes }) = Some(false);
        }
        (response.status == 481).then_some(Ending::Gone)
    }

    /// The peer never answered. The call goes on: it is no worse than a digit that was not heard.
    pub(super) fn on_silence(&mut self, id: ClientId, cx: &mut Cx<'_>) {
        if let Some(server) = self.take(id).and_then(|sent| sent.server) {
            answer(server, 504, None, cx);
        }
    }

    /// The leg is over: what is still to be answered is (RFC 3261 15.1.2).
    pub(super) fn end(&mut self, cx: &mut Cx<'_>) {
        for server in std::mem::take(&mut self.sent).into_iter().filter_map(|sent| sent.server) {
            answer(server, 487, None, cx);
        }
    }

    /// Takes out the one that is answered.
    fn take(&mut self, id: ClientId) -> Option<Sent> {
        let at = self.sent.iter().position(|sent| sent.id == id)?;
        Some(self.sent.remove(at))
    }
}

/// The status for one line of what the other answered. What concerns our dialog with that one alone (its credentials, our
/// hops, its being gone) or would end the sender's (481, 408) is an error of ours.
fn carried_status(status: u16) -> u16 {
    match status {
        401 | 402 | 407 | 408 | 420 | 421 | 481 | 482 | 483 | 494 | 503 => 500,
        300..=399 => 500,
        status => status,
    }
}

fn answer(server: ServerId, status: u16, like: Option<&Response>, cx: &mut Cx<'_>) {
    let Some(request) = cx.core.tx.server_request(server).cloned() else { return };
    let mut response = Response::for_request(&request, status, None);
    if let Some(like) = like {
        response.reason = like.reason.clone();
        for name in ANSWERED.map(HeaderName::from_static) {
            for value in like.headers.lines(name.clone()) {
                response.headers.push(name.clone(), value.clone());
            }
        }
    }
    cx.core.respond(server, response);
}
