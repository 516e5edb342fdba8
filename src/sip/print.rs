//! Messages as they go on the wire.

use super::header::{HeaderName, Headers};
use super::message::{Request, Response};
use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr2;
use std::fmt::Write;

impl Request {
    /// The request as it goes on the wire. Content-Length is always written, last, and always correct.
    pub fn to_bytes(&self) -> Bytes {
        let first = self.method.as_bytes().len() + self.target.len() + " ".len() + " SIP/2.0\r\n".len();
        let mut out = BytesMut::with_capacity(first + size(&self.headers, &self.body));
        put_line(&mut out, self.method.as_bytes());
        out.put_u8(b' ');
        put_line(&mut out, &self.target);
        out.put_slice(b" SIP/2.0\r\n");
        put_rest(&mut out, &self.headers, &self.body);
        out.freeze()
    }
}

impl Response {
    /// The response as it goes on the wire. Content-Length is always written, last, and always correct.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(self.length());
        out.put_slice(b"SIP/2.0 ");
        put_number(&mut out, usize::from(self.status));
        out.put_u8(b' ');
        put_line(&mut out, &self.reason);
        out.put_slice(b"\r\n");
        put_rest(&mut out, &self.headers, &self.body);
        out.freeze()
    }

    /// How many bytes that is.
    pub fn length(&self) -> usize {
        "SIP/2.0 200 \r\n".len() + self.reason.len() + size(&self.headers, &self.body)
    }
}

/// Writes what comes after the first line into a buffer of exactly that size: messages are kept for retransmissions.
fn size(headers: &Headers, body: &Bytes) -> usize {
    let lines = headers.iter().filter(|(name, _)| *name != HeaderName::ContentLength);
    let lines: usize = lines.map(|(name, value)| name.as_bytes().len() + value.len() + ": \r\n".len()).sum();
    let digits = body.len().checked_ilog10().map_or(1, |digits| digits as usize + 1);
    lines + "Content-Length: \r\n\r\n".len() + digits + body.len()
}

fn put_rest(out: &mut BytesMut, headers: &Headers, body: &Bytes) {
    for (name, value) in headers.iter().filter(|(name, _)| *name != HeaderName::ContentLength) {
        put_line(out, name.as_bytes());
        out.put_slice(b": ");
        put_line(out, value);
        out.put_slice(b"\r\n");
    }
    out.put_slice(b"Content-Length: ");
    put_number(out, body.len());
    out.put_slice(b"\r\n\r\n");
    out.put_slice(body);
}

fn put_number(out: &mut BytesMut, number: usize) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{number}");
}

/// No value can end its line, wherever it came from: that would inject header fields.
fn put_line(out: &mut BytesMut, value: &[u8]) {
    if memchr2(b'\r', b'\n', value).is_some() {
        out.extend(value.iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }));
    } else {
        out.put_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Method;

    #[test]
    fn the_content_length_is_ours() {
        let mut request = Request::new(Method::Notify, "sip:a@192.0.2.1");
        request.headers.push(HeaderName::ContentLength, "999");
        request.headers.push(HeaderName::Event, "resync");
        request.body = Bytes::from_static(b"abc");
        assert_eq!(
            request.to_bytes(),
            "NOTIFY sip:a@192.0.2.1 SIP/2.0\r\nEvent: resync\r\nContent-Length: 3\r\n\r\nabc"
        );
    }

    #[test]
    fn the_room_is_exactly_what_is_written() {
        for length in [0, 9, 10, 99, 100, 1000] {
            let mut request = Request::new(Method::Info, "sip:a@192.0.2.1");
            request.headers.push(HeaderName::ContentLength, "7");
            request.headers.push(HeaderName::Subject, "x");
            request.body = Bytes::from(vec![b'x'; length]);
            let mut response = Response::for_request(&request, 200, None);
            response.body = request.body.clone();
            for bytes in [request.to_bytes(), response.to_bytes()] {
                let length = bytes.len();
                assert_eq!(bytes.try_into_mut().unwrap().capacity(), length);
            }
        }
    }

    #[test]
    fn a_value_cannot_add_a_line() {
        let mut response = Response::new(200);
        response.headers.push(HeaderName::Subject, "x\r\nEvil: yes");
        response.reason = Bytes::from_static(b"OK\nEvil: yes");
        let printed = response.to_bytes();
        assert_eq!(printed, "SIP/2.0 200 OK Evil: yes\r\nSubject: x  Evil: yes\r\nContent-Length: 0\r\n\r\n");
    }
}
