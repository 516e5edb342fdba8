//! A line `register =>` of sip.conf: an account of ours at a provider or another exchange, which we register.
//!
//! `[peer?][transport://]user[@domain[:port]][:secret[:authuser]]@host[:port][/extension][~expiry]`

use super::diagnostic::Place;
use super::login::Login;
use super::peer::{OutboundProxy, PeerAddress};
use super::secret::{Credential, Secret};
use super::value;
use crate::names::{HostName, Names};
use crate::sip::flow::Transport;
use std::net::SocketAddr;
use std::time::Duration;

/// An account of ours elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterLine {
    /// Where it stands.
    pub place: Place,
    /// Names it among all: `user@host/extension`.
    pub id: String,
    /// The section that it takes settings from, and whose calls use its Service-Route: the one before `?`, else the one
    /// whose `host=` is the same.
    pub peer: Option<String>,
    /// The transport before `://`; none: that of the section, else UDP.
    pub transport: Option<Transport>,
    /// The user that is registered: in From and To.
    pub user: String,
    /// The domain in From, To and the Request-URI, with a port if it has one; none: the host.
    pub domain: Option<String>,
    /// What it proves itself with; none: it has no password.
    pub login: Option<Login>,
    /// The host as it is written, for people and for the Request-URI.
    pub host: String,
    /// Where that is.
    pub address: PeerAddress,
    /// The proxy that it is registered by: that of its section, else that of `[general]`.
    pub proxy: Option<OutboundProxy>,
    /// The user of our Contact: the extension that its calls come in at.
    pub extension: String,
    /// For how long we ask to be registered; none: `defaultexpiry`.
    pub expiry: Option<Duration>,
}

/// A line as it is read; the section it belongs to is found later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The section before `?`.
    pub peer: Option<String>,
    /// The transport before `://`.
    pub transport: Option<Transport>,
    /// The user.
    pub user: String,
    /// The domain behind the user's `@`, with its port.
    pub domain: Option<String>,
    /// The secret, and the user it is of, when that is another.
    pub secret: Option<Secret>,
    /// The user of the digest.
    pub auth_user: Option<String>,
    /// The host.
    pub host: String,
    /// The port behind it.
    pub port: Option<u16>,
    /// The extension behind `/`.
    pub extension: Option<String>,
    /// The time behind `~`.
    pub expiry: Option<Duration>,
}

/// The extension of a line that names none, as in chan_sip.
const DEFAULT_EXTENSION: &str = "s";

impl Written {
    /// Reads a line. The last `@` ends the credentials, so that a secret may have `@`, `/`, `~` and `?`; one with `:`, or
    /// with `"` or blanks at its ends, stands in quotes.
    ///
    /// # Errors
    /// What is wrong with it; no secret is in that.
    pub fn parse(text: &str) -> Result<Written, String> {
        let text = text.trim();
        let (peer, text) = match text.split_once('?') {
            Some((peer, rest)) if !peer.contains([':', '@', '/', '"']) => (Some(unquoted(peer)), rest.trim()),
            Some(_) | None => (None, text),
        };
        if peer.as_deref() == Some("") {
            return Err("there is no section before the '?'".into());
        }
        let (transport, text) = transport(text)?;
        let Some((credentials, place)) = text.rsplit_once('@') else {
            return Err("there is no '@' with a host behind it".into());
        };
        let (place, expiry) = match place.rsplit_once('~') {
            Some((place, seconds)) => {
                let read = seconds.trim().parse::<u32>().ok().filter(|seconds| *seconds > 0);
                let read = read.ok_or_else(|| "behind '~' there is no number of seconds".to_owned())?;
                (place, Some(Duration::from_secs(read.into())))
            }
            None => (place, None),
        };
        let (place, extension) = match place.split_once('/') {
            Some((place, extension)) => (place, Some(unquoted(extension)).filter(|extension| !extension.is_empty())),
            None => (place, None),
        };
        let (host, port) = host(&unquoted(place))?;
        let Credentials { user, domain, secret, auth_user } = Credentials::parse(credentials)?;
        Ok(Written { peer, transport, user, domain, secret, auth_user, host, port, extension, expiry })
    }

    /// The line as it is in force. `pinned`: what `transport=` lists, or the line names; `spoken`: what is on here;
    /// `by_srv`: `srvlookup=`.
    pub fn finish(self, place: Place, pinned: &[Transport], spoken: &[Transport], by_srv: bool) -> RegisterLine {
        let usual = pinned.first().copied().unwrap_or(Transport::Udp).default_port();
        let address = match value::address(&self.host) {
            Some((ip, _)) => PeerAddress::Static(SocketAddr::new(ip, self.port.unwrap_or(usual))),
            None => {
                let name = self.host.to_ascii_lowercase();
                PeerAddress::Named(HostName::of_server(&name, self.port, pinned, spoken, by_srv))
            }
        };
        let extension = self.extension.unwrap_or_else(|| DEFAULT_EXTENSION.to_owned());
        let at = self.domain.as_deref().unwrap_or(&self.host);
        let user = self.auth_user.unwrap_or_else(|| self.user.clone());
        RegisterLine {
            place,
            id: format!("{}@{at}/{extension}", self.user),
            peer: self.peer,
            transport: self.transport,
            domain: self.domain,
            login: self.secret.map(|secret| Login { user, proof: Credential::Password(secret) }),
            host: match self.port {
                Some(port) => format!("{}:{port}", self.host),
                None => self.host,
            },
            user: self.user,
            address,
            proxy: None,
            extension,
            expiry: self.expiry,
        }
    }
}

