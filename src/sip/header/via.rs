//! Via (RFC 3261 20.42, RFC 3581).

use super::{HeaderError, Params};
use crate::sip::lex::{self, Scan};
use crate::sip::uri::Host;
use smol_str::SmolStr;
use std::fmt;
use std::net::IpAddr;

/// The transport in a Via.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentProtocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// Any other, as written.
    Other(String),
}

impl SentProtocol {
    /// Parses a transport's name in any case.
    pub fn from_name(name: &str) -> SentProtocol {
        match name {
            _ if name.eq_ignore_ascii_case("UDP") => SentProtocol::Udp,
            _ if name.eq_ignore_ascii_case("TCP") => SentProtocol::Tcp,
            _ if name.eq_ignore_ascii_case("TLS") => SentProtocol::Tls,
            _ => SentProtocol::Other(name.to_owned()),
        }
    }

    /// Its name in a Via.
    pub fn as_str(&self) -> &str {
        match self {
            SentProtocol::Udp => "UDP",
            SentProtocol::Tcp => "TCP",
            SentProtocol::Tls => "TLS",
            SentProtocol::Other(name) => name,
        }
    }

    /// The port when none is named (RFC 3261 18.2.2, 19.1.2).
    pub fn default_port(&self) -> u16 {
        match self {
            SentProtocol::Tls => 5061,
            SentProtocol::Udp | SentProtocol::Tcp | SentProtocol::Other(_) => 5060,
        }
    }
}

/// One Via value: a hop of the request, and of its response on the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The transport of the request.
    pub transport: SentProtocol,
    /// The host of sent-by.
    pub host: Host,
    /// The port of sent-by.
    pub port: Option<u16>,
    /// The transaction identifier.
    pub branch: Option<SmolStr>,
    /// Where the request came from (RFC 3261 18.2.1).
    pub received: Option<IpAddr>,
    /// RFC 3581: `Some(None)` asks for the source port, `Some(Some(port))` is its value.
    pub rport: Option<Option<u16>>,
    /// Where the response is to be sent instead (RFC 3261 18.2.2).
    pub maddr: Option<Host>,
    /// The time to live of a multicast request.
    pub ttl: Option<u8>,
    /// All other parameters.
    pub params: Params,
}

impl Via {
    /// The magic cookie that begins a branch made by the rules of RFC 3261 (8.1.1.7).
    pub const MAGIC: &'static str = "z9hG4bK";

    /// A Via without parameters.
    pub fn new(transport: SentProtocol, host: Host, port: Option<u16>) -> Via {
        let params = Params::new();
        Via { transport, host, port, branch: None, received: None, rport: None, maddr: None, ttl: None, params }
    }

    /// Parses one value: `SIP/2.0/UDP host:port;params`, white space allowed around the slashes (RFC 3261 25.1). Other
    /// versions, too: the required response to a request of another version is 505.
    pub fn parse(value: &[u8]) -> Result<Via, HeaderError> {
        let mut scan = Scan::new(value);
        let mut via = Via::head(&mut scan)?;
        via.params = Params::parse(&mut scan)?;
        via.sort_params()?;
        Ok(via)
    }

    /// Parses as much of a value as a response needs: everything up to its parameters, and whether `rport` is among
    /// them. For refusing a request whose Via is malformed elsewhere.
    pub fn parse_for_refusal(value: &[u8]) -> Result<Via, HeaderError> {
        let mut scan = Scan::new(value);
        let mut via = Via::head(&mut scan)?;
        let mut pieces = scan.rest().split(|b| *b == b';');
        let asks = pieces.any(|piece| Scan::new(piece.trim_ascii()).token().eq_ignore_ascii_case(b"rport"));
        via.rport = asks.then_some(None);
        Ok(via)
    }

