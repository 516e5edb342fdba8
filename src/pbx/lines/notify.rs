//! NOTIFY outside of subscriptions: `sip notify` has a telephone restart, or read its configuration anew.

use super::Lines;
use super::fixed_address::{flow_of, flow_to, route_to, server_of, uri_at};
use crate::config::peer::Peer;
use crate::config::sip_notify_conf::NotifyType;
use crate::event::LineEvent;
use crate::names::Server;
use crate::pbx::core::servers::retry_after;
use crate::pbx::core::{Core, Notice, Requester, add_request_headers};
use crate::pbx::uri_text::{contact, escape_user, host, to_uri};
use crate::sip::Flow;
use crate::sip::dialog::routed;
use crate::sip::header::{HeaderName, Headers};
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::sips::binds_request;
use crate::sip::transaction::{Account, Sending};
use bytes::Bytes;
use std::sync::Arc;

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
    if bound.is_empty() {
        let Some(server) = server_of(&peer, core) else { return Notified::NoAddress };
        to_server(&peer, (kind, &what), server, core);
        return Notified::Sent;
    }
    for (target, flow, path) in bound {
        let (flow, route) = (flow_of(&peer, flow, core), route_to(&peer, &path));
        let notice = Notice { peer: peer.name.clone(), kind: kind.to_owned(), server: None };
        transmit(&peer, &what, (&target, flow, &route), notice, core);
    }
    Notified::Sent
}

/// To a server of a peer's fixed address.
fn to_server(peer: &Peer, (kind, what): (&str, &NotifyType), server: Server, core: &mut Core) {
    let flow = flow_to(peer, server, core);
    let target = uri_at(peer, peer.default_user.as_deref(), flow);
    let notice = Notice { peer: peer.name.clone(), kind: kind.to_owned(), server: Some(server) };
    transmit(peer, what, (&target, flow, &route_to(peer, &[])), notice, core);
}

fn transmit(peer: &Peer, what: &NotifyType, to: (&str, Flow, &[Bytes]), notice: Notice, core: &mut Core) {
    let request = request(peer, what, to, core);
    let account = Account::Peer(peer.name.as_str().into());
    core.request(request, to.1, Sending::Reliably, Requester::Notify(Arc::new(notice)), account);
}

/// A telephone answered. `response`: none when it did not. RFC 3263 4.3: where a server is silent or answers 503, the next of
/// its peer is sent it.
pub fn answered(notice: &Notice, response: Option<&Response>, core: &mut Core) {
    let status = response.map(|response| response.status);
    if status.is_none_or(|status| status == 503) && goes_on(notice, response, core) {
        return;
    }
    if status.is_none_or(|status| status >= 200) {
        core.emit(LineEvent::Notified { line: notice.peer.clone(), status });
    }
}

fn goes_on(notice: &Notice, response: Option<&Response>, core: &mut Core) -> bool {
    let Some(server) = notice.server else { return false };
    let Some(peer) = core.config.peers.get(&notice.peer).cloned() else { return false };
    let Some(what) = core.config.notify_types.get(&notice.kind).cloned() else { return false };
    if peer.servers(core.config.admission.names()).len() < 2 {
        return false;
    }
    let asked = response.and_then(|response| retry_after(&response.headers));
    core.failed_servers.note(server, asked, core.now.mono);
    // Each is tried once: those that failed are avoided from then on.
    let next = server_of(&peer, core).filter(|next| !core.failed_servers.is_avoided(*next, core.now.mono));
    let Some(next) = next else { return false };
    let (line, server) = (peer.name.clone(), server.to_string());
    core.emit(LineEvent::ServerFailed { line, server, next: next.to_string() });
    to_server(&peer, (&notice.kind, &what), next, core);
    true
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
