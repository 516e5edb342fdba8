//! Small helpers for the URIs and names that a leg's messages are made with.

use crate::sip::Flow;
use crate::sip::flow::Transport;
use crate::sip::header::Params;
use crate::sip::uri::{SipUri, Uri};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};

/// The user part of a URI, unescaped; the number of a tel URI.
pub fn user_of<E>(uri: &Result<Uri, E>) -> Option<String> {
    uri.as_ref().ok()?.user_text().map(|user| user.into_owned())
}

/// The URI of a line in To (RFC 3261 8.1.1.2): where it is called, without the parameters that only the way to it
/// needs.
pub fn to_uri(target: &str) -> String {
    match Uri::parse(target.as_bytes()) {
        Ok(Uri::Sip(uri)) => SipUri { params: Params::new(), headers: None, ..uri }.to_string(),
        Ok(Uri::Other(..)) | Err(_) => target.to_owned(),
    }
}

/// The address a URI names, when it names one: no name is ever looked up here.
pub fn uri_address(uri: &Uri) -> Option<SocketAddr> {
    uri.sip().and_then(|uri| uri.address())
}

/// An address as a URI writes it: IPv6 in brackets.
pub fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Our Contact on a leg: over a connection it names the transport (RFC 3261 19.1.1), unless it is `sips:` (RFC 5630
/// 3.1.4).
pub fn contact(user: &str, flow: Flow, secure: bool) -> Bytes {
    let (user, host, port) = (escape_user(user), host(flow.advertised.ip()), flow.advertised.port());
    if secure {
        return Bytes::from(format!("<sips:{user}@{host}:{port}>"));
    }
    Bytes::from(format!("<sip:{user}@{host}:{port}{}>", transport_param(flow.transport)))
}

/// The parameter of a URI that names a transport other than UDP.
pub fn transport_param(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
    }
}

/// A user part with everything that RFC 3261 25.1 does not allow there escaped.
pub fn escape_user(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b'&' | b'=' | b'+' | b'$' | b',' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A display name as a quoted string (RFC 3261 25.1): control characters become blanks.
pub fn quote(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for c in name.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
