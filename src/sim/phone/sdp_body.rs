//! A session description as the body of a message.

use crate::sdp::Sdp;
use crate::sip::Headers;
use crate::sip::header::HeaderName;
use bytes::Bytes;

/// The description in a message, if it has one that can be parsed.
pub(super) fn read(headers: &Headers, body: &Bytes) -> Option<Sdp> {
    let kind = headers.text(HeaderName::ContentType)?;
    if body.is_empty() || !kind.trim().eq_ignore_ascii_case("application/sdp") {
        return None;
    }
    Sdp::parse(body).ok()
}

/// Makes a description the body of a message.
pub(super) fn attach(headers: &mut Headers, body: &mut Bytes, sdp: &Sdp) {
    headers.push(HeaderName::ContentType, Bytes::from_static(b"application/sdp"));
    *body = sdp.to_bytes().into();
}