    fn head(scan: &mut Scan<'_>) -> Result<Via, HeaderError> {
        scan.skip_space();
        let protocol = scan.token();
        let slash_after_protocol = slash(scan);
        let version = scan.token();
        let slash_after_version = slash(scan);
        if !protocol.eq_ignore_ascii_case(b"SIP") || version.is_empty() || !slash_after_protocol || !slash_after_version
        {
            return Err(HeaderError("a Via that does not begin with SIP/2.0/"));
        }
        let transport = scan.token();
        if transport.is_empty() || !scan.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            return Err(HeaderError("a Via without a transport"));
        }
        let transport = SentProtocol::from_name(&lex::text(transport));
        scan.skip_space();
        let (host, port) = sent_by(scan)?;
        Ok(Via::new(transport, host, port))
    }

    /// Whether the branch was made by RFC 3261's rules, so that it identifies the transaction (17.2.3). The bare magic
    /// cookie does not (RFC 4475 3.2.1).
    pub fn has_magic_branch(&self) -> bool {
        let branch = self.branch.as_deref().unwrap_or_default();
        branch
            .split_at_checked(Via::MAGIC.len())
            .is_some_and(|(magic, id)| magic.eq_ignore_ascii_case(Via::MAGIC) && !id.is_empty())
    }

    /// The port of sent-by, or the transport's default.
    pub fn sent_by_port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.transport.default_port())
    }

    /// Moves the parameters that have a field of their own out of `params`.
    fn sort_params(&mut self) -> Result<(), HeaderError> {
        if self.params.is_empty() {
            return Ok(());
        }
        if let Some(param) = self.params.remove("branch") {
            self.branch = param.value;
        }
        if let Some(param) = self.params.remove("rport") {
            self.rport = Some(match param.value {
                None => None,
                Some(digits) => Some(lex::port(digits.as_bytes()).ok_or(HeaderError("an rport that is no port"))?),
            });
        }
        if let Some(digits) = self.params.remove("ttl").and_then(|p| p.value) {
            let ttl = lex::number(digits.as_bytes(), 255).and_then(|n| u8::try_from(n).ok());
            self.ttl = Some(ttl.ok_or(HeaderError("a ttl that is not a number up to 255"))?);
        }
        if let Some(host) = self.params.remove("maddr").and_then(|p| p.value) {
            self.maddr = Some(Host::parse(&host)?);
        }
        // RFC 5118 4.5: with and without brackets. What is not an address stays among the others: it is only copied.
        if let Some(address) = self.params.get("received").and_then(received) {
            self.received = Some(address);
            self.params.remove("received");
        }
        Ok(())
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport.as_str(), self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(branch) = &self.branch {
            write!(f, ";branch={branch}")?;
        }
        match self.rport {
            Some(Some(port)) => write!(f, ";rport={port}")?,
            Some(None) => f.write_str(";rport")?,
            None => {}
        }
        if let Some(received) = self.received {
            write!(f, ";received={received}")?;
        }
        if let Some(maddr) = &self.maddr {
            write!(f, ";maddr={maddr}")?;
        }
        if let Some(ttl) = self.ttl {
            write!(f, ";ttl={ttl}")?;
        }
        write!(f, "{}", self.params)
    }
}

fn slash(scan: &mut Scan<'_>) -> bool {
    scan.skip_space();
    let found = scan.eat(b'/');
    scan.skip_space();
    found
}

fn sent_by(scan: &mut Scan<'_>) -> Result<(Host, Option<u16>), HeaderError> {
    let host = if scan.peek() == Some(b'[') {
        let host = scan.take_while(|b| b != b']' && b != b';');
        let host = lex::text(host).into_owned();
        if !scan.eat(b']') {
            return Err(HeaderError("a Via whose IPv6 bracket is not closed"));
        }
        Host::parse(&format!("{host}]"))?
    } else {
        Host::parse(&lex::text(scan.take_while(|b| !b.is_ascii_whitespace() && b != b':' && b != b';')))?
    };
    scan.skip_space();
    if !scan.eat(b':') {
        return Ok((host, None));
    }
    scan.skip_space();
    let port = lex::port(scan.take_while(|b| b.is_ascii_digit()))
        .ok_or(HeaderError("a Via whose port is not a number from 1 to 65535"))?;
    Ok((host, Some(port)))
}

