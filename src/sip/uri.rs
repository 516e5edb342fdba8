//! URIs (RFC 3261 19.1, 25.1).

use super::flow::Transport;
use super::header::Params;
use super::{lex, tel};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Why a text is not a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UriError(pub &'static str);

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for UriError {}

/// A URI of any scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// Any other: the scheme, and what follows the colon.
    Other(String, String),
}

impl Uri {
    /// Parses a URI. Characters that could end it early elsewhere (blanks, quotes, angle brackets) and malformed `%`
    /// escapes are errors.
    pub fn parse(bytes: &[u8]) -> Result<Uri, UriError> {
        let text = std::str::from_utf8(bytes).map_err(|_| UriError("a URI that is no UTF-8"))?;
        let (scheme, rest) = text.split_once(':').ok_or(UriError("a URI without a scheme"))?;
        if text.bytes().any(|b| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | b'\\' | 0x7f)) {
            return Err(UriError("a URI with a blank, quote or angle bracket in it"));
        }
        let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !scheme_ok || rest.is_empty() {
            return Err(UriError("a URI without a scheme"));
        }
        match scheme {
            _ if scheme.eq_ignore_ascii_case("sip") => SipUri::parse_rest(rest, false).map(Uri::Sip),
            _ if scheme.eq_ignore_ascii_case("sips") => SipUri::parse_rest(rest, true).map(Uri::Sip),
            _ => Ok(Uri::Other(scheme.to_owned(), rest.to_owned())),
        }
    }

    /// The URI, when its scheme is sip or sips.
    pub fn sip(&self) -> Option<&SipUri> {
        match self {
            Uri::Sip(uri) => Some(uri),
            Uri::Other(..) => None,
        }
    }

    /// Whom it names, unescaped: the user of a sip or sips URI, the number of a tel URI.
    pub fn user_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Uri::Sip(uri) => uri.user_text(),
            Uri::Other(_, rest) if self.is_tel() => tel::number(rest).map(Cow::Owned),
            Uri::Other(..) => None,
        }
    }

    /// Whether it is a telephone number (RFC 3966).
    pub fn is_tel(&self) -> bool {
        matches!(self, Uri::Other(scheme, _) if scheme.eq_ignore_ascii_case("tel"))
    }

    /// Whether two URIs are the same by RFC 3261 19.1.4; those of other schemes when they are written alike.
    pub fn equivalent(&self, other: &Uri) -> bool {
        match (self, other) {
            (Uri::Sip(a), Uri::Sip(b)) => a.equivalent(b),
            (Uri::Other(a, x), Uri::Other(b, y)) => a.eq_ignore_ascii_case(b) && x == y,
            _ => false,
        }
    }
}

impl std::str::FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Uri, UriError> {
        Uri::parse(text.as_bytes())
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uri::Sip(uri) => uri.fmt(f),
            Uri::Other(scheme, rest) => write!(f, "{scheme}:{rest}"),
        }
    }
}

/// A `sip:` or `sips:` URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipUri {
    /// `sips:`.
    pub secure: bool,
    /// The user as written, escapes and all; see `user_text`.
    pub user: Option<SmolStr>,
    /// The password as written. The RFC advises against it.
    pub password: Option<SmolStr>,
    /// The host.
    pub host: Host,
    /// The port.
    pub port: Option<u16>,
    /// The URI's own parameters.
    pub params: Params,
    /// The header fields after the question mark.
    pub headers: Option<SmolStr>,
}

impl SipUri {
    /// A plain `sip:user@host:port`. Characters that are not allowed in `user` are escaped.
    pub fn new(user: Option<&str>, host: Host, port: Option<u16>) -> SipUri {
        let user = user.map(|user| SmolStr::new(escape_user(user)));
        SipUri { secure: false, user, password: None, host, port, params: Params::new(), headers: None }
    }

