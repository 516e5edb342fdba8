//! Rewriting one leg's description for the other: everything verbatim but what names an endpoint.

use super::description::Sdp;
use super::line::{CRLF, SdpLine, address, media_line, payload_type};
use super::local_media::LocalMedia;

/// A payload type as received, and the number it is forwarded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Renumbered {
    pub(super) from: u8,
    pub(super) to: u8,
}

/// The session's lines with our origin and address.
pub(super) fn session(source: &Sdp, local: &LocalMedia) -> Vec<SdpLine> {
    let mut lines = Vec::with_capacity(source.session.len());
    for line in &source.session {
        match line.letter() {
            // A second `o=` or `c=` is an error that is not forwarded.
            Some(b'o') => lines.extend(first(&lines, local.origin_line())),
            Some(b'c') => lines.extend(first(&lines, local.connection_line(address(line.value())))),
            Some(_) if names_endpoint(line) || line.attribute_named("rtcp").is_some() => {}
            Some(_) => lines.push(complete(line)),
            // A blank line is accepted, but not forwarded.
            None => {}
        }
    }
    lines
}

/// The voice stream's lines with our address and port and, when `stay` is given, only those payload types.
/// `needs_address`: the session has no `c=`, so the medium must.
pub(super) fn medium(
    section: &[SdpLine],
    stay: Option<&[Renumbered]>,
    local: &LocalMedia,
    needs_address: bool,
) -> Vec<SdpLine> {
    let mut lines = Vec::with_capacity(section.len());
    let refused = refused(section, stay);
    let mut rtcp = local.rtcp_line();
    for line in section {
        match line.letter() {
            Some(b'm') => lines.push(media(line, stay, local.rtp_port)),
            Some(b'c') => lines.extend(first(&lines, local.connection_line(address(line.value())))),
            Some(b'o') => {}
            Some(_) if line.attribute_named("rtcp").is_some() => lines.extend(rtcp.take()),
            Some(_) if names_endpoint(line) => {}
            Some(_) => lines.extend(payload_line(line, stay, &refused)),
            None => {}
        }
    }
    if needs_address && !section.iter().any(|line| line.letter() == Some(b'c')) {
        // RFC 8866 section 5: `c=` follows `m=` and `i=` directly.
        let titles = lines.iter().take_while(|line| matches!(line.letter(), Some(b'm' | b'i'))).count();
        lines.insert(titles.min(lines.len()), local.connection_line(None));
    }
    lines.extend(rtcp);
    lines
}

/// A refused medium: its `m=` line with port 0 (RFC 3264 section 6), nothing else.
pub(super) fn rejected(section: &[SdpLine]) -> Option<Vec<SdpLine>> {
    let parts = media_line(section.first()?)?;
    // RFC 3264 section 6: the line must still name a format.
    let formats = Some(parts.joined_formats()).filter(|formats| !formats.is_empty()).unwrap_or_else(|| "0".to_owned());
    Some(vec![SdpLine::made(format!("m={} 0 {} {formats}", parts.medium, parts.proto))])
}

/// Whether a medium of `source` can do without a `c=` of its own.
pub(super) fn has_session_address(source: &Sdp) -> bool {
    source.session.iter().any(|line| line.letter() == Some(b'c'))
}

/// The line, unless one with its letter is there already.
fn first(lines: &[SdpLine], line: SdpLine) -> Option<SdpLine> {
    let known = lines.iter().any(|other| other.letter() == line.letter());
    (!known).then_some(line)
}

/// The line, with a proper line end.
fn complete(line: &SdpLine) -> SdpLine {
    let end = if line.end.ends_with(b"\n") { line.end } else { CRLF };
    SdpLine { text: line.text.clone(), end }
}

/// Keys, candidates and addresses that belong to the endpoint that wrote them. `rtcp-mux` and `group` concern its
/// ports; the exchange supports neither.
pub(super) fn names_endpoint(line: &SdpLine) -> bool {
    const NAMES: [&str; 18] = [
        "candidate",
        "remote-candidates",
        "end-of-candidates",
        "fingerprint",
        "setup",
        "connection",
        "tls-id",
        "dtls-id",
        "crypto",
        "key-mgmt",
        "identity",
        "rtcp-mux",
        "rtcp-mux-only",
        "group",
        "bundle-only",
        "alt",
        "altc",
        "source-filter",
    ];
    match line.attribute() {
        Some((name, _)) => {
            let ice = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"ice-"));
            ice || NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        }
        None => line.letter() == Some(b'k'),
    }
}

fn goes_on_as(stay: Option<&[Renumbered]>, payload: u8) -> Option<u8> {
    match stay {
        Some(numbers) => numbers.iter().find(|number| number.from == payload).map(|number| number.to),
        None => Some(payload),
    }
}

/// The payload types of the `m=` line that do not stay.
fn refused(section: &[SdpLine], stay: Option<&[Renumbered]>) -> Vec<u8> {
    let parts = section.first().and_then(media_line);
    let words = parts.into_iter().flat_map(|parts| parts.formats());
    let payloads = words.filter_map(|word| payload_type(word.as_bytes()));
    payloads.filter(|payload| goes_on_as(stay, *payload).is_none()).collect()
}

fn media(line: &SdpLine, stay: Option<&[Renumbered]>, port: u16) -> SdpLine {
    let Some(parts) = media_line(line) else {
        return complete(line);
    };
    let formats: Vec<String> = match stay {
        Some(numbers) => numbers.iter().map(|number| number.to.to_string()).collect(),
        None => parts.formats().map(str::to_owned).collect(),
    };
    SdpLine::made(format!("m={} {port} {} {}", parts.medium, parts.proto, formats.join(" ")))
}

/// A line of the medium: removed when it describes a refused payload type, rewritten when its number changes.
fn payload_line(line: &SdpLine, stay: Option<&[Renumbered]>, refused: &[u8]) -> Option<SdpLine> {
    let Some((name, payload, rest)) = line.of_payload() else {
        return Some(complete(line));
    };
    match goes_on_as(stay, payload) {
        Some(to) if to != payload => Some(SdpLine::made(format!("a={name}:{to} {rest}"))),
        Some(_) => Some(complete(line)),
        None if refused.contains(&payload) => None,
        // A line that describes a number missing in the `m=` line must not describe a payload type that gets this
        // number.
        None if stay.is_some_and(|numbers| numbers.iter().any(|number| number.to == payload)) => None,
        None => Some(complete(line)),
    }
}
