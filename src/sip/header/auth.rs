//! Digest challenges and the answers to them (RFC 3261 20.7, 20.27, 20.28, 20.44; RFC 7616 3.3, 3.4).

use super::{HeaderError, HeaderName, Headers};
use crate::sip::digest::Algorithm;
use crate::sip::lex::{self, Scan};
use smol_str::{SmolStr, StrExt};
use std::fmt;

/// Maximum number of comma-separated parameters of one value.
const MAX_FIELDS: usize = 32;

/// What a server asks for: WWW-Authenticate or Proxy-Authenticate with the scheme Digest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    /// The realm.
    pub realm: SmolStr,
    /// The nonce, as written between its quotes.
    pub nonce: SmolStr,
    /// To be returned unchanged.
    pub opaque: Option<SmolStr>,
    /// The algorithm's name as written; absent means MD5.
    pub algorithm: Option<SmolStr>,
    /// The offered qualities of protection, such as `auth` or `auth,auth-int`; `None` is RFC 2069.
    pub qop: Option<SmolStr>,
    /// The digest was correct, but its nonce too old.
    pub stale: bool,
}

impl Challenge {
    /// Reads one value; an error when the scheme is not Digest.
    pub fn parse(value: &[u8]) -> Result<Challenge, HeaderError> {
        let mut challenge = Challenge::default();
        let mut seen = (false, false);
        for_each_field(value, |name, inside| {
            match name {
                "realm" => (challenge.realm, seen.0) = (lex::unescape(inside), true),
                "nonce" => (challenge.nonce, seen.1) = (literal(inside), true),
                "opaque" => challenge.opaque = Some(literal(inside)),
                "algorithm" => challenge.algorithm = Some(literal(inside)),
                "qop" => challenge.qop = Some(literal(inside)),
                "stale" => challenge.stale = inside.eq_ignore_ascii_case(b"true"),
                // RFC 7616 3.3: what is not recognised is ignored.
                _ => {}
            }
        })?;
        match seen {
            (true, true) => Ok(challenge),
            _ => Err(HeaderError("a challenge without realm or nonce")),
        }
    }

    /// The algorithm, that of a `-sess` one without it; `None` for one we do not know.
    pub fn algorithm(&self) -> Option<Algorithm> {
        algorithm(self.algorithm.as_deref().map(|name| session_of(name).unwrap_or(name)))
    }

    /// Whether the hash of user and password is mixed with the nonce and the first client nonce (`MD5-sess`, RFC 7616
    /// 3.4.2).
    pub fn is_of_session(&self) -> bool {
        self.algorithm.as_deref().is_some_and(|name| session_of(name).is_some())
    }

    /// Whether `auth` is among the offered qualities of protection.
    pub fn offers_auth(&self) -> bool {
        self.qop.as_deref().is_some_and(|offered| offered.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")))
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest realm=")?;
        lex::write_quoted(f, &self.realm)?;
        write!(f, ", nonce=\"{}\"", Raw(&self.nonce))?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque=\"{}\"", Raw(opaque))?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        if let Some(algorithm) = &self.algorithm {
            write!(f, ", algorithm={}", Bare(algorithm))?;
        }
        if let Some(qop) = &self.qop {
            write!(f, ", qop=\"{}\"", Raw(qop))?;
        }
        Ok(())
    }
}

/// The proof of a client: Authorization or Proxy-Authorization with the scheme Digest. Nonce, cnonce, nc, uri and
/// opaque are kept as written between their quotes, because the digest is computed over that.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// The user name, without escapes.
    pub username: SmolStr,
    /// The realm, without escapes.
    pub realm: SmolStr,
    /// The server's nonce.
    pub nonce: SmolStr,
    /// The URI the digest was computed over; need not be the Request-URI (RFC 3261 22.4).
    pub uri: SmolStr,
    /// The digest, in hexadecimal.
    pub response: SmolStr,
    /// The algorithm's name as written; absent means MD5.
    pub algorithm: Option<SmolStr>,
    /// The client's own nonce.
    pub cnonce: Option<SmolStr>,
    /// The server's opaque value, returned.
    pub opaque: Option<SmolStr>,
    /// The quality of protection chosen; `None` is RFC 2069.
    pub qop: Option<SmolStr>,
    /// How often the nonce has been used, eight hexadecimal digits, as written.
    pub nc: Option<SmolStr>,
}

