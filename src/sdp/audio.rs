//! The voice stream of a description.

use super::codec::Codec;
use super::description::Sdp;
use super::line::{MediaLine, SdpLine, address, media_line, number, payload_type, words};
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::net::{IpAddr, SocketAddr};

/// The first `m=audio` over RTP/AVP that is not rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    /// Which of the `m=` lines it is, from 0.
    pub index: usize,
    /// The port for RTP; not 0.
    pub port: u16,
    /// The transport as written: `RTP/AVP`.
    pub proto: SmolStr,
    /// The payload types in order of preference, each once. Numbers above 127 are left out.
    pub formats: Vec<Format>,
    /// The requested packet time in milliseconds (`a=ptime`).
    pub ptime: Option<u8>,
    /// The direction, seen from the originator of the description.
    pub direction: Direction,
    /// The address of the `c=` line that applies, also when it is 0.0.0.0; `None` for a host name, or without `c=`.
    pub connection: Option<IpAddr>,
    /// The port and, if given, the address of `a=rtcp` (RFC 3605).
    pub rtcp: Option<(u16, Option<IpAddr>)>,
}

/// A payload type and its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// The payload type, 0 to 127.
    pub payload: u8,
    /// The encoding name by `a=rtpmap`, else by RFC 3551; empty when neither defines it.
    pub encoding: SmolStr,
    /// The RTP clock in Hz; 0 when the encoding is unknown.
    pub clock: u32,
    /// The channels; 1 unless `a=rtpmap` says otherwise.
    pub channels: u8,
    /// The parameters of `a=fmtp`, as written.
    pub fmtp: Option<SmolStr>,
    /// The codec, when it is one that `allow=` can name.
    pub codec: Option<Codec>,
}

/// The direction of a stream, seen from the originator of the description (RFC 8866 section 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Both ways; also without a direction attribute.
    SendRecv,
    /// The originator only sends: a call on hold.
    SendOnly,
    /// The originator only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// The widest direction an answer to this one may have (RFC 3264 section 6.1).
    pub fn mirrored(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What both permit.
    pub fn narrowed(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// Whether the originator sends.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the originator receives.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    pub(super) fn of_line(line: &SdpLine) -> Option<Direction> {
        // Each name has eight letters, and nearly no other attribute's.
        let (name, _) = line.attribute().filter(|(name, _)| name.len() == 8)?;
        let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
        all.into_iter().find(|direction| name.eq_ignore_ascii_case(direction.name().as_bytes()))
    }
}

impl Format {
    /// Whether it accompanies a codec rather than being one: key presses, comfort noise, redundancy, and the packets by
    /// which two adapters signal to each other that a modem answered.
    pub fn is_companion(&self) -> bool {
        const NAMES: [&str; 8] =
            ["telephone-event", "tone", "CN", "red", "NSE", "X-NSE", "cisco-rtp-dtmf", "parityfec"];
        NAMES.iter().any(|name| self.encoding.eq_ignore_ascii_case(name))
    }

    /// Whether these are key presses as events (RFC 4733).
    pub fn is_telephone_event(&self) -> bool {
        self.encoding.eq_ignore_ascii_case("telephone-event")
    }

    /// Whether both mean the same encoding, whatever their numbers.
    pub fn is_same_encoding(&self, other: &Format) -> bool {
        if self.codec.is_some() || other.codec.is_some() {
            return self.codec == other.codec;
        }
        !self.encoding.is_empty()
            && self.encoding.eq_ignore_ascii_case(&other.encoding)
            && self.clock == other.clock
            && self.channels == other.channels
    }

    /// The name for a message: the encoding, else the number.
    pub(super) fn label(&self) -> String {
        if self.encoding.is_empty() { format!("payload type {}", self.payload) } else { self.encoding.to_string() }
    }
}

impl Audio {
    /// The format with the same number and encoding as `wanted`, else the first with the same encoding.
    pub fn find(&self, wanted: &Format) -> Option<&Format> {
        let mut same = self.formats.iter().filter(|format| format.is_same_encoding(wanted));
        same.clone().find(|format| format.payload == wanted.payload).or_else(|| same.next())
    }

