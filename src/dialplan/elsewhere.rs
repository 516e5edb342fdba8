//! Dial strings that name a host: `SIP/user@host`, `SIP/user@domain//host`, `SIP/peer/number/host`.

use super::located::HostQuery;
use super::request::DialTarget;
use std::net::IpAddr;

/// Where a dial string leads that names no peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The user to call; empty: none.
    pub user: String,
    /// The host of the Request-URI, with its port.
    pub domain: String,
    /// Where it is sent.
    pub query: HostQuery,
}

impl Elsewhere {
    /// Reads a target of technology SIP. None for one that can only mean a peer: a word without a dot, which is one that is
    /// misspelt rather than a host.
    pub fn of(target: &DialTarget) -> Option<Elsewhere> {
        if !target.technology.eq_ignore_ascii_case("SIP") {
            return None;
        }
        let read = target.said();
        if !read.may_be_host {
            return None;
        }
        let (host, port) = host_and_port(read.line)?;
        let domain = match port {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        let transport = read.transport.to_ascii_lowercase();
        let query = match read.sent_to {
            "" => HostQuery { host, port, transport },
            sent_to => query(sent_to, &transport)?,
        };
        is_host(&query.host).then(|| Elsewhere { user: read.number.to_owned(), domain, query })
    }
}

/// The host that a call to a peer is sent to instead of the peer's own; none: the dial string names none.
pub fn detour(target: &DialTarget) -> Option<HostQuery> {
    let read = target.said();
    if !target.technology.eq_ignore_ascii_case("SIP") || read.sent_to.is_empty() {
        return None;
    }
    query(read.sent_to, &read.transport.to_ascii_lowercase()).filter(|query| is_host(&query.host))
}

/// `[transport://]host[:port]`.
fn query(text: &str, transport: &str) -> Option<HostQuery> {
    let (transport, place) = match text.split_once("://") {
        Some((transport, place)) => (transport.to_ascii_lowercase(), place),
        None => (transport.to_owned(), text),
    };
    let (host, port) = host_and_port(place)?;
    Some(HostQuery { host, port, transport })
}

/// An address, or a name with a dot that is not all digits.
fn is_host(host: &str) -> bool {
    let is_name = || {
        host.contains('.')
            && !host.starts_with('.')
            && host.len() <= 253
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            && host.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    address(host).is_some() || is_name()
}

/// The address that a host is, when it is none to look up.
pub fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.rfind(']') {
        Some(end) => text.split_at(end + 1),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
        None if port.is_empty() => None,
        None => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String, String, Option<u16>)> {
        let Elsewhere { user, domain, query } = Elsewhere::of(&DialTarget::parse(text)?)?;
        Some((user, domain, query.host, query.port))
    }

    #[test]
    fn what_names_a_host_is_told_from_what_names_a_peer() {
        let found = |user: &str, domain: &str, host: &str, port| Some((user.into(), domain.into(), host.into(), port));
        assert_eq!(read("SIP/100@192.0.2.9"), found("100", "192.0.2.9", "192.0.2.9", None));
        assert_eq!(read("SIP/100@PBX.example:5070"), found("100", "pbx.example:5070", "pbx.example", Some(5070)));
        assert_eq!(read("SIP/100@[2001:db8::1]:5070"), found("100", "[2001:db8::1]:5070", "[2001:db8::1]", Some(5070)));
        assert_eq!(read("SIP/100@example.org//192.0.2.9"), found("100", "example.org", "192.0.2.9", None));
        assert_eq!(read("SIP/100@example.org!x!y@z"), found("100", "example.org", "example.org", None));
        for peer in [
            "SIP/100",
            "SIP/peer/100",
            "SIP/100@peer",
            "SIP/100@1234",
            "SIP/1@1.2.3",
            "SIP/a@b.c:0",
            "SIP/a@b.c:x",
            "SIP/a@.b",
            "Local/1@a.b",
            "SIP/a@b c.d",
        ] {
            assert_eq!(read(peer), None, "{peer}");
        }
        let of = |text: &str| Elsewhere::of(&DialTarget::parse(text).unwrap()).unwrap();
        assert_eq!(of("SIP/bob:pw:md5:auth:TCP@h.example").query.transport, "tcp");
        assert_eq!(of("SIP/bob@h.example//tls://p.example:5071").query.transport, "tls");
        let detour = |text: &str| detour(&DialTarget::parse(text).unwrap()).map(|to| (to.host, to.port));
        assert_eq!(detour("SIP/peer/100/192.0.2.9:5070"), Some(("192.0.2.9".to_owned(), Some(5070))));
        assert_eq!(detour("SIP/100@peer//sbc.example"), Some(("sbc.example".to_owned(), None)));
        for none in ["SIP/peer/100", "SIP/100@peer", "Local/1@a/n/b.c", "SIP/peer/100/word"] {
            assert_eq!(detour(none), None, "{none}");
        }
    }
}
