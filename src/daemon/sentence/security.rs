//! Who was refused, as the log says it: the `SecurityEvent=` line that ban tools read, and a hint for the
//! administrator.

use crate::clock::Wall;
use crate::datetime::{self, span};
use crate::event::security::{Denial, DenialCause, DenialReason, MAX_ACCOUNT};
use crate::event::{Level, LogLine, SecurityEvent};
use std::net::{IpAddr, SocketAddr};

/// The line of a security event.
pub(super) fn line(event: &SecurityEvent) -> LogLine {
    match event {
        SecurityEvent::Denied(Denial { cause, account, id, source, transport, at }) => {
            LogLine { level: Level::Security, text: denied(cause.reason(), account, id, (*source, transport), *at) }
        }
        SecurityEvent::DenialReported { denial, nearest, repeated } => {
            let nearest = nearest.as_ref().map(|near| format!("; or is it [{near}]?")).unwrap_or_default();
            LogLine::warning(format!("{}{nearest}{}", hint(denial), since_last(*repeated)))
        }
        SecurityEvent::NamesTried { source, repeated } => LogLine::warning(format!(
            "{source} tries one name after another: further attempts are only counted (`sip show counters`){}",
            since_last(*repeated)
        )),
        SecurityEvent::Admitted { account, source, denied, since } => LogLine::notice(format!(
            "phone '{account}' at {source} is let in now: it was refused {} in {}",
            times(*denied),
            span(*since)
        )),
    }
}

/// The `SecurityEvent=` line, in the shape that the filters of ban tools match.
fn denied(reason: DenialReason, account: &str, id: &str, (source, transport): (SocketAddr, &str), at: Wall) -> String {
    let (name, account, time) = (reason.name(), encode(account), datetime::iso(at));
    let (address, port) = (source.ip().to_canonical(), source.port());
    let family = match address {
        IpAddr::V4(_) => "IPV4",
        IpAddr::V6(_) => "IPV6",
    };
    let version = match reason {
        DenialReason::InvalidPassword => 2,
        DenialReason::InvalidAccountID | DenialReason::FailedACL | DenialReason::ChallengeResponseFailed => 1,
    };
    format!(
        "SecurityEvent=\"{name}\",EventTV=\"{time}\",Severity=\"Error\",Service=\"SIP\",EventVersion=\"{version}\",\
         AccountID=\"{account}\",SessionID=\"{id}\",RemoteAddress=\"{family}/{transport}/{address}/{port}\""
    )
}

/// Which account was refused, why, and how to repair it.
fn hint(denial: &Denial) -> String {
    let account = encode(&denial.account);
    let address = denial.source.ip().to_canonical();
    match &denial.cause {
        DenialCause::WrongSecret { section } => format!(
            "phone '{account}' at {address}: wrong secret. Type the one of [{account}] ({section}) into the phone; its user \
             name is right (`sip show peer {account}`)"
        ),
        DenialCause::WrongHash { section, realm } => format!(
            "phone '{account}' at {address}: wrong secret, or the md5secret of [{account}] ({section}) was made for another name \
             than '{account}', another realm than '{realm}', or another secret"
        ),
        DenialCause::OtherAddress { section, home, registers: true, .. } => format!(
            "'{account}' at {address} wants to register, but [{account}] ({section}) has no secret and the fixed address {home}. \
             Set host=dynamic and a secret there, or switch registration off in the phone"
        ),
        DenialCause::OtherAddress { peer, section, home, registers: false } => format!(
            "a call as '{account}' came from {}; [{peer}] ({section}) may call without a secret, but from {home} alone: {}",
            denial.source,
            other_place(&denial.source, home)
        ),
        DenialCause::OtherPort { peer, section, home } => format!(
            "a call as '{account}', which sip.conf does not have, came from {}; [{peer}] ({section}) is at {home}. If it is that \
             one: {}",
            denial.source,
            other_place(&denial.source, home)
        ),
        DenialCause::MayNotRegister { section } => format!(
            "'{account}' at {address} wants to register, but [{account}] ({section}) is type=user, which only calls. Set \
             type=friend there"
        ),
        DenialCause::UnknownAccount => format!(
            "{address} wants to be '{account}', which sip.conf does not have. A phone of yours? Correct its user name, or add \
             [{account}] there"
        ),
        DenialCause::GeneralAccessList => {
            format!("'{account}' at {address}: the permit, deny and acl lines of [general] refuse that address")
        }
        DenialCause::OtherDomain => format!(
            "phone '{account}' at {address} asks for a domain that is not ours. Add it with 'domain=' in [general], or \
             'autodomain=yes' when it is our address"
        ),
        DenialCause::AccessList { section } => {
            format!(
                "phone '{account}' at {address}: the permit, deny and acl lines of [{account}] ({section}) refuse it"
            )
        }
        DenialCause::OtherUser { username } => format!(
            "phone '{account}' at {address} authenticates as '{}'. Set its authentication name to '{account}'",
            encode(username)
        ),
    }
}