    /// An answer's formats, those without `a=rtpmap` interpreted as the offer's of the same number: several phones omit
    /// from the answer what is in the offer already.
    pub(super) fn understood_by(mut self, offered: &Audio) -> Audio {
        for format in self.formats.iter_mut().filter(|format| format.encoding.is_empty()) {
            if let Some(theirs) = offered.formats.iter().find(|theirs| theirs.payload == format.payload) {
                *format = Format { fmtp: format.fmtp.take(), ..theirs.clone() };
            }
        }
        self
    }
}

/// A medium within a description.
pub(super) struct Media<'a> {
    pub(super) index: usize,
    pub(super) line: MediaLine<'a>,
    pub(super) section: &'a [SdpLine],
}

impl Sdp {
    /// The voice stream: the first `m=audio` over RTP/AVP with a port. `None` when there is none.
    pub fn audio(&self) -> Option<Audio> {
        self.voice().map(|voice| self.audio_of(voice))
    }

    /// The voice stream in this section, if it is one.
    pub(super) fn audio_at(&self, index: usize) -> Option<Audio> {
        self.voice_at(index).map(|voice| self.audio_of(voice))
    }

    /// Whether the section is a voice stream that is not rejected.
    pub(super) fn is_voice(&self, index: usize) -> bool {
        self.voice_at(index).is_some()
    }

    /// Its section, without parsing the formats: most callers need only the address.
    fn voice(&self) -> Option<Media<'_>> {
        (0..self.media.len()).find_map(|index| self.voice_at(index))
    }

    fn voice_at(&self, index: usize) -> Option<Media<'_>> {
        let section = self.media.get(index)?;
        let line = media_line(section.first()?)?;
        let is_voice =
            line.port != 0 && line.medium.eq_ignore_ascii_case("audio") && line.proto.eq_ignore_ascii_case("RTP/AVP");
        is_voice.then_some(Media { index, line, section })
    }

    /// The address for RTP. `None` while the call is on hold in the old way (0.0.0.0), and for addresses that are never
    /// sent to: a host name, multicast, broadcast.
    pub fn rtp_addr(&self) -> Option<SocketAddr> {
        let voice = self.voice()?;
        usable(self.connection_of(voice.section)?, voice.line.port)
    }

    /// The address for RTCP: that of `a=rtcp` (RFC 3605), else one port above RTP (RFC 3550 section 11).
    pub fn rtcp_addr(&self) -> Option<SocketAddr> {
        let voice = self.voice()?;
        let rtp = usable(self.connection_of(voice.section)?, voice.line.port)?;
        match voice.section.iter().find_map(rtcp_of) {
            Some((port, addr)) => usable(addr.unwrap_or(rtp.ip()), port),
            None => usable(rtp.ip(), rtp.port().checked_add(1)?),
        }
    }

    /// Whether its originator put the call on hold: `sendonly`, `inactive`, or the old 0.0.0.0 (RFC 3264 section 8.4).
    pub fn is_hold(&self) -> bool {
        self.voice().is_some_and(|voice| {
            let connection = self.connection_of(voice.section);
            !self.direction_of(voice.section).receives() || connection.is_some_and(|addr| addr.is_unspecified())
        })
    }

    /// RFC 8866 section 6.7: the session's direction applies to media without one.
    fn direction_of(&self, section: &[SdpLine]) -> Direction {
        section.iter().chain(&self.session).find_map(Direction::of_line).unwrap_or(Direction::SendRecv)
    }

    /// The `c=` line that applies to a section.
    pub(super) fn connection_of(&self, section: &[SdpLine]) -> Option<IpAddr> {
        let is_c = |line: &&SdpLine| line.letter() == Some(b'c');
        let line = section.iter().find(is_c).or_else(|| self.session.iter().find(is_c))?;
        address(line.value())
    }

    fn audio_of(&self, Media { index, line, section }: Media<'_>) -> Audio {
        let described: SmallVec<[_; 12]> = section.iter().filter_map(SdpLine::of_payload).collect();
        let mut formats: Vec<Format> = Vec::with_capacity(8);
        for payload in line.formats().filter_map(|word| payload_type(word.as_bytes())) {
            if !formats.iter().any(|known| known.payload == payload) {
                formats.push(format_of(&described, payload));
            }
        }
        let ptime = |line: &SdpLine| number::<u8>(line.attribute_named("ptime")?.trim_ascii()).filter(|ms| *ms > 0);
        Audio {
            index,
            port: line.port,
            proto: line.proto.into(),
            formats,
            ptime: section.iter().chain(&self.session).find_map(ptime),
            direction: self.direction_of(section),
            connection: self.connection_of(section),
            rtcp: section.iter().find_map(rtcp_of),
        }
    }
}

