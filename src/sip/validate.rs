//! Checks that a message has what every message must have, and names the required response to a request that has not
//! (RFC 3261 8.1.1, 8.2, 16.3; RFC 4475).

use super::header::split::first_item;
use super::header::{Arity, CSeq, ContactValue, HeaderName, Headers, NameAddr, Via};
use super::message::{Request, Response};
use super::parse::{Flaw, Unframed};
use super::{Method, Uri, lex};
use smol_str::SmolStr;

/// The largest body a request may have, in bytes; descriptions of calls take a few hundred.
pub const MAX_BODY: usize = 32_768;

/// The header fields that every message has, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Essentials {
    /// The topmost Via.
    pub via: Via,
    /// From.
    pub from: NameAddr,
    /// To.
    pub to: NameAddr,
    /// The Call-ID.
    pub call_id: SmolStr,
    /// The CSeq.
    pub cseq: CSeq,
    /// Max-Forwards; `None` when absent, as from an RFC 2543 device.
    pub max_forwards: Option<u8>,
}

/// Why a request is refused, and with which status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the required response. There is none to an ACK, whatever this says.
    pub status: u16,
    /// The reason phrase of the response: what is wrong, as it is sent.
    pub reason: &'static str,
    /// What exactly is wrong, for the log.
    pub detail: &'static str,
    /// Where the response goes; `None` when no Via can be parsed: then the request is dropped as `Unframed::NoVia`.
    pub via: Option<Box<Via>>,
}

/// Checks a request.
pub fn request(request: &Request) -> Result<Essentials, Refusal> {
    let Some(line) = request.headers.get(HeaderName::Via) else {
        return Err(refuse(400, "Missing Via header", "the header field is absent"));
    };
    let top = first_item(line);
    let via = Via::parse(top);
    // RFC 2543: no magic branch.
    let is_old = via.as_ref().is_ok_and(|via| !via.has_magic_branch());
    match (via, checked(request, is_old)) {
        (Ok(via), Ok((from, to, call_id, cseq, max_forwards))) => {
            Ok(Essentials { via, from, to, call_id, cseq, max_forwards })
        }
        (Ok(via), Err(refusal)) => Err(Refusal { via: Some(Box::new(via)), ..refusal }),
        (Err(error), _) => {
            let via = Via::parse_for_refusal(top).ok().map(Box::new);
            Err(Refusal { via, ..refuse(400, "Malformed Via header", error.0) })
        }
    }
}

/// Checks a response. RFC 3261 8.1.3.3 and 18.1.2: a response that cannot be parsed is discarded.
pub fn response(response: &Response) -> Result<Essentials, Unframed> {
    let headers = &response.headers;
    match response.flaw {
        None => {}
        Some(Flaw::BodyTruncated) => return Err(Unframed::BodyTruncated),
        Some(_) => return Err(Unframed::BadHeader),
    }
    if repeated(headers).is_some() {
        return Err(Unframed::DuplicateHeader);
    }
    let get = |name: HeaderName| headers.get(name).ok_or(Unframed::MissingHeader);
    let bad = |_| Unframed::BadHeader;
    Ok(Essentials {
        via: Via::parse(first_item(get(HeaderName::Via)?)).map_err(bad)?,
        from: NameAddr::parse(get(HeaderName::From)?).map_err(bad)?,
        to: NameAddr::parse(get(HeaderName::To)?).map_err(bad)?,
        call_id: call_id(get(HeaderName::CallId)?).ok_or(Unframed::BadHeader)?,
        cseq: CSeq::parse(get(HeaderName::CSeq)?).map_err(bad)?,
        max_forwards: None,
    })
}

type Checked = (NameAddr, NameAddr, SmolStr, CSeq, Option<u8>);

fn checked(request: &Request, is_old: bool) -> Result<Checked, Refusal> {
    let headers = &request.headers;
    if let Some(flaw) = request.flaw {
        // RFC 3261 21.5.6 for the version, 21.4.1 for all else.
        let status = if flaw == Flaw::Version { 505 } else { 400 };
        return Err(refuse(status, flaw.reason(), "the message is not framed as RFC 3261 7 wants it"));
    }
    if let Some(name) = repeated(headers) {
        return Err(refuse(400, duplicate_reason(&name), "a header field that may stand once stands more often"));
    }
    let cseq = read(headers, HeaderName::CSeq, "Missing CSeq header", "Malformed CSeq header", CSeq::parse)?;
    let from = read(headers, HeaderName::From, "Missing From header", "Malformed From header", NameAddr::parse)?;
    let to = read(headers, HeaderName::To, "Missing To header", "Malformed To header", NameAddr::parse)?;
    // RFC 3261 10.2: "This address-of-record MUST be a SIP URI or SIPS URI."
    if request.method == Method::Register && to.uri.is_tel() {
        return Err(refuse(400, "To Must Be A SIP URI", "a REGISTER for a telephone number"));
    }
    let Some(value) = headers.get(HeaderName::CallId) else {
        return Err(refuse(400, "Missing Call-ID header", "the header field is absent"));
    };
    let call_id = call_id(value)
        .ok_or_else(|| refuse(400, "Malformed Call-ID header", "a Call-ID with a blank in it, or an empty one"))?;
    // RFC 3261 8.1.1.5: "The method MUST match that of the request."
    if cseq.method != request.method {
        return Err(refuse(400, "CSeq Method Mismatch", "the method of CSeq is not the request's"));
    }
    target(request)?;
    let max_forwards = max_forwards(headers)?;
    contact(request, is_old)?;
    // RFC 3261 21.4.11.
    if request.body.len() > MAX_BODY {
        return Err(refuse(413, "Request Entity Too Large", "a body of more than 32,768 bytes"));
    }
    Ok((from, to, call_id, cseq, max_forwards))
}