impl Credentials {
    /// Reads one value; an error when the scheme is not Digest.
    pub fn parse(value: &[u8]) -> Result<Credentials, HeaderError> {
        let mut all = Credentials::default();
        let mut seen = 0u8;
        for_each_field(value, |name, inside| match name {
            "username" => (all.username, seen) = (lex::unescape(inside), seen | 1),
            "realm" => (all.realm, seen) = (lex::unescape(inside), seen | 2),
            "nonce" => (all.nonce, seen) = (literal(inside), seen | 4),
            "uri" => (all.uri, seen) = (literal(inside), seen | 8),
            "response" => (all.response, seen) = (literal(inside), seen | 16),
            "algorithm" => all.algorithm = Some(literal(inside)),
            "cnonce" => all.cnonce = Some(literal(inside)),
            "opaque" => all.opaque = Some(literal(inside)),
            "qop" => all.qop = Some(literal(inside)),
            "nc" => all.nc = Some(literal(inside)),
            _ => {}
        })?;
        match seen {
            31 => Ok(all),
            _ => Err(HeaderError("credentials without username, realm, nonce, uri or response")),
        }
    }

    /// The first Digest credentials for `realm` among the lines of this name; others may be meant for others (RFC 3261
    /// 22.3).
    pub fn find(headers: &Headers, name: HeaderName, realm: &str) -> Option<Credentials> {
        headers.lines(name).filter_map(|line| Credentials::parse(line).ok()).find(|found| found.realm == realm)
    }

    /// The algorithm; `None` for one we do not know.
    pub fn algorithm(&self) -> Option<Algorithm> {
        algorithm(self.algorithm.as_deref())
    }

    /// The nonce count as a number; `None` when it is absent or not hexadecimal.
    pub fn nonce_count(&self) -> Option<u32> {
        let digits = self.nc.as_deref().filter(|nc| nc.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// The response allows a dictionary attack on the password, so it is not shown.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("nc", &self.nc)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest username=")?;
        lex::write_quoted(f, &self.username)?;
        f.write_str(", realm=")?;
        lex::write_quoted(f, &self.realm)?;
        write!(
            f,
            ", nonce=\"{}\", uri=\"{}\", response=\"{}\"",
            Raw(&self.nonce),
            Raw(&self.uri),
            Raw(&self.response)
        )?;
        if let Some(algorithm) = &self.algorithm {
            write!(f, ", algorithm={}", Bare(algorithm))?;
        }
        if let Some(cnonce) = &self.cnonce {
            write!(f, ", cnonce=\"{}\"", Raw(cnonce))?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque=\"{}\"", Raw(opaque))?;
        }
        if let Some(qop) = &self.qop {
            write!(f, ", qop={}", Bare(qop))?;
        }
        if let Some(nc) = &self.nc {
            write!(f, ", nc={}", Bare(nc))?;
        }
        Ok(())
    }
}

/// The name before `-sess`.
fn session_of(name: &str) -> Option<&str> {
    let (name, tail) = name.split_at_checked(name.len().checked_sub("-sess".len())?)?;
    tail.eq_ignore_ascii_case("-sess").then_some(name)
}

fn algorithm(name: Option<&str>) -> Option<Algorithm> {
    name.map_or(Some(Algorithm::Md5), Algorithm::from_name)
}

/// Text that is already in its quoted form; line ends cannot occur in a value that was parsed, and are not printed.
struct Raw<'a>(&'a str);

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = false;
        for c in self.0.chars() {
            match c {
                '\r' | '\n' => f.write_str(" ")?,
                '"' if !escaped => f.write_str("\\\"")?,
                _ => write!(f, "{c}")?,
            }
            escaped = c == '\\' && !escaped;
        }
        if escaped { f.write_str("\\") } else { Ok(()) }
    }
}

/// A token as it is, anything else in quotes.
struct Bare<'a>(&'a str);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if lex::is_token(self.0.as_bytes()) { f.write_str(self.0) } else { write!(f, "\"{}\"", Raw(self.0)) }
    }
}

fn literal(inside: &[u8]) -> SmolStr {
    lex::kept(inside)
}