impl RegisterLine {
    /// The extension that its calls come in at, when the line names one.
    pub fn named_extension(&self) -> Option<&str> {
        Some(self.extension.as_str()).filter(|extension| *extension != DEFAULT_EXTENSION)
    }

    /// The host names that have to be looked up for it.
    pub fn host_names(&self) -> impl Iterator<Item = &HostName> {
        let proxy = self.proxy.as_ref().map(|proxy| &proxy.address);
        [Some(&self.address), proxy].into_iter().flatten().filter_map(PeerAddress::host_name)
    }

    /// Where it may be sent to, as far as that is known.
    pub fn places<'a>(&'a self, names: &'a Names) -> impl Iterator<Item = SocketAddr> + 'a {
        let proxy = self.proxy.iter().flat_map(|proxy| proxy.address.addresses(names));
        self.address.addresses(names).chain(proxy)
    }
}

/// `transport://` before the user.
fn transport(text: &str) -> Result<(Option<Transport>, &str), String> {
    let Some((name, rest)) = text.split_once("://").filter(|(name, _)| !name.contains(['@', ':', '"'])) else {
        return Ok((None, text));
    };
    let found = match name.trim().to_ascii_lowercase().as_str() {
        "udp" => Transport::Udp,
        "tcp" => Transport::Tcp,
        "tls" => Transport::Tls,
        other => return Err(format!("'{other}' is no transport: udp, tcp and tls are")),
    };
    Ok((Some(found), rest))
}

/// A host name or address with its port.
fn host(text: &str) -> Result<(String, Option<u16>), String> {
    let wrong = || format!("'{text}' is no host name or address");
    if text.is_empty() {
        return Err("there is no host behind the last '@'".into());
    }
    if let Some((ip, port)) = value::address(text) {
        let shown = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        return if ip.is_unspecified() || ip.is_multicast() { Err(wrong()) } else { Ok((shown, port)) };
    }
    value::host_name(text).ok_or_else(wrong)
}

/// What stands before the last `@`.
struct Credentials {
    user: String,
    domain: Option<String>,
    secret: Option<Secret>,
    auth_user: Option<String>,
}

impl Credentials {
    fn parse(text: &str) -> Result<Credentials, String> {
        let fields = fields(text)?;
        let mut fields = fields.iter().map(String::as_str);
        let first = fields.next().unwrap_or_default();
        let rest: Vec<&str> = fields.collect();
        let (user, domain) = match first.split_once('@') {
            Some((user, domain)) => (user, Some(domain.to_owned())),
            None => (first, None),
        };
        // Of four fields behind a domain the first is its port.
        let (port, rest) = match (&domain, rest.as_slice()) {
            (Some(_), [port, secret, user]) => {
                let port = value::port(port).ok_or("behind the domain there is no port")?;
                (Some(port), vec![*secret, *user])
            }
            (_, rest) => (None, rest.to_vec()),
        };
        let (secret, auth_user) =
            match rest.as_slice() {
                [] => (None, None),
                [secret] => (Some(*secret), None),
                [secret, user] => (Some(*secret), Some(*user)),
                _ => return Err(
                    "there are more ':' than one before the user of the password: a secret with ':' stands in quotes"
                        .into(),
                ),
            };
        if user.is_empty() {
            return Err("there is no user".into());
        }
        if domain.as_deref() == Some("") {
            return Err("there is no domain behind the user's '@'".into());
        }
        Ok(Credentials {
            user: user.to_owned(),
            domain: domain.map(|domain| port.map_or(domain.clone(), |port| format!("{domain}:{port}"))),
            secret: secret.filter(|secret| !secret.is_empty()).map(Secret::new),
            auth_user: auth_user.filter(|user| !user.is_empty()).map(str::to_owned),
        })
    }
}

