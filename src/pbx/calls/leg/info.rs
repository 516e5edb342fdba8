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
use bytes::Bytes;
use std::time::Duration;

/// Maximum number of INFO requests to one line that have no answer yet.
const MAX_PENDING: usize = 16;

/// The headers that say what a body is, and what the request is for (RFC 6086 4.1).
const CARRIED: [&str; 6] =
    ["Content-Type", "Content-Disposition", "Content-Encoding", "Content-Language", "MIME-Version", "Info-Package"];
/// The headers of an answer that say what would be taken.
const ANSWERED: [&str; 3] = ["Accept", "Accept-Encoding", "Recv-Info"];

/// How often a request is sent again that a later one of ours has overtaken.
const MAX_REPEATS: u8 = 3;

/// The INFO and MESSAGE requests that a leg passes on to its peer.
#[derive(Debug, Default)]
pub struct InfoRelay {
    /// The latest Allow of the peer names INFO; none: it never sent one, which says nothing (RFC 3261 20.5).
    peer_takes: Option<bool>,
    /// The same of MESSAGE.
    peer_takes_text: Option<bool>,
    /// Ours.
    sent: Vec<Sent>,
    /// A caller has not acknowledged its 200. It may not have had it, and would know no call that these belong to: they wait.
    is_held: bool,
    /// What waits for that.
    held: Vec<Content>,
}

/// What a request of ours carries.
#[derive(Debug, Clone)]
struct Content {
    method: Method,
    fields: Vec<(HeaderName, Bytes)>,
    body: Bytes,
    /// The other line's request that it carries.
    server: Option<ServerId>,
}

/// A request of ours that has no answer yet.
#[derive(Debug)]
struct Sent {
    id: ClientId,
    content: Content,
    /// It went into a call that both sides knew of.
    is_in_call: bool,
    /// How often it was sent before.
    repeats: u8,
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
        if self.is_full() {
            return Err(500);
        }
        if ua.dialogs.current.is_none() {
            return Err(415);
        }
        let field = |name: HeaderName| Some((name.clone(), Bytes::copy_from_slice(received.headers.get(name)?)));
        let fields = CARRIED.map(HeaderName::from_static).into_iter().filter_map(field).collect();
        self.dispatch(Content { method: received.method, fields, body: received.body, server: Some(server) }, ua, cx);
        Ok(())
    }

    /// Have too many no answer yet?
    fn is_full(&self) -> bool {
        self.sent.len().saturating_add(self.held.len()) >= MAX_PENDING
    }

    /// Sends a request, or has it wait for the ACK of a caller.
    fn dispatch(&mut self, content: Content, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        if self.is_held {
            self.held.push(content);
        } else {
            self.send(content, 0, ua, cx);
        }
    }

    fn send(&mut self, content: Content, repeats: u8, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        let Some(dialog) = &mut ua.dialogs.current else { return };
        let is_in_call = dialog.confirmed;
        let mut request = dialog.request(content.method.clone());
        content.fields.iter().for_each(|(name, value)| request.headers.push(name.clone(), value.clone()));
        request.body = content.body.clone();
        ua.add_common_headers(&mut request, cx);
        let id = ua.send(request, cx);
        self.sent.push(Sent { id, content, is_in_call, repeats });
    }

    /// A caller is answered, and has not acknowledged it yet: what is to go to it waits.
    pub(super) fn hold(&mut self) {
        self.is_held = true;
    }

    /// It has.
    pub(super) fn release(&mut self, ua: &mut UserAgent, cx: &mut Cx<'_>) {
        self.is_held = false;
        for content in std::mem::take(&mut self.held) {
            self.send(content, 0, ua, cx);
        }
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
        let (kind, body) = info_digit::body(digit, pressed, is_short);
        self.send_own(Method::Info, kind, body.into(), ua, cx)
    }

    /// Sends the peer a text of our own.
    ///
    /// # Errors
    /// Why it cannot be sent.
    pub fn send_text(&mut self, text: String, ua: &mut UserAgent, cx: &mut Cx<'_>) -> Result<(), String> {
        if self.peer_takes_text == Some(false) {
            return Err("its telephone takes no text messages".to_owned());
        }
        self.send_own(Method::Message, PLAIN, text.into(), ua, cx)
    }

    fn send_own(
        &mut self,
        method: Method,
        kind: &'static str,
        body: Bytes,
        ua: &mut UserAgent,
        cx: &mut Cx<'_>,
    ) -> Result<(), String> {
        if self.is_full() {
            return Err(format!("its telephone has not answered {MAX_PENDING} requests"));
        }
        if ua.dialogs.current.is_none() {
            return Err("there is no dialog yet".to_owned());
        }
        let fields = vec![(HeaderName::ContentType, Bytes::from_static(kind.as_bytes()))];
        self.dispatch(Content { method, fields, body, server: None }, ua, cx);
        Ok(())
    }

    /// Is this one of ours?
    pub(super) fn is_sent(&self, id: ClientId) -> bool {
        self.sent.iter().any(|sent| sent.id == id)
    }

    /// The peer's response to the request of number `cseq`. Says how the leg ends, when it ends by it (RFC 3261 12.2.1.2).
    pub(super) fn on_response(
        &mut self,
        id: ClientId,
        (response, cseq): (&Response, u32),
        ua: &mut UserAgent,
        cx: &mut Cx<'_>,
    ) -> Option<Ending> {
        if response.status < 200 {
            return None;
        }
        let Sent { content, is_in_call, repeats, .. } = self.take(id)?;
        if response.status == 500 && ua.is_overtaken(cseq) && repeats < MAX_REPEATS {
            self.send(content, repeats.saturating_add(1), ua, cx);
            return None;
        }
        let status = carried_status(response.status);
        if let Some(server) = content.server {
            answer(server, status, Some(response).filter(|_| status == response.status), cx);
        }
        if matches!(response.status, 405 | 501) {
            let is_text = content.method == Method::Message;
            *(if is_text { &mut self.peer_takes_text } else { &mut self.peer_takes }) = Some(false);
        }
        // To a caller that was not answered yet there was no call when it was asked.
        (response.status == 481 && is_in_call).then_some(Ending::Gone)
    }

    /// The peer never answered. The call goes on: it is no worse than a digit that was not heard.
    pub(super) fn on_silence(&mut self, id: ClientId, cx: &mut Cx<'_>) {
        if let Some(server) = self.take(id).and_then(|sent| sent.content.server) {
            answer(server, 504, None, cx);
        }
    }

    /// The leg is over: what is still to be answered is (RFC 3261 15.1.2).
    pub(super) fn end(&mut self, cx: &mut Cx<'_>) {
        let sent = std::mem::take(&mut self.sent).into_iter().map(|sent| sent.content);
        for server in sent.chain(std::mem::take(&mut self.held)).filter_map(|content| content.server) {
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
