//! Authentication events of the edge: the `SecurityEvent=` line that ban tools read, and a hint for the administrator.

use std::net::IpAddr;

use crate::clock::Wall;
use crate::datetime;
use crate::sip::Flow;

/// Maximum length of an account name in a log line, in bytes before encoding: the sender chooses it.
const LONGEST: usize = 64;

/// Why a request was refused whose sender had proved its address by returning a nonce of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DenialReason {
    /// The secret is wrong.
    InvalidPassword,
    /// No account of that name is configured.
    InvalidAccountID,
    /// The source address is refused by the peer's `permit`/`deny`.
    FailedACL,
    /// The digest names another user than the request, or another number than is dialled.
    ChallengeResponseFailed,
}

impl DenialReason {
    /// The event's name as Asterisk's security log has it.
    pub fn name(self) -> &'static str {
        match self {
            DenialReason::InvalidPassword => "InvalidPassword",
            DenialReason::InvalidAccountID => "InvalidAccountID",
            DenialReason::FailedACL => "FailedACL",
            DenialReason::ChallengeResponseFailed => "ChallengeResponseFailed",
        }
    }

    fn version(self) -> u8 {
        match self {
            DenialReason::InvalidPassword => 2,
            DenialReason::InvalidAccountID | DenialReason::FailedACL | DenialReason::ChallengeResponseFailed => 1,
        }
    }
}

/// What there is to count and to log of a stateless response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthEvent {
    /// A challenge was sent. Nothing is proved yet: it is counted and rate-limited, and is no reason for a ban.
    Challenged,
    /// A request whose sender proved its address was refused: this may count towards a ban.
    Refused {
        /// What was wrong.
        why: DenialReason,
        /// The account it named, percent-encoded.
        account: String,
        /// The `SecurityEvent=` line, to be logged at level SECURITY.
        line: String,
        /// The same for the administrator, with what to do about it.
        hint: String,
    },
}

/// `name` with everything outside `A-Z a-z 0-9 . _ + -` percent-encoded, so that no line of a log and no pattern of a
/// ban tool can be forged with it; cut to a maximum length.
pub fn encode(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(name.len().min(LONGEST));
    for byte in name.bytes().take(LONGEST) {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The `SecurityEvent=` line. `account` is encoded already; `id` is any text that tells events apart.
pub fn line(why: DenialReason, account: &str, id: &str, flow: Flow, now: Wall) -> String {
    let (source, transport) = (flow.remote, flow.transport);
    let address = source.ip().to_canonical();
    let family = match address {
        IpAddr::V4(_) => "IPV4",
        IpAddr::V6(_) => "IPV6",
    };
    format!(
        "SecurityEvent=\"{}\",EventTV=\"{}\",Severity=\"Error\",Service=\"SIP\",EventVersion=\"{}\",AccountID=\"{account}\",\
         SessionID=\"{id}\",RemoteAddress=\"{family}/{transport}/{address}/{}\"",
        why.name(),
        datetime::iso(now),
        why.version(),
        source.port()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::flow::Transport;

    fn from(source: &str) -> Flow {
        Flow::udp("192.0.2.1:5060".parse().unwrap(), source.parse().unwrap())
    }

    #[test]
    fn the_line_has_the_shape_ban_tools_know() {
        let line = line(DenialReason::InvalidPassword, "pap2t-client", "7f", from("198.51.100.7:5062"), Wall(0));
        assert_eq!(
            line,
            "SecurityEvent=\"InvalidPassword\",EventTV=\"1970-01-01T00:00:00.000+0000\",Severity=\"Error\",Service=\"SIP\",\
             EventVersion=\"2\",AccountID=\"pap2t-client\",SessionID=\"7f\",RemoteAddress=\"IPV4/UDP/198.51.100.7/5062\""
        );
    }

    #[test]
    fn an_ipv4_mapped_address_is_banned_as_ipv4() {
        let mapped = line(DenialReason::FailedACL, "a", "1", from("[::ffff:198.51.100.7]:5060"), Wall(0));
        assert!(mapped.ends_with("RemoteAddress=\"IPV4/UDP/198.51.100.7/5060\""), "{mapped}");
        let real = line(DenialReason::FailedACL, "a", "1", from("[2001:db8::7]:5060"), Wall(0));
        assert!(real.ends_with("RemoteAddress=\"IPV6/UDP/2001:db8::7/5060\""), "{real}");
    }

    #[test]
    fn the_line_names_the_transport() {
        for (transport, name) in [(Transport::Tcp, "IPV6/TCP"), (Transport::Tls, "IPV6/TLS")] {
            let line =
                line(DenialReason::FailedACL, "a", "1", Flow { transport, ..from("[2001:db8::7]:5061") }, Wall(0));
            assert!(line.ends_with(&format!("RemoteAddress=\"{name}/2001:db8::7/5061\"")), "{line}");
        }
    }

    #[test]
    fn nothing_can_be_forged_by_a_name() {
        let name = "x\",RemoteAddress=\"IPV4/UDP/192.0.2.66/1\"\r\n\u{1b}[2J%é";
        assert_eq!(encode(name), "x%22%2CRemoteAddress%3D%22IPV4%2FUDP%2F192.0.2.66%2F1%22%0D%0A%1B%5B2J%25%C3%A9");
        assert_eq!(encode(&"a".repeat(10_000)).len(), LONGEST);
    }
}
