//! The session description in a message, by itself or among the parts of its body, and the required response to a body
//! that is of no use (RFC 3261 8.2.3 and 13.3.1, RFC 5621).

use crate::sdp::{Sdp, SdpError};
use crate::sip::header::{HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::multipart::{Broken, Part};
use bytes::Bytes;

/// The type of a session description.
const SDP: &str = "application/sdp";
/// The types named in Accept.
const ACCEPTED: &str = "application/sdp, multipart/mixed";
/// Maximum depth of multipart bodies within one another that is searched.
const MAX_DEPTH: u8 = 3;

/// What a body turns out to be.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It says nothing that has to be understood, and describes nothing.
    Nothing,
    /// A description of the call.
    Description(Bytes),
    /// It has to be understood, and is not.
    Unknown,
    /// It is encoded in a way that is not understood.
    Encoded,
    /// It cannot be taken apart, or describes the call twice.
    Broken(Broken),
}

/// The session description in a message: `None` when it carries none. Whatever stands beside it: a request with something
/// that must be understood was refused before ([`unfit_body`]), and a response or an ACK cannot be.
pub fn description(headers: &Headers, body: &Bytes) -> Option<Result<Sdp, SdpError>> {
    if body.is_empty() {
        return None;
    }
    first_description(&whole(headers, body), 0).map(|text| Sdp::parse(&text))
}

fn first_description(part: &Part, depth: u8) -> Option<Bytes> {
    match look(part, depth) {
        Found::Description(text) => Some(text),
        Found::Unknown | Found::Encoded if part.is_multipart() && part.is_plain() && depth < MAX_DEPTH => {
            part.parts().ok()?.iter().find_map(|inner| first_description(inner, depth.saturating_add(1)))
        }
        Found::Nothing | Found::Unknown | Found::Encoded | Found::Broken(_) => None,
    }
}

/// The required response to a request whose body cannot be understood, or which takes no answer that we can give; it
/// names what is understood. A body that is optional by its Content-Disposition is passed over.
pub fn unfit_body(request: &Request) -> Option<Response> {
    let headers = &request.headers;
    let mut accepted = headers.values(HeaderName::Accept).peekable();
    let wants_other = accepted.peek().is_some() && !accepted.any(|range| takes_sdp(&range));
    if wants_other {
        let mut response = Response::for_request(request, 406, None);
        response.headers.push(HeaderName::Accept, Bytes::from_static(SDP.as_bytes()));
        return Some(response);
    }
    let body = whole(headers, &request.body);
    if body.body.is_empty() || body.is_optional() {
        return None;
    }
    match look(&body, 0) {
        Found::Nothing | Found::Description(_) => None,
        Found::Unknown => {
            let mut response = Response::for_request(request, 415, None);
            response.headers.push(HeaderName::Accept, Bytes::from_static(ACCEPTED.as_bytes()));
            Some(response)
        }
        Found::Encoded => {
            let mut response = Response::for_request(request, 415, None);
            response.headers.push(HeaderName::AcceptEncoding, Bytes::from_static(b"identity"));
            Some(response)
        }
        Found::Broken(Broken(why)) => {
            let mut response = Response::for_request(request, 400, None);
            response.reason = Bytes::from(format!("Bad Multipart Body: {why}"));
            Some(response)
        }
    }
}

/// An INFO that goes nowhere: nothing in it is understood here, so that no format is acceptable (RFC 3261 20.1, 21.4.13).
pub fn info_refusal(request: &Request, status: u16) -> Response {
    let mut response = Response::for_request(request, status, None);
    if status == 415 {
        response.headers.push(HeaderName::Accept, "");
    }
    response
}