/// What to do when a peer with a fixed address comes from another place.
fn other_place(source: &SocketAddr, home: &str) -> String {
    let (ip, port) = (source.ip().to_canonical(), source.port());
    let is_port = home.parse::<SocketAddr>().is_ok_and(|home| home.ip().to_canonical() == ip);
    match is_port {
        true => format!("set port={port} there, or insecure=port when its port changes"),
        false => "correct host= there, or set host=dynamic and a secret".to_owned(),
    }
}

fn since_last(repeated: Option<u64>) -> String {
    repeated.map(|more| format!(" (refused {} since the last message)", times(more))).unwrap_or_default()
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// `name` with everything outside `A-Z a-z 0-9 . _ + -` percent-encoded, so that no line of a log and no pattern of a
/// ban tool can be forged with it; cut to a maximum length, in bytes before encoding.
fn encode(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(name.len().min(MAX_ACCOUNT));
    for byte in name.bytes().take(MAX_ACCOUNT) {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn denial(cause: DenialCause, account: &str, source: &str, transport: &str) -> Denial {
        let (account, id, transport) = (account.to_owned(), "7f".to_owned(), transport.to_owned());
        Denial { cause, account, id, source: source.parse().unwrap(), transport, at: Wall(0) }
    }

    fn line_of(cause: DenialCause, account: &str, source: &str, transport: &str) -> String {
        let line = line(&SecurityEvent::Denied(denial(cause, account, source, transport)));
        assert_eq!(line.level, Level::Security);
        line.text
    }

    fn section() -> String {
        "sip.conf:12".to_owned()
    }

    #[test]
    fn the_line_has_the_shape_ban_tools_know() {
        assert_eq!(
            line_of(DenialCause::WrongSecret { section: section() }, "pap2t-client", "198.51.100.7:5062", "UDP"),
            "SecurityEvent=\"InvalidPassword\",EventTV=\"1970-01-01T00:00:00.000+0000\",Severity=\"Error\",Service=\"SIP\",\
             EventVersion=\"2\",AccountID=\"pap2t-client\",SessionID=\"7f\",RemoteAddress=\"IPV4/UDP/198.51.100.7/5062\""
        );
    }

    #[test]
    fn each_cause_has_the_name_and_version_ban_tools_know() {
        for (cause, name, version) in [
            (DenialCause::WrongSecret { section: section() }, "InvalidPassword", 2),
            (DenialCause::UnknownAccount, "InvalidAccountID", 1),
            (DenialCause::GeneralAccessList, "FailedACL", 1),
            (DenialCause::OtherDomain, "FailedACL", 1),
            (DenialCause::AccessList { section: section() }, "FailedACL", 1),
            (DenialCause::OtherUser { username: "b".to_owned() }, "ChallengeResponseFailed", 1),
        ] {
            let line = line_of(cause, "a", "192.0.2.7:5060", "UDP");
            assert!(line.starts_with(&format!("SecurityEvent=\"{name}\",EventTV=")), "{line}");
            assert!(line.contains(&format!(",EventVersion=\"{version}\",AccountID=\"a\",")), "{line}");
        }
    }

    #[test]
    fn an_ipv4_mapped_address_is_banned_as_ipv4() {
        let mapped = line_of(DenialCause::GeneralAccessList, "a", "[::ffff:198.51.100.7]:5060", "UDP");
        assert!(mapped.ends_with("RemoteAddress=\"IPV4/UDP/198.51.100.7/5060\""), "{mapped}");
        let real = line_of(DenialCause::GeneralAccessList, "a", "[2001:db8::7]:5060", "UDP");
        assert!(real.ends_with("RemoteAddress=\"IPV6/UDP/2001:db8::7/5060\""), "{real}");
    }

    #[test]
    fn the_line_names_the_transport() {
        for transport in ["TCP", "TLS"] {
            let line = line_of(DenialCause::GeneralAccessList, "a", "[2001:db8::7]:5061", transport);
            assert!(line.ends_with(&format!("IPV6/{transport}/2001:db8::7/5061\"")), "{line}");
        }
    }

    #[test]
    fn nothing_can_be_forged_by_a_name() {
        let name = "x\",RemoteAddress=\"IPV4/UDP/192.0.2.66/1\"\r\n\u{1b}[2J%é";
        let encoded = "x%22%2CRemoteAddress%3D%22IPV4%2FUDP%2F192.0.2.66%2F1%22%0D%0A%1B%5B2J%25%C3%A9";
        assert_eq!(encode(name), encoded);
        assert_eq!(encode(&"a".repeat(10_000)).len(), MAX_ACCOUNT);
        let line = line_of(DenialCause::UnknownAccount, name, "192.0.2.7:5060", "UDP");
        assert!(line.contains(&format!(",AccountID=\"{encoded}\",SessionID=")), "{line}");
        let user = denial(DenialCause::OtherUser { username: name.to_owned() }, name, "192.0.2.7:5060", "UDP");
        assert_eq!(
            hint(&user),
            format!(
                "phone '{encoded}' at 192.0.2.7 authenticates as '{encoded}'. Set its authentication name to '{encoded}'"
            )
        );
    }

    #[test]
    fn a_report_says_how_often_and_what_was_meant() {
        let report = |nearest: Option<&str>, repeated| {
            let denial = denial(DenialCause::UnknownAccount, "cleint", "192.0.2.7:5060", "UDP");
            line(&SecurityEvent::DenialReported { denial, nearest: nearest.map(str::to_owned), repeated })
        };
        let text = "192.0.2.7 wants to be 'cleint', which sip.conf does not have. A phone of yours? Correct its user name, or \
                    add [cleint] there";
        assert_eq!(report(None, None), LogLine::warning(text));
        assert_eq!(report(Some("client"), None).text, format!("{text}; or is it [client]?"));
        assert_eq!(report(None, Some(1)).text, format!("{text} (refused once since the last message)"));
        let all = format!("{text}; or is it [client]? (refused 100 times since the last message)");
        assert_eq!(report(Some("client"), Some(100)).text, all);
        let source = "203.0.113.9".parse().unwrap();
        assert_eq!(
            line(&SecurityEvent::NamesTried { source, repeated: Some(2) }),
            LogLine::warning(
                "203.0.113.9 tries one name after another: further attempts are only counted (`sip show counters`) (refused 2 \
                 times since the last message)"
            )
        );
    }

    #[test]
    fn who_is_let_in_after_all_is_told() {
        let admitted = |denied| SecurityEvent::Admitted {
            account: "a".to_owned(),
            source: "192.168.1.20".parse().unwrap(),
            denied,
            since: Duration::from_secs(3600),
        };
        let text = "phone 'a' at 192.168.1.20 is let in now: it was refused 102 times in 1 h";
        assert_eq!(line(&admitted(102)), LogLine::notice(text));
        assert!(line(&admitted(1)).text.ends_with("it was refused once in 1 h"));
    }
}
