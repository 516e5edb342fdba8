//! Text messages between the parts: what a line sends is answered, delivered or runs in the dialplan; what programs send is
//! delivered.

use crate::config::peer::Peer;
use crate::event::TextEvent;
use crate::pbx::calls::{self, Calls};
use crate::pbx::core::Core;
use crate::pbx::lines::Lines;
use crate::pbx::text_messages::{self, Taken, TextMessages};
use crate::sip::message::{Request, Response};
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;

/// What they need of the switch.
pub(super) struct Parts<'a> {
    pub(super) texts: &'a mut TextMessages,
    pub(super) calls: &'a mut Calls,
    pub(super) lines: &'a Lines,
    pub(super) core: &'a mut Core,
}

/// A MESSAGE outside of a call. RFC 3428 7: 202, for nobody waits until the other telephone has it.
pub(super) fn received(
    parts: Parts<'_>,
    server: ServerId,
    (request, essentials): (&Request, &Essentials),
    peer: &Peer,
) {
    let Parts { texts, calls, lines, core } = parts;
    let line = peer.name.clone();
    let exten = || request.uri().ok().and_then(|uri| uri.user_text().map(|user| user.into_owned())).unwrap_or_default();
    let (status, reason) = match text_messages::take(request, essentials, peer, core) {
        Taken::Refused(status, reason) => (status, reason),
        Taken::Line(delivery) => match texts.deliver(delivery, lines, &calls.shared().database, core) {
            Ok(()) => (202, String::new()),
            Err(reason) => (480, reason),
        },
        Taken::Dialplan(context, exten, message) => {
            match calls::run_message(calls, peer, (&context, &exten), message, core) {
                Ok(()) => {
                    core.emit(TextEvent::Received { line: line.clone(), exten: exten.into(), context });
                    (202, String::new())
                }
                Err(reason) => (503, reason),
            }
        }
    };
    if status >= 300 {
        core.emit(TextEvent::Refused { line, exten: exten().into(), status, reason });
    }
    core.respond(server, Response::for_request(request, status, None));
}

/// Delivers what programs have sent since the last time, and what waited for lines that answer again.
pub(super) fn send_pending(parts: Parts<'_>) {
    let Parts { texts, calls, lines, core } = parts;
    for delivery in std::mem::take(&mut core.texts) {
        let (line, from) = (delivery.target.line.clone(), delivery.from.1.clone().into());
        if let Err(reason) = texts.deliver(delivery, lines, &calls.shared().database, core) {
            core.emit(TextEvent::Lost { line, from, reason });
        }
    }
    for line in std::mem::take(&mut core.returned) {
        texts.line_is_there(&line, lines, &calls.shared().database, core);
    }
}

/// A line has registered: what waits for it goes.
pub(super) fn line_registered(parts: Parts<'_>, line: &str) {
    let Parts { texts, calls, lines, core } = parts;
    if !lines.bindings(line).is_empty() {
        texts.line_is_there(line, lines, &calls.shared().database, core);
    }
}

/// A line's response to a message.
pub(super) fn answered(parts: Parts<'_>, id: u64, response: &Response) {
    let Parts { texts, calls, lines, core } = parts;
    texts.answered(id, response, lines, &calls.shared().database, core);
}
