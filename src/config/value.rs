//! What values mean: booleans, times, addresses, networks, service classes.

use ipnetwork::IpNetwork;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Words that mean false; the empty value is not one of them.
pub const FALSE_WORDS: &[&str] = &["no", "false", "n", "f", "0", "off"];
/// Words that mean true.
pub const TRUE_WORDS: &[&str] = &["yes", "true", "y", "t", "1", "on"];

/// A boolean, in any case; `None` when the word is neither.
pub fn boolean(text: &str) -> Option<bool> {
    if is_one_of(text, TRUE_WORDS) {
        Some(true)
    } else if is_one_of(text, FALSE_WORDS) {
        Some(false)
    } else {
        None
    }
}

/// Whether the text is one of the words, compared without case.
pub fn is_one_of(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// The words of a comma list, those that are empty left out.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Digits only, not more than `u32` holds.
pub fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

/// Milliseconds, with or without `ms` behind them: Asterisk reads the digits and ignores what follows.
pub fn millis(text: &str) -> Option<Duration> {
    let digits = strip_unit(text, &["ms", "msec"]);
    number(digits).map(|value| Duration::from_millis(value.into()))
}

/// Seconds, with or without `s` behind them.
pub fn seconds(text: &str) -> Option<Duration> {
    let digits = strip_unit(text, &["s", "sec", "seconds"]);
    number(digits).map(|value| Duration::from_secs(value.into()))
}

/// Seconds where 0 and false mean never.
pub fn seconds_or_off(text: &str) -> Option<Option<Duration>> {
    if is_one_of(text, FALSE_WORDS) {
        return Some(None);
    }
    seconds(text).map(|time| Some(time).filter(|time| !time.is_zero()))
}

/// A port from 1 to 65535.
pub fn port(text: &str) -> Option<u16> {
    number(text).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

/// An address with an optional port: `a.b.c.d`, `a.b.c.d:port`, `::1`, `[::1]`, `[::1]:port`.
pub fn address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some((ip, None));
    }
    if let Some(ip) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return ip.parse::<IpAddr>().ok().map(|ip| (ip, None));
    }
    let address = text.parse::<SocketAddr>().ok()?;
    if address.port() == 0 { None } else { Some((address.ip(), Some(address.port()))) }
}

/// A host name with an optional port behind a colon; letters, digits, dots, dashes and underlines.
pub fn host_name(text: &str) -> Option<(String, Option<u16>)> {
    let (name, port_text) = match text.rsplit_once(':') {
        Some((name, digits)) => (name, Some(digits)),
        None => (text, None),
    };
    let port = match port_text {
        Some(digits) => Some(port(digits)?),
        None => None,
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let bare = name.strip_suffix('.').unwrap_or(name);
    // All digits in the last label: a misspelt address.
    let is_name = bare.len() <= 253
        && bare.split('.').all(is_label)
        && !bare.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    is_name.then(|| (name.to_ascii_lowercase(), port))
}

/// A network: an address alone, with a prefix length, or with an IPv4 mask.
pub fn network(text: &str) -> Option<IpNetwork> {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address.trim(), Some(mask.trim())),
        None => (text.trim(), None),
    };
    let ip = address.parse::<IpAddr>().ok()?;
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    let prefix = match mask {
        None => whole,
        Some(mask) => match mask.parse::<Ipv4Addr>() {
            Ok(mask) if ip.is_ipv4() => prefix_of(mask)?,
            Ok(_) => return None,
            Err(_) => number(mask).and_then(|prefix| u8::try_from(prefix).ok())?,
        },
    };
    let net = IpNetwork::new(ip, prefix).ok()?;
    IpNetwork::new(net.network(), prefix).ok()
}