fn refuse(status: u16, reason: &'static str, detail: &'static str) -> Refusal {
    Refusal { status, reason, detail, via: None }
}

fn read<T>(
    headers: &Headers,
    name: HeaderName,
    missing: &'static str,
    malformed: &'static str,
    parse: impl Fn(&[u8]) -> Result<T, super::header::HeaderError>,
) -> Result<T, Refusal> {
    let value = headers.get(name).ok_or_else(|| refuse(400, missing, "the header field is absent"))?;
    parse(value).map_err(|error| refuse(400, malformed, error.0))
}

/// The first header field that occurs more often than it may (RFC 3261 7.3.1).
fn repeated(headers: &Headers) -> Option<HeaderName> {
    let mut seen = 0u128;
    for (name, _) in headers.iter() {
        let bit = name.bit();
        if seen & bit != 0 && name.arity() == Arity::Single {
            return Some(name.clone());
        }
        seen |= bit;
    }
    None
}

fn duplicate_reason(name: &HeaderName) -> &'static str {
    match name {
        HeaderName::From => "Duplicate From header",
        HeaderName::To => "Duplicate To header",
        HeaderName::CallId => "Duplicate Call-ID header",
        HeaderName::CSeq => "Duplicate CSeq header",
        HeaderName::MaxForwards => "Duplicate Max-Forwards header",
        HeaderName::ContentLength => "Duplicate Content-Length header",
        HeaderName::ContentType => "Duplicate Content-Type header",
        _ => "Duplicate Header",
    }
}

/// RFC 3261 8.2.2.1: a scheme we do not support is 416, what is no URI 400.
fn target(request: &Request) -> Result<(), Refusal> {
    match request.uri() {
        Ok(Uri::Sip(uri)) if uri.headers.is_some() => {
            // RFC 3261 19.1.1, table 1: no header fields in a Request-URI.
            Err(refuse(400, "Malformed Request-URI", "a Request-URI with header fields"))
        }
        Ok(Uri::Sip(_)) => Ok(()),
        // RFC 3261 10.2: a registrar is named by its domain.
        Ok(uri) if uri.is_tel() && request.method != Method::Register => match uri.user_text() {
            Some(_) => Ok(()),
            None => Err(refuse(400, "Malformed Request-URI", "a tel URI without a number")),
        },
        Ok(Uri::Other(..)) => Err(refuse(416, "Unsupported URI Scheme", "a Request-URI that is neither sip nor sips")),
        Err(error) => Err(refuse(400, "Malformed Request-URI", error.0)),
    }
}

fn max_forwards(headers: &Headers) -> Result<Option<u8>, Refusal> {
    let Some(value) = headers.get(HeaderName::MaxForwards) else { return Ok(None) };
    // RFC 3261 20.22: "The Max-Forwards value is an integer in the range 0-255".
    match lex::number(value, 255).and_then(|n| u8::try_from(n).ok()) {
        Some(hops) => Ok(Some(hops)),
        None => Err(refuse(400, "Malformed Max-Forwards header", "not a number from 0 to 255")),
    }
}

/// RFC 3261 8.1.1.8: an INVITE has exactly one Contact, a SIP or SIPS URI; 12.1.2: so has any request that creates a
/// dialog, as SUBSCRIBE does. A REGISTER has any number of them, if they can be parsed; an INVITE of RFC 2543, which
/// did not require a Contact, may have none (RFC 4475 3.4.1).
fn contact(request: &Request, is_old: bool) -> Result<(), Refusal> {
    let needed = request.method.rules().creates_dialog;
    if !needed && request.method != Method::Register {
        return Ok(());
    }
    let mut count = 0usize;
    for value in request.headers.values(HeaderName::Contact) {
        count = count.saturating_add(1);
        let value = ContactValue::parse(&value).map_err(|error| refuse(400, "Malformed Contact header", error.0))?;
        if needed && value.address().and_then(|address| address.uri.sip()).is_none() {
            return Err(refuse(400, "Malformed Contact header", "a Contact that is no SIP address"));
        }
    }
    match count {
        0 if is_old && request.method == Method::Invite => Ok(()),
        0 if needed => Err(refuse(400, "Missing Contact header", "the header field is absent")),
        // RFC 3261 20.10: without a value it is none, and no question for what is registered either.
        0 if request.headers.get(HeaderName::Contact).is_some() => {
            Err(refuse(400, "Malformed Contact header", "a Contact header field without a value"))
        }
        2.. if needed => Err(refuse(400, "Duplicate Contact header", "more than one Contact")),
        _ => Ok(()),
    }
}

/// RFC 3261 25.1: `word [ "@" word ]`; any visible characters are accepted.
fn call_id(value: &[u8]) -> Option<SmolStr> {
    let visible = !value.is_empty() && value.iter().all(|b| *b > b' ' && *b != 0x7f);
    visible.then(|| lex::kept(value))
}

#[cfg(test)]
mod tests;
