//! Where one message ends and the next begins in a stream of bytes (RFC 3261 18.3, RFC 5626 3.5.1).

use super::parse::{MAX_DATAGRAM, stream_length};
use bytes::{Buf, Bytes, BytesMut};

/// What is at the head of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A double CRLF: the keep-alive that is answered with a single one (RFC 5626 3.5.1).
    Ping,
    /// One complete message.
    Message(Bytes),
    /// A message after which the stream cannot be framed any more: it may be responded to, then the connection is
    /// closed.
    Last(Bytes, &'static str),
}

/// Cuts a stream into messages. It holds at most one message and what was read with it.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Line ends seen before a message begins.
    line_ends: usize,
    /// How far the buffer was searched for the end of the header fields.
    searched: usize,
    /// The length of the message whose header fields are complete.
    whole: Option<usize>,
}

impl Framer {
    /// A framer that has received nothing.
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Adds what was received.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a message has begun that is not complete yet.
    pub fn is_amid(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next item; `None` when more has to be received first.
    pub fn next_frame(&mut self) -> Option<Frame> {
        if self.whole.is_none() {
            while let Some(b'\r' | b'\n') = self.buffer.first() {
                self.buffer.advance(1);
                self.line_ends = self.line_ends.saturating_add(1);
                if self.line_ends == 4 {
                    self.line_ends = 0;
                    return Some(Frame::Ping);
                }
            }
            if self.buffer.is_empty() {
                return None;
            }
            self.line_ends = 0;
            let Some(head) = self.head() else {
                return (self.buffer.len() > MAX_DATAGRAM)
                    .then(|| self.give_up("header fields without end: more than 65,507 bytes"));
            };
            match stream_length(&Bytes::copy_from_slice(self.buffer.get(..head).unwrap_or_default())) {
                Ok(body) if head.saturating_add(body) <= MAX_DATAGRAM => self.whole = Some(head.saturating_add(body)),
                Ok(_) => return Some(self.give_up("a message of more than 65,507 bytes")),
                Err(why) => return Some(self.give_up(why)),
            }
        }
        let whole = self.whole.filter(|whole| *whole <= self.buffer.len())?;
        self.whole = None;
        self.searched = 0;
        Some(Frame::Message(self.buffer.split_to(whole).freeze()))
    }

    /// The length of the first line and the header fields, with the empty line that ends them.
    fn head(&mut self) -> Option<usize> {
        let mut at = self.searched;
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
            let next = rest.get(end.saturating_add(1)..).unwrap_or_default();
            let line = at.saturating_add(end).saturating_add(1);
            match next {
                [b'\n', ..] => return Some(line.saturating_add(1)),
                [b'\r', b'\n', ..] => return Some(line.saturating_add(2)),
                [] | [b'\r'] => {
                    // The empty line may still arrive: the search begins again at this line end.
                    self.searched = at.saturating_add(end);
                    return None;
                }
                _ => at = line,
            }
        }
        self.searched = self.buffer.len();
        None
    }

    fn give_up(&mut self, why: &'static str) -> Frame {
        let rest = self.buffer.split().freeze();
        let head = rest.slice(..rest.len().min(MAX_DATAGRAM));
        self.searched = 0;
        Frame::Last(head, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const ONE: &str = "OPTIONS sip:a@h SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 4\r\n\r\nbody";
    const TWO: &str = "SIP/2.0 200 OK\nl : 3\n\nabc";
    const NONE: &str = "BYE sip:a@h SIP/2.0\r\nCall-ID: 2\r\n\r\n";

    fn all(framer: &mut Framer) -> Vec<String> {
        std::iter::from_fn(|| framer.next_frame())
            .map(|frame| match frame {
                Frame::Ping => "ping".to_owned(),
                Frame::Message(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Frame::Last(_, why) => format!("broken: {why}"),
            })
            .collect()
    }

    #[test]
    fn however_the_stream_is_cut_the_same_messages_come_out() {
        let stream = format!("\r\n{ONE}{TWO}\r\n\r\n{NONE}\r\n\r\n\r\n\r\n{ONE}");
        let expected = [ONE, TWO, "ping", NONE, "ping", "ping", ONE];
        let mut rng = Rng::from_number(1);
        for most in [1, 2, 3, 7, 50, 10_000] {
            let mut framer = Framer::new();
            let mut found = Vec::new();
            let mut rest = stream.as_bytes();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(1 + rng.below(most) as usize));
                framer.push(now);
                found.extend(all(&mut framer));
                rest = later;
            }
            assert_eq!(found, expected, "in pieces of at most {most}");
            assert!(!framer.is_amid());
        }
    }

    #[test]
    fn what_cannot_be_cut_ends_the_stream() {
        let broken = |text: &str| {
            let mut framer = Framer::new();
            framer.push(text.as_bytes());
            all(&mut framer).pop().unwrap_or_default()
        };
        assert!(broken("OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n").contains("Content-Length"));
        assert!(broken("OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\nab").contains("Content-Length"));
        assert!(broken("OPTIONS sip:a SIP/2.0\r\nContent-Length: 65500\r\n\r\n").contains("65,507"));
        assert!(broken(&"x".repeat(MAX_DATAGRAM + 1)).contains("65,507"));
        assert!(broken(&format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", "a: b\r\n".repeat(300))).contains("256"));
        assert_eq!(broken(&"x".repeat(MAX_DATAGRAM)), "");
    }

    /// A search from the start at every byte would take minutes.
    #[test]
    fn a_message_that_comes_byte_by_byte_is_searched_once() {
        let mut framer = Framer::new();
        for _ in 0..MAX_DATAGRAM {
            framer.push(b"x");
            assert_eq!(framer.next_frame(), None);
            assert_eq!(framer.searched, framer.buffer.len());
        }
    }
}
