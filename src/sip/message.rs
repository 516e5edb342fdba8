//! A SIP message: a request or a response.

use super::header::name_addr::NameAddr;
use super::header::{HeaderName, Headers};
use super::parse::Flaw;
use super::uri::{Uri, UriError};
use super::{Method, lex, status};
use bytes::Bytes;

/// A SIP message (RFC 3261 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// The header fields of either kind.
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The body of either kind.
    pub fn body(&self) -> &Bytes {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }

    /// The message as it goes on the wire.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }
}

/// A request (RFC 3261 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The Request-URI as received, possibly not a valid one: `uri` parses it.
    pub target: Bytes,
    /// The header fields in order.
    pub headers: Headers,
    /// The body; empty when there is none.
    pub body: Bytes,
    /// The error that the parser found, to which `validate::request` gives the response; `None` for a request made
    /// here.
    pub flaw: Option<Flaw>,
}

impl Request {
    /// A request with no header fields yet.
    pub fn new(method: Method, target: impl Into<Bytes>) -> Request {
        Request { method, target: target.into(), headers: Headers::new(), body: Bytes::new(), flaw: None }
    }

    /// The Request-URI, parsed. After an error the required response is 400.
    pub fn uri(&self) -> Result<Uri, UriError> {
        Uri::parse(&self.target)
    }
}

/// A response (RFC 3261 7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// From 100 to 699.
    pub status: u16,
    /// The reason phrase; may be empty.
    pub reason: Bytes,
    /// The header fields in order.
    pub headers: Headers,
    /// The body; empty when there is none.
    pub body: Bytes,
    /// The error that the parser found, for which `validate::response` drops it; `None` for a response made here.
    pub flaw: Option<Flaw>,
}

impl Response {
    /// A response with no header fields yet and the default reason phrase.
    pub fn new(status: u16) -> Response {
        Response {
            status,
            reason: Bytes::from_static(status::reason_phrase(status).as_bytes()),
            headers: Headers::new(),
            body: Bytes::new(),
            flaw: None,
        }
    }

    /// The response to `request` (RFC 3261 8.2.6.2): all Via in order, From, To, Call-ID and CSeq as they were
    /// received. The To gets `to_tag` when it had no tag. A 100 also carries the Timestamp (8.2.6.1). Of a header field
    /// that a malformed request repeats, the first is taken; one it lacks is left out; a To that cannot be parsed is
    /// copied unchanged.
    pub fn for_request(request: &Request, status: u16, to_tag: Option<&str>) -> Response {
        let mut response = Response::new(status);
        // What is copied, and what a response usually adds.
        response.headers = Headers::with_capacity(12);
        for via in request.headers.lines(HeaderName::Via) {
            response.headers.push(HeaderName::Via, via.clone());
        }
        if let Some(from) = request.headers.get(HeaderName::From) {
            response.headers.push(HeaderName::From, from.clone());
        }
        if let Some(to) = request.headers.get(HeaderName::To) {
            response.headers.push(HeaderName::To, with_tag(to, to_tag));
        }
        for name in [HeaderName::CallId, HeaderName::CSeq] {
            if let Some(value) = request.headers.get(name.clone()) {
                response.headers.push(name, value.clone());
            }
        }
        if status == 100
            && let Some(timestamp) = request.headers.get(HeaderName::Timestamp)
        {
            response.headers.push(HeaderName::Timestamp, timestamp.clone());
        }
        response
    }

    /// The reason phrase, as text.
    pub fn reason_text(&self) -> std::borrow::Cow<'_, str> {
        lex::text(&self.reason)
    }
}

fn with_tag(to: &Bytes, tag: Option<&str>) -> Bytes {
    let Some(tag) = tag else { return to.clone() };
    match NameAddr::parse(to) {
        Ok(address) if address.tag().is_none() => [to, b";tag=" as &[u8], tag.as_bytes()].concat().into(),
        _ => to.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let text = "INVITE sip:881@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa , SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKb\r\n\
            Max-Forwards: 70\r\nv: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKc\r\nFrom: \"A  B\"<sip:a@192.0.2.9>;tag=1\r\nt: <sip:881@192.0.2.1>\r\n\
            Call-ID: x@y\r\nCSeq: 0009   INVITE\r\nTimestamp: 54\r\nUser-Agent: u\r\n\r\n";
        match Message::parse(&Bytes::from(text)) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    /// RFC 3261 8.2.6.2: "The From field of the response MUST equal the From header field of the request." and so on.
    #[test]
    fn an_answer_echoes_what_it_must_and_nothing_else() {
        let response = Response::for_request(&request(), 180, Some("as1"));
        assert_eq!(
            response.to_bytes(),
            "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa , SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKb\r\n\
             Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKc\r\nFrom: \"A  B\"<sip:a@192.0.2.9>;tag=1\r\n\
             To: <sip:881@192.0.2.1>;tag=as1\r\nCall-ID: x@y\r\nCSeq: 0009   INVITE\r\nContent-Length: 0\r\n\r\n"
        );
    }

    /// RFC 3261 8.2.6.1: the 100 copies the Timestamp and needs no To tag.
    #[test]
    fn a_100_carries_the_timestamp() {
        let response = Response::for_request(&request(), 100, None);
        assert_eq!(response.headers.get(HeaderName::Timestamp).map(|v| v.as_ref()), Some(&b"54"[..]));
        assert_eq!(response.headers.get(HeaderName::To).map(|v| v.as_ref()), Some(&b"<sip:881@192.0.2.1>"[..]));
    }

    /// RFC 3261 8.2.6.2: "if the To header field in the request did not contain a tag".
    #[test]
    fn a_to_with_a_tag_keeps_it_and_an_unreadable_one_is_left_alone() {
        let mut request = request();
        for to in ["<sip:881@192.0.2.1>;TAG=theirs", "\"open <sip:881@192.0.2.1>"] {
            request.headers.set(HeaderName::To, to);
            let response = Response::for_request(&request, 200, Some("ours"));
            assert_eq!(response.headers.text(HeaderName::To).as_deref(), Some(to));
        }
    }
}