pub(super) fn usable(addr: IpAddr, port: u16) -> Option<SocketAddr> {
    let broadcast = matches!(addr, IpAddr::V4(v4) if v4.is_broadcast());
    (port != 0 && !addr.is_unspecified() && !addr.is_multicast() && !broadcast).then_some(SocketAddr::new(addr, port))
}

pub(super) fn rtcp_of(line: &SdpLine) -> Option<(u16, Option<IpAddr>)> {
    let value = line.attribute_named("rtcp")?;
    let port = number(words(value).next()?)?;
    let mut rest = value.trim_ascii().splitn(2, |byte| *byte == b' ');
    let addr = rest.nth(1).and_then(address);
    Some((port, addr))
}

fn format_of(described: &[(&str, u8, &str)], payload: u8) -> Format {
    let of = |wanted: &str| {
        let mut lines = described.iter();
        lines
            .find(|(name, number, _)| *number == payload && name.eq_ignore_ascii_case(wanted))
            .map(|(_, _, rest)| *rest)
    };
    let (encoding, clock, channels) = of("rtpmap").and_then(rtpmap).unwrap_or_else(|| fixed(payload));
    let codec = if channels == 1 { Codec::from_encoding(&encoding, clock) } else { None };
    Format { payload, encoding, clock, channels, fmtp: of("fmtp").map(SmolStr::new), codec }
}

/// `PCMU/8000`, `L16/44100/2`.
fn rtpmap(text: &str) -> Option<(SmolStr, u32, u8)> {
    let mut parts = text.trim().split('/');
    let encoding = parts.next().map(str::trim).filter(|name| !name.is_empty())?;
    let clock = number(parts.next()?.trim().as_bytes())?;
    let channels = match parts.next() {
        Some(text) => number(text.trim().as_bytes())?,
        None => 1,
    };
    Some((encoding.into(), clock, channels))
}

/// The payload types RFC 3551 section 6 fixed, and two that it reserves because of their old use (2 and 19).
fn fixed(payload: u8) -> (SmolStr, u32, u8) {
    let (encoding, clock, channels) = match payload {
        0 => ("PCMU", 8000, 1),
        2 => ("G726-32", 8000, 1),
        3 => ("GSM", 8000, 1),
        4 => ("G723", 8000, 1),
        5 => ("DVI4", 8000, 1),
        6 => ("DVI4", 16000, 1),
        7 => ("LPC", 8000, 1),
        8 => ("PCMA", 8000, 1),
        9 => ("G722", 8000, 1),
        10 => ("L16", 44100, 2),
        11 => ("L16", 44100, 1),
        12 => ("QCELP", 8000, 1),
        13 | 19 => ("CN", 8000, 1),
        14 => ("MPA", 90000, 1),
        15 => ("G728", 8000, 1),
        16 => ("DVI4", 11025, 1),
        17 => ("DVI4", 22050, 1),
        18 => ("G729", 8000, 1),
        _ => ("", 0, 1),
    };
    (SmolStr::new_static(encoding), clock, channels)
}
