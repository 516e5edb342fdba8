//! Dial strings that name an address instead of a peer: `SIP/user@host`, `SIP/peer/number/host`, `SIP/user@domain//host`.

use super::request::DialTarget;
use std::net::IpAddr;

/// Where a dial string leads that names no peer, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The user to call; empty: none.
    pub user: String,
    /// The host of the Request-URI.
    pub domain: String,
    /// Where it is sent: a host name or an address.
    pub host: String,
    /// The port there; none: the usual one.
    pub port: Option<u16>,
    /// `udp`, `tcp` or `tls`; empty: what `[general]` has first.
    pub transport: String,
    /// There is a password in it.
    pub has_password: bool,
}

impl Elsewhere {
    /// Reads a target of technology SIP. None for one that can only mean a peer: a word without a dot, which is one that is
    /// misspelt rather than a host.
    pub fn of(target: &DialTarget) -> Option<Elsewhere> {
        if !target.technology.eq_ignore_ascii_case("SIP") {
            return None;
        }
        let resource = target.resource.split('!').next().unwrap_or_default();
        let (uri, sent) = match resource.split_once("//") {
            Some((uri, sent)) => (uri, Some(sent)),
            None => (resource, None),
        };
        let (login, at) = match uri.rsplit_once('@') {
            Some((login, at)) if !at.contains('/') => (login, at),
            _ => return None,
        };
        let mut words = login.split(':');
        let user = words.next().unwrap_or_default().to_owned();
        let has_password = words.next().is_some_and(|password| !password.is_empty());
        let transport = words.nth(2).unwrap_or_default().to_ascii_lowercase();
        let (domain, own_port) = host_and_port(at)?;
        let (host, port) = match sent {
            Some(sent) => host_and_port(sent)?,
            None => (domain.clone(), own_port),
        };
        is_host(&host).then_some(Elsewhere { user, domain, host, port, transport, has_password })
    }
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
        let read = Elsewhere::of(&DialTarget::parse(text)?)?;
        Some((read.user, read.domain, read.host, read.port))
    }

    #[test]
    fn what_names_a_host_is_told_from_what_names_a_peer() {
        let found = |user: &str, domain: &str, host: &str, port| Some((user.into(), domain.into(), host.into(), port));
        assert_eq!(read("SIP/100@192.0.2.9"), found("100", "192.0.2.9", "192.0.2.9", None));
        assert_eq!(read("SIP/100@PBX.example:5070"), found("100", "pbx.example", "pbx.example", Some(5070)));
        assert_eq!(read("SIP/100@[2001:db8::1]:5070"), found("100", "[2001:db8::1]", "[2001:db8::1]", Some(5070)));
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
        let target = DialTarget::parse("SIP/bob:pw:md5:auth:tcp@h.example").unwrap();
        let read = Elsewhere::of(&target).unwrap();
        assert_eq!((read.user.as_str(), read.has_password, read.transport.as_str()), ("bob", true, "tcp"));
    }
}
