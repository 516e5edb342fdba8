//! NOTIFY outside of subscriptions: `sip notify` has a telephone restart, or read its configuration anew.

use super::Lines;
use super::fixed_address::{flow_to, server_of, uri_at};
use crate::config::peer::Peer;
use crate::config::sip_notify_conf::NotifyType;
use crate::event::LineEvent;
use crate::pbx::core::{Core, Requester, add_request_headers};
use crate::pbx::uri_text::{contact, escape_user, host, to_uri};
use crate::sip::Flow;
use crate::sip::dialog::routed;
use crate::sip::header::{HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::sips::binds_request;
use crate::sip::transaction::{Account, Sending};
use bytes::Bytes;

/// What came of an order to notify a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notified {
    /// It is on its way; the log says what the telephone answers.
    Sent,
    /// It is not registered, and no address of it is configured.
    NoAddress,
    /// There is no such peer.
    UnknownPeer,
    /// There is no such type.
    UnknownType,
}

/// Sends a peer the NOTIFY of a type, wherever it is registered.
pub fn send(lines: &Lines, kind: &str, name: &str, core: &mut Core) -> Notified {
    let Some(what) = core.config.notify_types.get(kind).cloned() else { return Notified::UnknownType };
    let Some(peer) = core.config.peers.get(name).cloned() else { return Notified::UnknownPeer };
    let bound: Vec<(String, Flow, Vec<Bytes>)> = lines
        .bindings(name)
        .iter()
        .map(|binding| (binding.contact.to_string(), binding.flow, binding.path.clone()))
        .collect();
    let fixed = server_of(&peer, core).filter(|_| bound.is_empty()).map(|server| {
        let flow = flow_to(&peer, server, core);
        (uri_at(&peer, peer.default_user.as_deref(), flow), flow, Vec::new())
    });
    let places: Vec<_> = bound.into_iter().chain(fixed).collect();
    if places.is_empty() {
        return Notified::NoAddress;
    }
    for (target, flow, route) in places {
        let request = request(&peer, &what, (&target, flow, &route), core);
        let account = Account::Peer(peer.name.as_str().into());
        core.request(request, flow, Sending::Reliably, Requester::Notify(peer.name.as_str().into()), account);
    }
    Notified::Sent
}

/// A telephone answered. `response`: none when it did not.
pub fn answered(name: &str, response: Option<&Response>, core: &mut Core) {
    let status = response.map(|response| response.status);
    if status.is_none_or(|status| status >= 200) {
        core.emit(LineEvent::Notified { line: name.to_owned(), status });
    }
}

fn request(peer: &Peer, what: &NotifyType, (target, flow, route): (&str, Flow, &[Bytes]), core: &mut Core) -> Request {
    let own = host(flow.advertised.ip());
    let default_user = &core.config.general.caller_id;
    let mut request = routed(Method::Notify, target, route);
    let contact = contact(default_user, flow, binds_request(&request));
    let user = escape_user(peer.from_user.as_ref().unwrap_or(default_user));
    let domain = peer.from_domain.as_ref().unwrap_or(&own);
    let headers: &mut Headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, peer.settings.max_forwards.to_string());
    headers.push(HeaderName::From, format!("<sip:{user}@{domain}>;tag={}", core.rng.hex(16)));
    headers.push(HeaderName::To, format!("<{}>", to_uri(target)));
    headers.push(HeaderName::CallId, format!("{}@{own}", core.rng.hex(32)));
    headers.push(HeaderName::CSeq, Bytes::from_static(b"102 NOTIFY"));
    headers.push(HeaderName::Contact, contact);
    // RFC 6665 4.1.3 wants it in every NOTIFY; Asterisk's have it so, and the devices expect no subscription.
    headers.push(HeaderName::SubscriptionState, Bytes::from_static(b"terminated"));
    for (name, value) in &what.headers {
        let name = HeaderName::known(name.as_bytes()).unwrap_or_else(|| HeaderName::Other(Bytes::from(name.clone())));
        headers.push(name, value.clone());
    }
    add_request_headers(&mut request, &core.config.product);
    request.body = Bytes::from(what.content.iter().map(|line| format!("{line}\r\n")).collect::<String>());
    request
}
