//! `sip set debug`: messages shown as they are received and sent, without the digests in them.

use super::sink::Sink;
use crate::event::{Level, LogLine};
use crate::observe::control_api::SipDebug;
use crate::sip::Flow;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Whose messages are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    Nobody,
    All,
    Address(IpAddr, Option<u16>),
}

/// Shows SIP messages.
pub(super) struct MessageTrace {
    /// Looked at for every datagram; the rest only when it is set.
    on: AtomicBool,
    whose: Mutex<Whose>,
    sink: Sink,
}

impl MessageTrace {
    pub(super) fn new(on: bool, sink: Sink) -> MessageTrace {
        let whose = if on { Whose::All } else { Whose::Nobody };
        MessageTrace { on: AtomicBool::new(on), whose: Mutex::new(whose), sink }
    }

    /// Sets whose messages are shown; a peer's name is resolved to its address by the caller. Says whether any were
    /// shown before.
    pub(super) fn set(&self, what: &SipDebug, address_of: impl Fn(&str) -> Option<SocketAddr>) -> bool {
        let whose = match what {
            SipDebug::Off => Whose::Nobody,
            SipDebug::On => Whose::All,
            SipDebug::Address(ip, port) => Whose::Address(*ip, *port),
            SipDebug::Peer(name) => match address_of(name) {
                Some(address) => Whose::Address(address.ip(), Some(address.port())),
                None => Whose::Nobody,
            },
        };
        self.on.store(whose != Whose::Nobody, Ordering::Relaxed);
        let mut current = self.whose.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, whose) != Whose::Nobody
    }

    pub(super) fn message(&self, received: bool, flow: Flow, bytes: &[u8]) {
        let (remote, transport) = (flow.remote, flow.transport);
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let shown = match &*self.whose.lock().unwrap_or_else(PoisonError::into_inner) {
            Whose::Nobody => false,
            Whose::All => true,
            Whose::Address(ip, port) => *ip == remote.ip() && port.is_none_or(|port| port == remote.port()),
        };
        if !shown {
            return;
        }
        let text = without_digest(&String::from_utf8_lossy(bytes));
        let line = if received {
            format!("<--- SIP read from {transport}:{remote} --->\n{text}\n<------------->")
        } else {
            format!("<--- Transmitting to {transport}:{remote} --->\n{text}\n<------------>")
        };
        (self.sink)(&LogLine { level: Level::Message, text: line });
    }
}

/// A digest can be guessed at offline: what a debug listing is pasted into must not have it.
fn without_digest(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_hidden = false;
    for line in text.lines() {
        // What goes on from the line before is hidden with it (RFC 3261 7.3.1).
        is_hidden &= line.starts_with([' ', '\t']);
        if is_hidden {
            continue;
        }
        let name = line.split(':').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("proxy-authorization") {
            out.push_str(name);
            out.push_str(": Digest (not shown)");
            is_hidden = true;
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_never_shown() {
        let shown =
            without_digest("REGISTER sip:x SIP/2.0\r\nAuthorization: Digest response=\"abc\"\r\nCSeq: 1 REGISTER\r\n");
        assert!(!shown.contains("abc"), "{shown}");
        assert!(shown.contains("CSeq: 1 REGISTER"));
    }

    /// A header field may go on in the next line (RFC 3261 7.3.1).
    #[test]
    fn nor_is_one_that_goes_on_in_another_line() {
        let shown = without_digest(
            "REGISTER sip:x SIP/2.0\r\nAuthorization:\r\n Digest username=\"a\",\r\n\tresponse=\"abc\"\r\nSubject: one\r\n two\r\n\r\n v=0\r\n",
        );
        assert_eq!(shown, "REGISTER sip:x SIP/2.0\nAuthorization: Digest (not shown)\nSubject: one\n two\n\n v=0\n");
    }
}