/// The fields between colons; a field in quotes may have them.
fn fields(text: &str) -> Result<Vec<String>, String> {
    let (mut fields, mut rest) = (Vec::new(), text.trim());
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            // The quote that ends it stands before a colon or at the end: others are its own.
            let inner = quoted.match_indices('"').find(|(at, _)| {
                let behind = quoted.get(at.saturating_add(1)..).unwrap_or_default();
                behind.is_empty() || behind.starts_with(':')
            });
            let Some((end, _)) = inner else { return Err("a quote is not closed".into()) };
            fields.push(quoted.get(..end).unwrap_or_default().to_owned());
            match quoted.get(end.saturating_add(1)..).unwrap_or_default().strip_prefix(':') {
                Some(behind) => rest = behind,
                None => return Ok(fields),
            }
            continue;
        }
        match rest.split_once(':') {
            Some((field, behind)) => {
                fields.push(field.to_owned());
                rest = behind;
            }
            None => {
                fields.push(rest.to_owned());
                return Ok(fields);
            }
        }
    }
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything of a line in one text.
    fn read(text: &str) -> String {
        let line = match Written::parse(text) {
            Ok(line) => line,
            Err(why) => return format!("error: {why}"),
        };
        let part =
            |before: &str, text: Option<String>| text.map(|text| format!(" {before}={text}")).unwrap_or_default();
        format!(
            "{}@{}{}{}{}{}{}{}{}{}",
            line.user,
            line.host,
            part("peer", line.peer),
            part("over", line.transport.map(|transport| transport.name().to_owned())),
            part("domain", line.domain),
            part("secret", line.secret.map(|secret| secret.reveal().to_owned())),
            part("as", line.auth_user),
            part("port", line.port.map(|port| port.to_string())),
            part("exten", line.extension),
            part("expiry", line.expiry.map(|time| time.as_secs().to_string())),
        )
    }

    #[test]
    fn every_part_may_be_there() {
        for (text, parts) in [
            ("bob@itsp.example", "bob@itsp.example"),
            ("bob:secret@itsp.example", "bob@itsp.example secret=secret"),
            (
                "bob:secret:auth@itsp.example:5070/100~300",
                "bob@itsp.example secret=secret as=auth port=5070 exten=100 expiry=300",
            ),
            ("trunk?bob:secret@itsp.example/100", "bob@itsp.example peer=trunk secret=secret exten=100"),
            ("tls://bob:secret@192.0.2.9", "bob@192.0.2.9 over=tls secret=secret"),
            ("TCP://bob@[2001:db8::9]:5062/1", "bob@[2001:db8::9] over=tcp port=5062 exten=1"),
            (
                "trunk?udp://bob@home.example:secret:auth@itsp.example",
                "bob@itsp.example peer=trunk over=udp domain=home.example secret=secret as=auth",
            ),
            (
                "bob@home.example:5080:secret:auth@itsp.example:1234",
                "bob@itsp.example domain=home.example:5080 secret=secret as=auth port=1234",
            ),
            ("bob@home.example:12345@itsp.example", "bob@itsp.example domain=home.example secret=12345"),
            ("+4930123456:secret@itsp.example/+4930123456", "+4930123456@itsp.example secret=secret exten=+4930123456"),
            ("bob:secret@itsp.example~60", "bob@itsp.example secret=secret expiry=60"),
            ("bob:secret@itsp.example/", "bob@itsp.example secret=secret"),
            ("bob::auth@itsp.example", "bob@itsp.example as=auth"),
        ] {
            assert_eq!(read(text), parts, "{text}");
        }
    }

    #[test]
    fn a_secret_may_have_every_letter() {
        for (written, secret) in [
            ("s@cr@t", "s@cr@t"),
            ("a/b~7?c", "a/b~7?c"),
            ("\"a:b\"", "a:b"),
            ("\"a:b@c\\\"d\"", "a:b@c\\\"d"),
            ("\" a \"", " a "),
            ("a\"b", "a\"b"),
            ("\"p://q\"", "p://q"),
            ("ä€😀", "ä€😀"),
            ("#;%20", "#;%20"),
        ] {
            assert_eq!(
                read(&format!("bob:{written}@itsp.example/7")),
                format!("bob@itsp.example secret={secret} exten=7"),
                "{written}"
            );
            assert_eq!(
                read(&format!("trunk?bob:{written}:me@itsp.example")),
                format!("bob@itsp.example peer=trunk secret={secret} as=me"),
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        for text in [
            "bob:hush",
            "bob:hush@",
            ":hush@itsp.example",
            "bob:hush:a:b@itsp.example",
            "bob@:hush@itsp.example",
            "sctp://bob:hush@itsp.example",
            "?bob:hush@itsp.example",
            "bob:hush@itsp.example~soon",
            "bob:hush@itsp.example~0",
            "bob:hush@its p",
            "bob:hush@0.0.0.0",
            "bob:hush@itsp.example:99999",
            "bob:\"hush@itsp.example",
            "bob@home.example:x:hush:a@itsp.example",
        ] {
            let said = read(text);
            assert!(said.starts_with("error: ") && !said.contains("hush"), "{text}: {said}");
        }
    }

    #[test]
    fn no_text_breaks_it() {
        let mut rng = crate::rng::Rng::from_number(7);
        let letters: Vec<char> = "ab1@@::??//~~\"[].-é \\://".chars().collect();
        for _ in 0..20_000 {
            let length = rng.below(30);
            let text: String = (0..length)
                .filter_map(|_| letters.get(usize::try_from(rng.below(letters.len() as u64)).unwrap()))
                .collect();
            if let Ok(line) = Written::parse(&text) {
                assert!(!line.user.is_empty() && !line.host.is_empty(), "{text}");
                line.finish(Place { file: "sip.conf".into(), line: 1 }, &[], &[Transport::Udp], true);
            }
        }
    }
}
