//! How the messages of different telephones look: what a simulated one must imitate to be a test of anything.

use crate::sdp::{Codec, Direction, MediaKind, Sdp};
use crate::sip::flow::Transport;
use std::net::{IpAddr, SocketAddr};

/// A make of telephone (facts from captures of the real ones).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Asks for `rport`, speaks ulaw and alaw, 20 ms a packet.
    Plain,
    /// Linksys PAP2T: no `rport`, 30 ms, tells the other end of modems by NSE (payload type 100).
    Pap2t,
    /// Cisco 7960: no `rport`, `algorithm=md5` in lower case, `+sip.instance`, `c=` after `m=`, hold by 0.0.0.0.
    Cisco7960,
    /// Grandstream HT801: `rport`, a long list of codecs, 20 ms.
    Grandstream,
}

/// What a description says beside what its maker always says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub user: &'a str,
    pub rtp: SocketAddr,
    pub id: u64,
    pub version: u64,
    pub direction: Direction,
    /// This codec alone, with what goes along with it.
    pub only: Option<Codec>,
}

/// Payload type, `a=rtpmap`, `a=fmtp`.
type Row = (u8, &'static str, Option<&'static str>);

const PLAIN: &[Row] = &[(0, "PCMU/8000", None), (8, "PCMA/8000", None), (101, "telephone-event/8000", Some("0-15"))];

const PAP2T: &[Row] = &[
    (0, "PCMU/8000", None),
    (2, "G726-32/8000", None),
    (4, "G723/8000", None),
    (8, "PCMA/8000", None),
    (18, "G729a/8000", None),
    (96, "G726-40/8000", None),
    (97, "G726-24/8000", None),
    (98, "G726-16/8000", None),
    (100, "NSE/8000", Some("192-193")),
    (101, "telephone-event/8000", Some("0-15")),
];

const CISCO: &[Row] = &[
    (0, "PCMU/8000", None),
    (8, "PCMA/8000", None),
    (18, "G729/8000", Some("annexb=no")),
    (9, "G722/8000", None),
    (116, "iLBC/8000", Some("mode=20")),
    (101, "telephone-event/8000", Some("0-15")),
];

const GRANDSTREAM: &[Row] = &[
    (0, "PCMU/8000", None),
    (8, "PCMA/8000", None),
    (4, "G723/8000", None),
    (18, "G729/8000", Some("annexb=no")),
    (2, "G726-32/8000", None),
    (97, "iLBC/8000", Some("mode=20")),
    (123, "opus/48000/2", None),
    (101, "telephone-event/8000", Some("0-15")),
];