fn received(value: &str) -> Option<IpAddr> {
    let plain = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Via, HeaderError> {
        Via::parse(text.as_bytes())
    }

    #[test]
    fn real_devices() -> Result<(), HeaderError> {
        let pap2t = parse("SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-ca5addb1")?;
        assert_eq!((pap2t.port, pap2t.rport, pap2t.branch.as_deref()), (Some(5060), None, Some("z9hG4bK-ca5addb1")));
        assert!(pap2t.has_magic_branch());
        let grandstream = parse("SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK1;rport;alias")?;
        assert_eq!(grandstream.rport, Some(None));
        assert!(grandstream.params.has("alias"));
        assert_eq!(grandstream.to_string(), "SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK1;rport;alias");
        Ok(())
    }

    /// The white space of RFC 4475 3.1.1.1.
    #[test]
    fn white_space_goes_where_the_grammar_lets_it() -> Result<(), HeaderError> {
        let via = parse("SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8  ")?;
        assert_eq!(via.to_string(), "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8");
        assert_eq!(parse("SIP/2.0/UDP 192.0.2.1 : 5062")?.port, Some(5062));
        Ok(())
    }

    #[test]
    fn ipv6_with_and_without_brackets_where_allowed() -> Result<(), HeaderError> {
        let via = parse("SIP/2.0/UDP [2001:db8::9:1]:5070;received=[2001:db8::9:255];branch=z9hG4bKas3-111")?;
        assert_eq!(via.received, "2001:db8::9:255".parse().ok());
        assert_eq!(via.to_string(), "SIP/2.0/UDP [2001:db8::9:1]:5070;branch=z9hG4bKas3-111;received=2001:db8::9:255");
        assert!(parse("SIP/2.0/UDP 2001:db8::9:1").is_err());
        Ok(())
    }

    /// The required response to RFC 4475 3.1.2.1 is 400, although its Via is malformed, too.
    #[test]
    fn a_via_with_bad_parameters_still_says_where_to_answer() -> Result<(), HeaderError> {
        assert!(parse("SIP/2.0/UDP 192.0.2.15:5062;; RPORT ;x=\"").is_err());
        let via = Via::parse_for_refusal(b"SIP/2.0/UDP 192.0.2.15:5062;; RPORT ;x=\"")?;
        assert_eq!((via.sent_by_port(), via.rport), (5062, Some(None)));
        assert!(Via::parse_for_refusal(b"SIP/2.0/UDP ;rport").is_err());
        Ok(())
    }

    #[test]
    fn the_bare_magic_is_no_branch_of_rfc_3261() -> Result<(), HeaderError> {
        assert!(!parse("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK")?.has_magic_branch());
        assert!(!parse("SIP/2.0/UDP 192.0.2.1;branch=1")?.has_magic_branch());
        assert!(!parse("SIP/2.0/UDP 192.0.2.1")?.has_magic_branch());
        assert!(parse("SIP/2.0/UDP 192.0.2.1;branch=Z9HG4BK1")?.has_magic_branch());
        Ok(())
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0 192.0.2.1",
            "XIP/2.0/UDP 192.0.2.1",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP 192.0.2.1:0",
            "SIP/2.0/UDP 192.0.2.1:65536",
            "SIP/2.0/UDP 192.0.2.1:",
            "SIP/2.0/UDP 192.0.2.1;rport=70000",
            "SIP/2.0/UDP 192.0.2.1;ttl=256",
            "SIP/2.0/UDP [::1",
            "SIP/2.0/UDP [zz]",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP 192.0.2.1;branch=a;branch=b",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