    /// The address it leads to (RFC 3261 19.1.1: `maddr`, else the host); `None` for a host name, which is never looked
    /// up here.
    pub fn address(&self) -> Option<SocketAddr> {
        let maddr = self.params.get("maddr").and_then(|maddr| maddr.trim_matches(['[', ']']).parse().ok());
        let port = self.port.unwrap_or(self.transport().unwrap_or(Transport::Udp).default_port());
        Some(SocketAddr::new(maddr.or_else(|| self.host.ip())?, port))
    }

    /// The transport it requires: TLS with `sips:` (RFC 3261 26.2.2), else that of `transport=`. `None` when it names
    /// none, or one that is not supported.
    pub fn transport(&self) -> Option<Transport> {
        if self.secure {
            return Some(Transport::Tls);
        }
        self.params.get("transport").and_then(Transport::from_name)
    }

    /// The user with its escapes resolved.
    pub fn user_text(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(decode)
    }

    /// RFC 3261 19.1.4: user and password by case; all else without; escapes equal what they encode; parameters that
    /// both have must agree, and user, ttl, method, maddr and transport must be in both or neither; header fields must
    /// be in both.
    pub fn equivalent(&self, other: &SipUri) -> bool {
        self.secure == other.secure
            && same_part(self.user.as_deref(), other.user.as_deref(), false)
            && same_part(self.password.as_deref(), other.password.as_deref(), false)
            && self.host == other.host
            && self.port == other.port
            && self.params_agree(other)
            && other.params_agree(self)
            && same_headers(self.headers.as_deref(), other.headers.as_deref())
    }

    fn params_agree(&self, other: &SipUri) -> bool {
        const IN_BOTH: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
        self.params.iter().all(|param| {
            if other.params.has(&param.name) {
                same_part(param.value.as_deref(), other.params.get(&param.name), true)
            } else {
                !IN_BOTH.iter().any(|name| param.name.eq_ignore_ascii_case(name))
            }
        })
    }

    fn parse_rest(text: &str, secure: bool) -> Result<SipUri, UriError> {
        check_escapes(text)?;
        let (userinfo, rest) = match text.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, text),
        };
        if rest.contains('@') {
            return Err(UriError("a URI with two at signs"));
        }
        let (user, password) = match userinfo.map(|u| u.split_once(':').map_or((u, None), |(u, p)| (u, Some(p)))) {
            Some(("", _)) => return Err(UriError("a URI with an at sign and no user")),
            Some((user, password)) => (Some(SmolStr::new(user)), password.map(SmolStr::new)),
            None => (None, None),
        };
        let (rest, headers) = rest.split_once('?').map_or((rest, None), |(rest, headers)| (rest, Some(headers)));
        let (hostport, params) = rest.split_once(';').map_or((rest, None), |(host, params)| (host, Some(params)));
        let (host, port) = split_port(hostport)?;
        let params = params.map(Params::parse_uri).transpose().map_err(|e| UriError(e.0))?.unwrap_or_default();
        let headers = headers.map(SmolStr::new);
        Ok(SipUri { secure, user, password, host, port, params, headers })
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            f.write_str("@")?;
        }
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

/// The host of a URI or a Via.
#[derive(Debug, Clone)]
pub enum Host {
    /// A name, as written; compared without case.
    Name(SmolStr),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl Host {
    /// Reads a host; IPv6 addresses in their brackets.
    pub fn parse(text: &str) -> Result<Host, UriError> {
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']').ok_or(UriError("an IPv6 address whose bracket is not closed"))?;
            // RFC 5118 4.10: the grammar of RFC 3261 allowed three colons, and so some devices send them.
            let address = inside.parse().or_else(|_| inside.replacen(":::", "::", 1).parse());
            return address.map(Host::V6).map_err(|_| UriError("an IPv6 address that is none"));
        }
        if let Ok(address) = text.parse() {
            return Ok(Host::V4(address));
        }
        let legal = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        let last_label = text.strip_suffix('.').unwrap_or(text).rsplit('.').next().unwrap_or_default();
        // RFC 3261 25.1: the last label of a name begins with a letter; so 256.1.1.1 is neither name nor address.
        if !legal || last_label.bytes().all(|b| b.is_ascii_digit()) || text.len() > 255 {
            return Err(UriError("a host that is neither a name nor an address"));
        }
        Ok(Host::Name(text.into()))
    }

    /// The address; `None` for a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some(IpAddr::V4(*address)),
            Host::V6(address) => Some(IpAddr::V6(*address)),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Host {
        match address {
            IpAddr::V4(address) => Host::V4(address),
            IpAddr::V6(address) => Host::V6(address),
        }
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Host) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a.ip().is_some() && a.ip() == b.ip(),
        }
    }
}