/// A service class: a name or the value of the whole byte (DSCP and two bits below).
pub fn tos(text: &str) -> Option<u8> {
    const NAMES: &[(&str, u8)] = &[
        ("none", 0),
        ("ef", 0xb8),
        ("lowdelay", 0x10),
        ("throughput", 0x08),
        ("reliability", 0x04),
        ("mincost", 0x02),
    ];
    let text = text.to_ascii_lowercase();
    if let Some((_, value)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Some(*value);
    }
    // RFC 2474 4.2.2.2 and RFC 2597 6: the class stands in the top three bits, the drop precedence below.
    let digits =
        |prefix| text.strip_prefix(prefix).map(|rest: &str| rest.bytes().map(|b| b.wrapping_sub(b'0')).collect());
    if let Some(digits) = digits("cs") {
        let digits: Vec<u8> = digits;
        return match digits[..] {
            [class @ 0..=7] => Some(class << 5),
            _ => None,
        };
    }
    if let Some(digits) = digits("af") {
        return match digits[..] {
            [class @ 1..=4, drop @ 1..=3] => Some((class << 5) | (drop << 3)),
            _ => None,
        };
    }
    match text.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => number(&text).and_then(|value| u8::try_from(value).ok()),
    }
}

fn strip_unit<'a>(text: &'a str, units: &[&str]) -> &'a str {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or("");
    if is_one_of(unit, units) { digits.trim_end() } else { text }
}

fn prefix_of(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let ones = bits.leading_ones();
    if bits.count_ones() == ones { u8::try_from(ones).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans() {
        assert_eq!(["Yes", "t", "ON", "1"].map(boolean), [Some(true); 4]);
        assert_eq!(["no", "F", "Off", "0"].map(boolean), [Some(false); 4]);
        assert_eq!(["", "maybe", "01", "yes!"].map(boolean), [None; 4]);
    }

    #[test]
    fn times() {
        assert_eq!(["200", "200ms", "200 ms"].map(millis), [Some(Duration::from_millis(200)); 3]);
        assert_eq!(["", "ms", "-1", "2s", "abc", "99999999999", "1.5"].map(millis), [None; 7]);
        assert_eq!(seconds("60s"), Some(Duration::from_secs(60)));
        assert_eq!(["0", "no"].map(seconds_or_off), [Some(None); 2]);
        assert_eq!(seconds_or_off("7"), Some(Some(Duration::from_secs(7))));
        assert_eq!(["0", "65536", "5060", "x"].map(port), [None, None, Some(5060), None]);
    }

    #[test]
    fn addresses() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(address("10.0.0.1"), Some((ip("10.0.0.1"), None)));
        assert_eq!(address("10.0.0.1:5061"), Some((ip("10.0.0.1"), Some(5061))));
        assert_eq!(address("::1"), Some((ip("::1"), None)));
        assert_eq!(address("[::1]"), Some((ip("::1"), None)));
        assert_eq!(address("[::1]:5061"), Some((ip("::1"), Some(5061))));
        assert_eq!(["", "a.example", "1.2.3", "1.2.3.4:0", "1.2.3.4:x", "[::1"].map(address), [None; 6]);
    }

    #[test]
    fn host_names() {
        assert_eq!(host_name("Sip.Example.com"), Some(("sip.example.com".into(), None)));
        assert_eq!(host_name("box:5070"), Some(("box".into(), Some(5070))));
        for bad in ["", "a..b", "1.2.3.999", "a b", "box:0", "box:x", "-/-", ".", "5"] {
            assert_eq!(host_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks() {
        let net = |text: &str| network(text).map(|net| net.to_string());
        assert_eq!(net("192.168.1.7/255.255.0.0").as_deref(), Some("192.168.0.0/16"));
        assert_eq!(net("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(net("10.1.2.3").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(net("0.0.0.0/0.0.0.0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!(net("fe80::1/64").as_deref(), Some("fe80::/64"));
        for bad in ["999.1.1.1/33", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "::/255.0.0.0", "a/8", "10.0.0.0/", "/8", ""]
        {
            assert_eq!(network(bad), None, "{bad}");
        }
    }

    #[test]
    fn service_classes() {
        assert_eq!(
            ["cs3", "EF", "af41", "184", "0xb8", "none", "cs0"].map(tos),
            [96, 184, 136, 184, 184, 0, 0].map(Some)
        );
        assert_eq!(["cs8", "af14", "af", "256", "x", "", "cs33"].map(tos), [None; 7]);
    }
}