impl Style {
    /// The `User-Agent` it sends.
    pub fn user_agent(self) -> &'static str {
        match self {
            Style::Plain => "strowger-sim",
            Style::Pap2t => "Linksys/PAP2T-3.1.15(LS)",
            Style::Cisco7960 => "CSCO/7",
            Style::Grandstream => "Grandstream HT801 1.0.3.2",
        }
    }

    /// Milliseconds of sound it puts in a packet.
    pub fn ptime(self) -> u8 {
        match self {
            Style::Pap2t => 30,
            Style::Plain | Style::Cisco7960 | Style::Grandstream => 20,
        }
    }

    /// Does it ask for responses at its source port (RFC 3581)?
    pub fn asks_rport(self) -> bool {
        match self {
            Style::Plain | Style::Grandstream => true,
            Style::Pap2t | Style::Cisco7960 => false,
        }
    }

    /// Does it use a nonce again, with a higher count (RFC 7616 3.4)?
    pub(super) fn keeps_nonce(self) -> bool {
        match self {
            Style::Plain | Style::Grandstream => true,
            Style::Pap2t | Style::Cisco7960 => false,
        }
    }

    /// Does it say hold by the address 0.0.0.0 (RFC 3264 8.4) rather than by `sendonly`?
    fn holds_by_address(self) -> bool {
        self == Style::Cisco7960
    }

    fn rows(self) -> &'static [Row] {
        match self {
            Style::Plain => PLAIN,
            Style::Pap2t => PAP2T,
            Style::Cisco7960 => CISCO,
            Style::Grandstream => GRANDSTREAM,
        }
    }

    /// Can it speak this codec?
    pub fn speaks(self, codec: Codec) -> bool {
        self.rows().iter().any(|row| codec_of(row) == Some(codec))
    }

    /// What begins its tags and Call-IDs, and what ends its tags.
    pub(super) fn marks(self, port: u16) -> (&'static str, &'static str) {
        match self {
            Style::Plain | Style::Grandstream => ("", ""),
            Style::Cisco7960 => ("000e84c060a6", ""),
            // An adapter with two lines on one address marks the line.
            Style::Pap2t if port == 5061 => ("", "o1"),
            Style::Pap2t => ("", "o0"),
        }
    }

    /// Its Contact.
    pub(super) fn contact(self, user: &str, address: SocketAddr, transport: Transport) -> String {
        let over = transport.name();
        match self {
            Style::Plain | Style::Pap2t | Style::Grandstream if transport == Transport::Udp => {
                format!("<sip:{user}@{address}>")
            }
            Style::Plain | Style::Pap2t | Style::Grandstream => format!("<sip:{user}@{address};transport={over}>"),
            Style::Cisco7960 => format!(
                "<sip:{user}@{address};user=phone;transport={over}>\
                 ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000e84c060a6>\";+u.sip!model.ccm.cisco.com=\"7\""
            ),
        }
    }

    /// A description of its media; `None` only if what it is made of holds a line end.
    pub(super) fn describe(self, told: Told<'_>) -> Option<Sdp> {
        let Told { user, rtp, id, version, direction, only } = told;
        let holds = !direction.receives() && self.holds_by_address();
        let home = network(rtp.ip());
        let address = if holds { "IN IP4 0.0.0.0" } else { home.as_str() };
        let rows: Vec<&Row> = self.rows().iter().filter(|row| stays(row, only)).collect();
        let numbers: Vec<String> = rows.iter().map(|row| row.0.to_string()).collect();
        let mut text = format!("v=0\r\no={user} {id} {version} {home}\r\ns=-\r\n");
        let media = format!("m=audio {} RTP/AVP {}\r\n", rtp.port(), numbers.join(" "));
        text.push_str(&match self {
            Style::Cisco7960 => format!("t=0 0\r\n{media}c={address}\r\n"),
            Style::Plain | Style::Pap2t | Style::Grandstream => format!("c={address}\r\nt=0 0\r\n{media}"),
        });
        for (number, map, parameters) in rows {
            text.push_str(&format!("a=rtpmap:{number} {map}\r\n"));
            if let Some(parameters) = parameters {
                text.push_str(&format!("a=fmtp:{number} {parameters}\r\n"));
            }
        }
        let direction = if holds { Direction::SendRecv } else { direction };
        text.push_str(&format!("a=ptime:{}\r\na={}\r\n", self.ptime(), direction.name()));
        Sdp::parse(text.as_bytes()).ok()
    }

    /// A description with media beside voice, each at its port (0: turned down); without `voice` it begins with them.
    pub(super) fn describe_extras(
        self,
        voice: Option<Sdp>,
        told: Told<'_>,
        extras: &[(MediaKind, u16)],
    ) -> Option<Sdp> {
        let Told { user, rtp, id, version, .. } = told;
        let network = network(rtp.ip());
        let mut text = match voice {
            Some(voice) => String::from_utf8(voice.to_bytes()).ok()?,
            None => format!("v=0\r\no={user} {id} {version} {network}\r\ns=-\r\nc={network}\r\nt=0 0\r\n"),
        };
        for (extra, port) in extras {
            let (medium, lines) = match extra {
                MediaKind::Video => ("video", VIDEO),
                MediaKind::Text => ("text", TEXT),
                MediaKind::Image => ("image", FAX),
            };
            let (first, rest) = lines.split_once("\r\n")?;
            text.push_str(&format!("m={medium} {port} {first}\r\nc={network}\r\n{rest}"));
        }
        Sdp::parse(text.as_bytes()).ok()
    }
}

/// What stands behind the port of video, and its attributes.
const VIDEO: &str =
    "RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\na=fmtp:99 profile-level-id=42e01f\r\na=X-camera:front\r\na=sendrecv\r\n";
const TEXT: &str = "RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\na=fmtp:98 cps=30\r\n";
const FAX: &str = "udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n\
    a=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n";

fn codec_of(row: &Row) -> Option<Codec> {
    let (name, clock) = row.1.split_once('/')?;
    Codec::from_encoding(name, clock.parse().ok()?)
}

fn stays(row: &Row, only: Option<Codec>) -> bool {
    match only {
        None => true,
        Some(only) => codec_of(row) == Some(only) || row.1.starts_with("telephone-event") || row.1.starts_with("NSE"),
    }
}

fn network(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("IN IP4 {ip}"),
        IpAddr::V6(ip) => format!("IN IP6 {ip}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(direction: Direction, only: Option<Codec>) -> Told<'static> {
        Told { user: "-", rtp: "192.0.2.20:16420".parse().unwrap(), id: 7, version: 7, direction, only }
    }

    #[test]
    fn a_pap2t_tells_of_modems_and_of_30_ms() {
        let sdp = Style::Pap2t.describe(told(Direction::SendRecv, None)).unwrap();
        let audio = sdp.audio().unwrap();
        assert_eq!(audio.ptime, Some(30));
        assert!(audio.formats.iter().any(|format| format.payload == 100 && format.encoding == "NSE"));
        assert_eq!(sdp.rtp_addr(), "192.0.2.20:16420".parse().ok());
    }

    #[test]
    fn every_style_can_hold_and_keep_to_one_codec() {
        for style in [Style::Plain, Style::Pap2t, Style::Cisco7960, Style::Grandstream] {
            let held = style.describe(told(Direction::SendOnly, None)).unwrap();
            assert!(held.is_hold(), "{style:?}");
            let one = style.describe(told(Direction::SendRecv, Some(Codec::Alaw))).unwrap();
            let codecs: Vec<Codec> = one.audio().unwrap().formats.iter().filter_map(|format| format.codec).collect();
            assert_eq!(codecs, [Codec::Alaw], "{style:?}");
            let fax =
                style.describe_extras(None, told(Direction::SendRecv, None), &[(MediaKind::Image, 16_720)]).unwrap();
            assert_eq!(fax.secondary_addr(MediaKind::Image), "192.0.2.20:16720".parse().ok());
        }
    }
}
