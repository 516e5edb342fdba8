//! The REGISTER of a registration (RFC 3261 10.2), and what its 200 says.

use crate::config::register_line::RegisterLine;
use crate::pbx::core::{Core, add_request_headers};
use crate::pbx::uri_text::{contact, escape_user};
use crate::sip::flow::Transport;
use crate::sip::header::{CSeq, ContactValue, HeaderName, Headers};
use crate::sip::message::Request;
use crate::sip::method::Method;
use crate::sip::{Flow, Uri};
use bytes::Bytes;
use std::time::Duration;

/// Maximum number of proxies of a Service-Route; each of our calls names them all.
const MAX_ROUTES: usize = 8;

/// What is the same in every REGISTER of a registration (RFC 3261 10.2).
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// The Call-ID.
    pub call_id: String,
    /// Our tag.
    pub tag: String,
}

/// The REGISTER; `expires` zero removes the registration. Gives our Contact, too.
pub(super) fn register(
    line: &RegisterLine,
    identity: &Identity,
    (cseq, expires): (u32, Duration),
    flow: Flow,
    core: &Core,
) -> (Request, Bytes) {
    let peer = line.peer.as_deref().and_then(|name| core.config.peers.get(name)).cloned();
    let settings = peer.as_ref().map_or(&core.config.general.defaults, |peer| &peer.settings);
    let (hops, knows_path) = (settings.max_forwards, settings.support_path);
    let domain = peer.as_ref().and_then(|peer| peer.from_domain.as_deref());
    let domain = line.domain.as_deref().or(domain).unwrap_or(&line.host);
    let over = match flow.transport {
        Transport::Udp => String::new(),
        Transport::Tcp | Transport::Tls => format!(";transport={}", flow.transport.name()),
    };
    let mut request = Request::new(Method::Register, format!("sip:{domain}{over}"));
    // RFC 3261 8.1.1.2: the port is of the place, and not of the name.
    let address = format!("<sip:{}@{}>", escape_user(&line.user), without_port(domain));
    let own = contact(&line.extension, flow, false);
    let headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, hops.to_string());
    if let Some(proxy) = &line.proxy {
        headers.push(HeaderName::Route, proxy.route());
    }
    headers.push(HeaderName::From, format!("{address};tag={}", identity.tag));
    headers.push(HeaderName::To, address);
    headers.push(HeaderName::CallId, identity.call_id.clone());
    headers.push(HeaderName::CSeq, CSeq { number: cseq, method: Method::Register }.to_string());
    let mut value = own.to_vec();
    value.extend_from_slice(format!(";expires={}", expires.as_secs()).as_bytes());
    headers.push(HeaderName::Contact, value);
    headers.push(HeaderName::Expires, expires.as_secs().to_string());
    if knows_path {
        headers.push(HeaderName::Supported, Bytes::from_static(b"path"));
    }
    add_request_headers(&mut request, &core.config.product);
    (request, own)
}

/// A host without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

/// For how long a 200 says that we are registered (RFC 3261 10.2.4): by our own Contact in it, or else its Expires; none:
/// it names neither.
pub(super) fn granted(headers: &Headers, own: &Bytes) -> Option<Duration> {
    let ours = address(own);
    let values = headers.values(HeaderName::Contact).filter_map(|value| ContactValue::parse(&value).ok());
    let mut all = Vec::new();
    for value in values {
        let Some(at) = value.address() else { continue };
        let seconds = at.params.get("expires").and_then(|text| text.parse::<u32>().ok());
        let is_ours = ours.as_ref().is_some_and(|ours| is_same(ours, &at.uri));
        all.push((is_ours, seconds));
    }
    let own = all.iter().find(|(is_ours, _)| *is_ours);
    // A provider behind an address translator writes what it sees: a single Contact is ours.
    let only = all.first().filter(|_| all.len() == 1);
    let of_contact = own.or(only).and_then(|(_, seconds)| *seconds);
    let expires = || std::str::from_utf8(headers.get(HeaderName::Expires)?).ok()?.trim().parse::<u32>().ok();
    of_contact.or_else(expires).map(|seconds| Duration::from_secs(seconds.into()))
}

fn address(own: &Bytes) -> Option<Uri> {
    ContactValue::parse(own).ok()?.address().map(|at| at.uri.clone())
}

/// The same user at the same place (RFC 3261 19.1.4, as far as ours is concerned).
fn is_same(a: &Uri, b: &Uri) -> bool {
    match (a.sip(), b.sip()) {
        (Some(a), Some(b)) => a.user == b.user && a.host == b.host && a.port == b.port,
        _ => false,
    }
}

/// The proxies that our calls are to take (RFC 3608), nearest first, each as it came.
pub(super) fn service_route(headers: &Headers) -> Vec<Bytes> {
    headers.values(HeaderName::ServiceRoute).take(MAX_ROUTES).collect()
}

/// A header that is one number of seconds.
pub(in crate::pbx::lines) fn seconds(headers: &Headers, name: HeaderName) -> Option<Duration> {
    let text = std::str::from_utf8(headers.get(name)?).ok()?;
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()))
}