impl Eq for Host {}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => address.fmt(f),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

fn split_port(text: &str) -> Result<(Host, Option<u16>), UriError> {
    let host_end = if text.starts_with('[') {
        text.find(']').map_or(text.len(), |at| at + 1)
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at_checked(host_end).unwrap_or((text, ""));
    let port = match rest.strip_prefix(':') {
        Some(digits) => {
            Some(lex::port(digits.as_bytes()).ok_or(UriError("a port that is not a number from 1 to 65535"))?)
        }
        None if rest.is_empty() => None,
        None => return Err(UriError("a host that is neither a name nor an address")),
    };
    Ok((Host::parse(host)?, port))
}

fn check_escapes(text: &str) -> Result<(), UriError> {
    let mut parts = text.split('%');
    parts.next();
    for part in parts {
        if !part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(UriError("a percent sign without two hexadecimal digits"));
        }
    }
    Ok(())
}

/// One character of a URI part after its escapes are resolved; a reserved character that was escaped stays different
/// from a plain one (RFC 3261 19.1.4).
fn characters(text: &str) -> impl Iterator<Item = (u8, bool)> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || {
        let byte = bytes.next()?;
        if byte != b'%' {
            return Some((byte, false));
        }
        let (high, low) = (bytes.next()?, bytes.next()?);
        let value = hex_digit(high)?.checked_mul(16)?.checked_add(hex_digit(low)?)?;
        Some((value, matches!(value, b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',')))
    })
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

fn same_part(a: Option<&str>, b: Option<&str>, fold: bool) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) if fold => {
            let lower = |(byte, escaped): (u8, bool)| (byte.to_ascii_lowercase(), escaped);
            characters(a).map(lower).eq(characters(b).map(lower))
        }
        (Some(a), Some(b)) => characters(a).eq(characters(b)),
        _ => false,
    }
}

fn same_headers(a: Option<&str>, b: Option<&str>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a.is_none() && b.is_none() };
    let mut left: Vec<&str> = b.split('&').take(MAX_URI_HEADERS + 1).collect();
    let mut count = 0usize;
    for header in a.split('&') {
        count = count.saturating_add(1);
        let (name, value) = header.split_once('=').unwrap_or((header, ""));
        let same = |other: &&str| {
            let (n, v) = other.split_once('=').unwrap_or((other, ""));
            same_part(Some(name), Some(n), true) && same_part(Some(value), Some(v), false)
        };
        match left.iter().position(same) {
            Some(at) if count <= MAX_URI_HEADERS => left.swap_remove(at),
            _ => return false,
        };
    }
    left.is_empty()
}

/// Maximum number of header fields in a URI that is compared: with more it equals no other.
const MAX_URI_HEADERS: usize = 16;

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes: Vec<u8> = characters(text).map(|(byte, _)| byte).collect();
    Cow::Owned(lex::text(&bytes).into_owned())
}

/// RFC 3261 25.1, `user`: unreserved and user-unreserved; `#` is not escaped, because phones write and expect it so.
fn escape_user(user: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/#".contains(&b);
    if user.bytes().all(plain) {
        return Cow::Borrowed(user);
    }
    Cow::Owned(user.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect())
}

#[cfg(test)]
mod tests;
