//! One line of a description, kept as it was received, and the elements that lines consist of.

use bytes::Bytes;
use std::net::IpAddr;
use std::str::FromStr;

/// A line and the bytes that ended it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SdpLine {
    pub(super) text: Bytes,
    pub(super) end: &'static [u8],
}

pub(super) const CRLF: &[u8] = b"\r\n";

impl SdpLine {
    /// A line of our own.
    pub(super) fn made(text: String) -> SdpLine {
        SdpLine { text: text.into(), end: CRLF }
    }

    /// The letter before `=`.
    pub(super) fn letter(&self) -> Option<u8> {
        match self.text.as_ref() {
            [letter, b'=', ..] => Some(*letter),
            _ => None,
        }
    }

    /// What follows `=`.
    pub(super) fn value(&self) -> &[u8] {
        self.text.get(2..).unwrap_or_default()
    }

    /// The name and value of an `a=` line; the value of a flag is empty.
    pub(super) fn attribute(&self) -> Option<(&[u8], &[u8])> {
        if self.letter() != Some(b'a') {
            return None;
        }
        let value = self.value();
        let mut parts = value.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default().trim_ascii();
        Some((name, parts.next().unwrap_or_default()))
    }

    /// The value when this is the attribute `name`. Names are compared without regard to case: several devices get it
    /// wrong.
    pub(super) fn attribute_named(&self, name: &str) -> Option<&[u8]> {
        self.attribute().filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The payload type and the rest, when this attribute describes one payload type (`a=fmtp:100 192-193`).
    pub(super) fn of_payload(&self) -> Option<(&str, u8, &str)> {
        let (name, value) = self.attribute()?;
        if !["rtpmap", "fmtp", "gpmd", "rtcp-fb"].iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
            return None;
        }
        let (name, value) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?.trim_start());
        let end = value.bytes().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
        let (number, rest) = value.split_at_checked(end)?;
        Some((name, payload_type(number.as_bytes())?, rest.trim_start()))
    }
}

/// The words of a line: everything between spaces and tabs.
pub(super) fn words(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// A word of decimal digits as a number; nothing else, not even a sign.
pub(super) fn number<T: FromStr>(word: &[u8]) -> Option<T> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// An RTP payload type: seven bits (RFC 3550 section 5.1).
pub(super) fn payload_type(word: &[u8]) -> Option<u8> {
    number::<u8>(word).filter(|payload| *payload < 128)
}

/// The address of `IN IP4 192.0.2.1/127`, that is of `c=` and of the end of `a=rtcp`. `None` for a host name: media is
/// never sent to an address that a name server chooses.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let mut words = words(text);
    address_of(words.next()?, words.next()?, words.next()?)
}

/// The same from its three words.
pub(super) fn address_of(network: &[u8], kind: &[u8], host: &[u8]) -> Option<IpAddr> {
    if !network.eq_ignore_ascii_case(b"IN") || !(kind.eq_ignore_ascii_case(b"IP4") || kind.eq_ignore_ascii_case(b"IP6"))
    {
        return None;
    }
    let host = host.split(|byte| *byte == b'/').next()?;
    std::str::from_utf8(host).ok()?.parse().ok()
}

/// Whether this is what `c=` may hold (RFC 8866 section 5.7): a network, a kind, and an address or a host name.
pub(super) fn is_connection(text: &[u8]) -> bool {
    let mut words = words(text);
    let (Some(network), Some(kind), Some(host)) = (words.next(), words.next(), words.next()) else { return false };
    let is_ours =
        network.eq_ignore_ascii_case(b"IN") && (kind.eq_ignore_ascii_case(b"IP4") || kind.eq_ignore_ascii_case(b"IP6"));
    is_ours && (address_of(network, kind, host).is_some() || is_host_name(host))
}

/// A name of several labels, the last of which is no number.
fn is_host_name(host: &[u8]) -> bool {
    let host = host.strip_suffix(b".").unwrap_or(host);
    let is_legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut labels = host.split(|byte| *byte == b'.');
    let last = labels.next_back().unwrap_or_default();
    labels.clone().next().is_some()
        && labels.all(|label| !label.is_empty() && label.iter().all(is_legal))
        && last.iter().all(is_legal)
        && last.first().is_some_and(u8::is_ascii_alphabetic)
}

/// An address as written in `o=` and `c=`.
pub(super) fn network(addr: IpAddr) -> String {
    match addr {
        IpAddr::V4(v4) => format!("IN IP4 {v4}"),
        IpAddr::V6(v6) => format!("IN IP6 {v6}"),
    }
}

/// A parsed `m=` line.
pub(super) struct MediaLine<'a> {
    pub(super) medium: &'a str,
    pub(super) port: u16,
    pub(super) proto: &'a str,
    formats: &'a str,
}

impl<'a> MediaLine<'a> {
    /// The formats. Most who look at a line do not ask.
    pub(super) fn formats(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = self.formats;
        std::iter::from_fn(move || {
            let (format, behind) = word(rest)?;
            rest = behind;
            Some(format)
        })
    }

    /// The formats with a space between them.
    pub(super) fn joined_formats(&self) -> String {
        self.formats().collect::<Vec<_>>().join(" ")
    }
}

/// The first word and what is behind it. By bytes: this is done for each look at a description.
fn word(text: &str) -> Option<(&str, &str)> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.bytes().position(|byte| !is_space(&byte))?;
    let text = text.get(start..)?;
    let end = text.bytes().position(|byte| is_space(&byte)).unwrap_or(text.len());
    text.split_at_checked(end)
}

/// Parses an `m=` line (RFC 8866 section 5.14). `None` when medium, port or protocol are missing or malformed.
pub(super) fn media_line(line: &SdpLine) -> Option<MediaLine<'_>> {
    if line.letter() != Some(b'm') {
        return None;
    }
    let text = std::str::from_utf8(line.value()).ok()?;
    let (medium, rest) = word(text)?;
    let (port, rest) = word(rest)?;
    let port = number(port.as_bytes().split(|byte| *byte == b'/').next()?)?;
    let (proto, formats) = word(rest)?;
    Some(MediaLine { medium, port, proto, formats })
}
