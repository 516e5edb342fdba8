//! Rules for every request inside a dialog (RFC 3261 12.2.2).

use super::sdp_body;
use super::user_agent::{ReceivedRequest, UserAgent};
use crate::sdp::Sdp;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::header::HeaderName;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::validate::Essentials;

/// Whether a request belongs to this dialog.
pub(super) fn is_of(dialog: &Dialog, essentials: &Essentials) -> bool {
    DialogKey::of_request(essentials).is_some_and(|key| key == dialog.key())
}

/// Checks that a request belongs to this dialog and comes in order; or gives the status to refuse it with.
pub(super) fn admit(dialog: &mut Dialog, received: &ReceivedRequest) -> Result<(), u16> {
    if !is_of(dialog, &received.essentials) {
        return Err(481);
    }
    dialog.receive(received.essentials.cseq.number, &received.request.method).map_err(|_| 500)
}

/// The status for a request that changes neither the call nor its media.
pub(super) fn default_status(method: &Method) -> u16 {
    match method {
        Method::Options | Method::Info | Method::Notify | Method::Message => 200,
        Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Invite
        | Method::Update
        | Method::Register
        | Method::Subscribe
        | Method::Refer
        | Method::Prack
        | Method::Publish
        | Method::Other(_) => 405,
    }
}

/// Whether a request is an UPDATE without a description, which only keeps the dialog alive.
pub(super) fn is_refresh(request: &Request) -> bool {
    request.method == Method::Update && request.body.is_empty()
}

/// Accepts an UPDATE, with the answer to its offer if it made one.
pub(super) fn accept(ua: &mut UserAgent, received: &ReceivedRequest, answer: Option<&Sdp>) {
    let mut response = Response::for_request(&received.request, 200, None);
    response.headers.push(HeaderName::Contact, ua.contact());
    if let Some(sdp) = answer {
        sdp_body::attach(&mut response.headers, &mut response.body, sdp);
    }
    ua.respond(received.server, response);
}