/// Calls `each` with the name, in lower case, and the value, without quotes, of every parameter of a Digest value. A
/// name that occurs twice is an error: two readers could take different ones.
fn for_each_field<'a>(value: &'a [u8], mut each: impl FnMut(&str, &'a [u8])) -> Result<(), HeaderError> {
    let mut scan = Scan::new(value);
    scan.skip_space();
    if !scan.token().eq_ignore_ascii_case(b"Digest") || !scan.peek().is_some_and(|b| b.is_ascii_whitespace()) {
        return Err(HeaderError("an authentication scheme other than Digest"));
    }
    let mut names: Vec<SmolStr> = Vec::with_capacity(12);
    loop {
        scan.skip_space();
        let name = lex::text(scan.token()).to_ascii_lowercase_smolstr();
        scan.skip_space();
        if name.is_empty() || !scan.eat(b'=') {
            return Err(HeaderError("an authentication parameter without a name or value"));
        }
        scan.skip_space();
        let inside = if scan.peek() == Some(b'"') {
            scan.quoted().ok_or(HeaderError("an authentication parameter whose quote is not closed"))?
        } else {
            scan.take_while(|b| b > b' ' && !matches!(b, b',' | b'"'))
        };
        if names.len() >= MAX_FIELDS || names.contains(&name) {
            return Err(HeaderError("an authentication parameter twice, or too many of them"));
        }
        each(&name, inside);
        names.push(name);
        scan.skip_space();
        if scan.is_empty() {
            return Ok(());
        }
        if !scan.eat(b',') {
            return Err(HeaderError("authentication parameters that are not parted by commas"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A real Cisco 7960: no blanks after commas, a lower-case algorithm.
    #[test]
    fn a_cisco_7960() -> Result<(), HeaderError> {
        let text = "Digest username=\"1600\",realm=\"asterisk\",uri=\"sip:192.0.2.9\",response=\"00112233445566778899aabbccddeeff\",\
            nonce=\"1608794790/f4dc\",opaque=\"4cf02bb020c6e7ae\",cnonce=\"61cdcfdc\",qop=auth,nc=00000001,algorithm=md5";
        let credentials = Credentials::parse(text.as_bytes())?;
        assert_eq!(credentials.algorithm(), Some(Algorithm::Md5));
        assert_eq!((credentials.nonce_count(), credentials.qop.as_deref()), (Some(1), Some("auth")));
        assert_eq!(Credentials::parse(credentials.to_string().as_bytes())?, credentials);
        Ok(())
    }

    #[test]
    fn quoted_or_odd_algorithms_and_other_schemes() {
        let with =
            |extra: &str| format!("Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\"{extra}");
        let algorithm = |extra: &str| Credentials::parse(with(extra).as_bytes()).map(|c| c.algorithm());
        assert_eq!(algorithm(""), Ok(Some(Algorithm::Md5)));
        assert_eq!(algorithm(", algorithm=\"MD5\""), Ok(Some(Algorithm::Md5)));
        assert_eq!(algorithm(", algorithm=sha-256"), Ok(Some(Algorithm::Sha256)));
        assert_eq!(algorithm(", algorithm=MD5-sess"), Ok(None));
        for bad in [", ", ", nc", ", qop=\"auth", " nc=1", ", Username=\"b\""] {
            assert!(Credentials::parse(with(bad).as_bytes()).is_err(), "{bad}");
        }
        // RFC 3261 22.4: Basic is neither offered nor accepted.
        assert!(Credentials::parse(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").is_err());
        assert!(Credentials::parse(b"NoOneKnowsThisScheme opaque-data=here").is_err());
    }

    #[test]
    fn challenges_with_and_without_qop() -> Result<(), HeaderError> {
        let old = Challenge::parse(b"Digest algorithm=MD5, realm=\"asterisk\", nonce=\"0a1b2c3d\"")?;
        assert!(!old.offers_auth() && !old.stale);
        let new = Challenge::parse(
            b"Digest realm=\"a \\\"b\\\"\", nonce=\"n\", qop=\"auth-int, auth\", stale=TRUE, opaque=\"\", x=y",
        )?;
        assert!(new.offers_auth() && new.stale);
        assert_eq!(new.realm, "a \"b\"");
        assert_eq!(Challenge::parse(new.to_string().as_bytes())?, new);
        assert!(Challenge::parse(b"Digest realm=\"a\"").is_err());
        Ok(())
    }

    #[test]
    fn the_credentials_for_our_realm_are_found_among_others() {
        let mut headers = Headers::new();
        for realm in ["theirs", "ours"] {
            let line =
                format!("Digest username=\"{realm}\", realm=\"{realm}\", nonce=\"n\", uri=\"u\", response=\"x\"");
            headers.push(HeaderName::Authorization, "Basic QQ==");
            headers.push(HeaderName::Authorization, line);
        }
        let find = |realm| Credentials::find(&headers, HeaderName::Authorization, realm).map(|c| c.username);
        assert_eq!((find("ours").as_deref(), find("asterisk")), (Some("ours"), None));
    }

    #[test]
    fn debug_shows_no_response() {
        let credentials = Credentials { response: "deadbeef".into(), ..Credentials::default() };
        assert!(!format!("{credentials:?}").contains("deadbeef"));
    }
}
