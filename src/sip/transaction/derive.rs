//! Requests that follow from an INVITE within its own transaction: the ACK of a refusal, and the CANCEL.

use crate::sip::header::{CSeq, Via};
use crate::sip::{Flow, HeaderName, Host, Method, Request, Response};

/// The hops a request may take (RFC 3261 8.1.1.6).
const MAX_FORWARDS: &str = "70";

/// Our Via (RFC 3261 8.1.1.7, 18.1.1; RFC 3581 3: always with `rport` over UDP).
pub(super) fn via(flow: Flow, branch: &str) -> String {
    let mut via = Via::new(
        flow.transport.in_via(),
        Host::from(flow.advertised.ip().to_canonical()),
        Some(flow.advertised.port()),
    );
    via.branch = Some(branch.into());
    if !flow.transport.is_reliable() {
        via.rport = Some(None);
    }
    via.to_string()
}

/// RFC 3261 17.1.1.3: the ACK of a refusal has the INVITE's Request-URI, Call-ID, From, top Via, Route and CSeq number,
/// and the To of the response.
pub(super) fn ack(invite: &Request, response: &Response) -> Request {
    let mut ack = follow(invite, Method::Ack);
    if let Some(to) = response.headers.get(HeaderName::To) {
        ack.headers.set(HeaderName::To, to.clone());
    }
    ack
}

/// RFC 3261 9.1: the CANCEL has the INVITE's Request-URI, Call-ID, To, From, top Via, Route and CSeq number.
pub(super) fn cancel(invite: &Request) -> Request {
    follow(invite, Method::Cancel)
}

/// An INVITE without what only its callee needs: enough for its ACKs, and for the dialogs of late responses.
pub(super) fn essence(invite: &Request) -> Request {
    let mut essence = follow(invite, Method::Invite);
    copy_credentials(invite, &mut essence);
    essence
}

/// RFC 3261 13.2.2.4, 22.1: the ACK of a 2xx has the same credentials as its INVITE.
pub(super) fn copy_credentials(invite: &Request, to: &mut Request) {
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        for line in invite.headers.lines(name.clone()) {
            to.headers.push(name.clone(), line.clone());
        }
    }
}

fn follow(invite: &Request, method: Method) -> Request {
    let mut request = Request::new(method.clone(), invite.target.clone());
    let one = [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId];
    for name in one {
        if let Some(value) = invite.headers.get(name.clone()) {
            request.headers.push(name, value.clone());
        }
    }
    if let Some(Ok(cseq)) = invite.headers.get(HeaderName::CSeq).map(|value| CSeq::parse(value)) {
        request.headers.push(HeaderName::CSeq, CSeq { number: cseq.number, method }.to_string());
    }
    for route in invite.headers.lines(HeaderName::Route) {
        request.headers.push(HeaderName::Route, route.clone());
    }
    request.headers.push(HeaderName::MaxForwards, MAX_FORWARDS);
    request
}