/// A message's body as a part.
fn whole(headers: &Headers, body: &Bytes) -> Part {
    let text = |name: HeaderName| headers.text(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    Part {
        content_type: text(HeaderName::ContentType),
        disposition: text(HeaderName::ContentDisposition).to_ascii_lowercase(),
        encoding: text(HeaderName::ContentEncoding).to_ascii_lowercase(),
        transfer_encoding: String::new(),
        body: body.clone(),
    }
}

fn look(part: &Part, depth: u8) -> Found {
    if part.is_multipart() && part.is_plain() {
        return inside(part, depth);
    }
    // Without a type a part is text for people (RFC 2046 5.1); one that holds nothing says nothing.
    if depth > 0 && part.content_type.is_empty() && part.body.is_empty() {
        return Found::Nothing;
    }
    match (part.media_type().as_str(), part.is_plain()) {
        (_, false) => Found::Encoded,
        (SDP, true) if depth == 0 || describes_the_call(part) => Found::Description(part.body.clone()),
        (_, true) => Found::Unknown,
    }
}

/// RFC 3261 20.11: a description without a disposition is that of the session; `early-session` is another (RFC 3959).
fn describes_the_call(part: &Part) -> bool {
    matches!(part.disposition.split(';').next().unwrap_or_default().trim(), "" | "session")
}

/// RFC 5621 3: of `alternative` parts the description is the one to take; of all others every part counts that is not
/// optional.
fn inside(part: &Part, depth: u8) -> Found {
    if depth >= MAX_DEPTH {
        return Found::Unknown;
    }
    let parts = match part.parts() {
        Ok(parts) => parts,
        Err(broken) => return Found::Broken(broken),
    };
    let alternatives = part.media_type() == "multipart/alternative";
    let mut found = Found::Nothing;
    let mut missed = Found::Nothing;
    for part in &parts {
        match look(part, depth.saturating_add(1)) {
            Found::Nothing => {}
            Found::Description(_) if matches!(found, Found::Description(_)) => {
                return Found::Broken(Broken("two descriptions of the call"));
            }
            Found::Description(text) => found = Found::Description(text),
            broken @ Found::Broken(_) if !part.is_optional() => return broken,
            miss @ (Found::Unknown | Found::Encoded) if !part.is_optional() => missed = miss,
            Found::Unknown | Found::Encoded | Found::Broken(_) => {}
        }
    }
    match (missed, found) {
        (Found::Nothing, found) => found,
        (_, found @ Found::Description(_)) if alternatives => found,
        (missed, _) => missed,
    }
}

/// Does a media range of Accept (RFC 3261 20.1) include descriptions?
fn takes_sdp(range: &[u8]) -> bool {
    let range = String::from_utf8_lossy(range).to_ascii_lowercase();
    matches!(range.split(';').next().unwrap_or_default().trim(), SDP | "application/*" | "*/*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Method;

    const SDP_PART: &str = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
    const ISUP: &str = "Content-Type: application/isup\r\n\r\nx\r\n";
    const PICTURE: &str = "Content-Type: image/png\r\nContent-Disposition: icon; handling=optional\r\n\r\nx\r\n";

    fn request(kind: &str, body: &str) -> Request {
        let mut request = Request::new(Method::Invite, "sip:a@h".to_owned());
        request.headers.push(HeaderName::ContentType, kind.to_owned());
        request.body = Bytes::from(body.to_owned());
        request
    }

    fn joined(parts: &[&str]) -> String {
        let parts: String = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
        format!("{parts}--b--\r\n")
    }

    /// What becomes of it: the required status or 0, and whether there is a description.
    fn fate(kind: &str, body: &str) -> (u16, bool) {
        let request = request(kind, body);
        let status = unfit_body(&request).map_or(0, |response| response.status);
        (status, matches!(look(&whole(&request.headers, &request.body), 0), Found::Description(_)))
    }

    fn mixed(parts: &[&str]) -> (u16, bool) {
        fate("multipart/mixed;boundary=b", &joined(parts))
    }

    #[test]
    fn the_description_among_parts_is_used_and_what_must_be_understood_is_415() {
        assert_eq!(mixed(&[SDP_PART]), (0, true));
        assert_eq!(mixed(&[PICTURE, SDP_PART, PICTURE]), (0, true));
        assert_eq!(mixed(&[SDP_PART, ISUP]), (415, false));
        assert_eq!(mixed(&[ISUP]), (415, false));
        assert_eq!(mixed(&[PICTURE]), (0, false), "as if it had no body");
        assert_eq!(mixed(&["", SDP_PART, "\r\n"]), (0, true), "AST-2017-003: parts of no length");
        assert_eq!(mixed(&[SDP_PART, "\r\nwords for people"]), (415, false));
        assert_eq!(mixed(&[SDP_PART, SDP_PART]).0, 400);
        let early = SDP_PART.replacen("\r\n", "\r\nContent-Disposition: early-session;handling=optional\r\n", 1);
        assert_eq!(mixed(&[&early, SDP_PART]), (0, true));
        let base64 = SDP_PART.replacen("\r\n", "\r\nContent-Transfer-Encoding: base64\r\n", 1);
        assert_eq!(mixed(&[&base64]), (415, false));
        let unfit = unfit_body(&request("multipart/mixed;boundary=b", &joined(&[ISUP]))).unwrap();
        assert_eq!(unfit.headers.text(HeaderName::Accept).unwrap(), ACCEPTED);
    }

    #[test]
    fn of_alternatives_the_description_is_taken() {
        let alternative = |parts: &[&str]| fate("Multipart/Alternative; boundary=\"b\"", &joined(parts));
        assert_eq!(alternative(&[ISUP, SDP_PART]), (0, true));
        assert_eq!(alternative(&[ISUP, PICTURE]), (415, false));
    }

    #[test]
    fn parts_of_parts_are_looked_into_three_deep() {
        let nest = |inner: String| format!("Content-Type: multipart/mixed;boundary=b\r\n\r\n{inner}");
        let mut body = joined(&[SDP_PART]);
        for (depth, expected) in [(1, (0, true)), (2, (0, true)), (3, (0, true)), (4, (415, false)), (5, (415, false))]
        {
            let inner = body.replace("--b", &format!("--c{depth}"));
            assert_eq!(fate(&format!("multipart/mixed;boundary=c{depth}"), &inner), expected, "{depth}");
            body = joined(&[&nest(inner).replacen("boundary=b", &format!("boundary=c{depth}"), 1)]);
        }
    }

    #[test]
    fn what_cannot_be_taken_apart_is_400_and_says_why() {
        for (kind, body) in [
            ("multipart/mixed", joined(&[SDP_PART])),
            ("multipart/mixed;boundary=other", joined(&[SDP_PART])),
            ("multipart/mixed;boundary=b", "--b\r\n\r\n".repeat(20) + "--b--"),
        ] {
            let response = unfit_body(&request(kind, &body)).unwrap();
            assert_eq!(response.status, 400, "{kind}");
            assert!(response.reason.starts_with(b"Bad Multipart Body: "), "{:?}", response.reason);
            assert!(description(&request(kind, &body).headers, &Bytes::from(body)).is_none());
        }
    }
}
