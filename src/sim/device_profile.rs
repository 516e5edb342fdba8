//! Differences between real telephones in how they write SIP and SDP, so that a simulated one can imitate them.

use crate::sdp::{Codec, Direction, MediaKind, Sdp};
use crate::sip::flow::Transport;
use std::net::{IpAddr, SocketAddr};

/// A model of telephone (facts from captures of real ones).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceProfile {
    /// Asks for `rport`, speaks ulaw and alaw, 20 ms a packet.
    Plain,
    /// Linksys PAP2T: no `rport`, 30 ms, announces modems by NSE (payload type 100).
    Pap2t,
    /// Cisco 7960: no `rport`, `algorithm=md5` in lower case, `+sip.instance`, `c=` after `m=`, hold by 0.0.0.0.
    Cisco7960,
    /// Grandstream HT801: `rport`, a long list of codecs, 20 ms.
    Grandstream,
}

/// The parts of a session description that do not depend on the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct MediaParameters<'a> {
    pub user: &'a str,
    pub rtp: SocketAddr,
    pub id: u64,
    pub version: u64,
    pub direction: Direction,
    /// Only this codec, with its telephone events.
    pub only: Option<Codec>,
}

/// The port of a secondary medium in a description.
#[derive(Debug, Clone, Copy)]
pub(super) struct SecondaryPort {
    pub kind: MediaKind,
    /// 0: rejected.
    pub port: u16,
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

impl DeviceProfile {
    /// The `User-Agent` it sends.
    pub fn user_agent(self) -> &'static str {
        match self {
            DeviceProfile::Plain => "strowger-sim",
            DeviceProfile::Pap2t => "Linksys/PAP2T-3.1.15(LS)",
            DeviceProfile::Cisco7960 => "CSCO/7",
            DeviceProfile::Grandstream => "Grandstream HT801 1.0.3.2",
        }
    }

    /// Milliseconds of audio in a packet.
    pub fn ptime(self) -> u8 {
        match self {
            DeviceProfile::Pap2t => 30,
            DeviceProfile::Plain | DeviceProfile::Cisco7960 | DeviceProfile::Grandstream => 20,
        }
    }

    /// Whether it asks for responses to its source port (RFC 3581).
    pub fn asks_rport(self) -> bool {
        match self {
            DeviceProfile::Plain | DeviceProfile::Grandstream => true,
            DeviceProfile::Pap2t | DeviceProfile::Cisco7960 => false,
        }
    }

    /// Whether it uses a nonce again, with a higher count (RFC 7616 3.4).
    pub(super) fn keeps_nonce(self) -> bool {
        match self {
            DeviceProfile::Plain | DeviceProfile::Grandstream => true,
            DeviceProfile::Pap2t | DeviceProfile::Cisco7960 => false,
        }
    }

    /// Whether it signals hold by the address 0.0.0.0 (RFC 3264 8.4) rather than by `sendonly`.
    fn holds_by_address(self) -> bool {
        self == DeviceProfile::Cisco7960
    }

    fn rows(self) -> &'static [Row] {
        match self {
            DeviceProfile::Plain => PLAIN,
            DeviceProfile::Pap2t => PAP2T,
            DeviceProfile::Cisco7960 => CISCO,
            DeviceProfile::Grandstream => GRANDSTREAM,
        }
    }

    /// Whether it supports this codec.
    pub fn supports(self, codec: Codec) -> bool {
        self.rows().iter().any(|row| codec_of(row) == Some(codec))
    }

    /// The prefix of its tags and Call-IDs, and the suffix of its tags.
    pub(super) fn marks(self, port: u16) -> (&'static str, &'static str) {
        match self {
            DeviceProfile::Plain | DeviceProfile::Grandstream => ("", ""),
            DeviceProfile::Cisco7960 => ("000e84c060a6", ""),
            // An adapter with two lines on one address numbers them.
            DeviceProfile::Pap2t if port == 5061 => ("", "o1"),
            DeviceProfile::Pap2t => ("", "o0"),
        }
    }

    /// Its Contact.
    pub(super) fn contact(self, user: &str, address: SocketAddr, transport: Transport) -> String {
        let over = transport.name();
        match self {
            DeviceProfile::Plain | DeviceProfile::Pap2t | DeviceProfile::Grandstream if transport == Transport::Udp => {
                format!("<sip:{user}@{address}>")
            }
            DeviceProfile::Plain | DeviceProfile::Pap2t | DeviceProfile::Grandstream => {
                format!("<sip:{user}@{address};transport={over}>")
            }
            DeviceProfile::Cisco7960 => format!(
                "<sip:{user}@{address};user=phone;transport={over}>\
                 ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000e84c060a6>\";+u.sip!model.ccm.cisco.com=\"7\""
            ),
        }
    }

    /// Its description of audio; `None` only if a parameter contains a line end.
    pub(super) fn describe(self, parameters: MediaParameters<'_>) -> Option<Sdp> {
        let MediaParameters { user, rtp, id, version, direction, only } = parameters;
        let holds = !direction.receives() && self.holds_by_address();
        let home = network(rtp.ip());
        let address = if holds { "IN IP4 0.0.0.0" } else { home.as_str() };
        let rows: Vec<&Row> = self.rows().iter().filter(|row| is_included(row, only)).collect();
        let numbers: Vec<String> = rows.iter().map(|row| row.0.to_string()).collect();
        let mut text = format!("v=0\r\no={user} {id} {version} {home}\r\ns=-\r\n");
        let media = format!("m=audio {} RTP/AVP {}\r\n", rtp.port(), numbers.join(" "));
        text.push_str(&match self {
            DeviceProfile::Cisco7960 => format!("t=0 0\r\n{media}c={address}\r\n"),
            DeviceProfile::Plain | DeviceProfile::Pap2t | DeviceProfile::Grandstream => {
                format!("c={address}\r\nt=0 0\r\n{media}")
            }
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

    /// A description of audio, if any, and secondary media, each with its port (0: rejected).
    pub(super) fn describe_secondary(
        self,
        audio: Option<Sdp>,
        parameters: MediaParameters<'_>,
        secondary: &[SecondaryPort],
    ) -> Option<Sdp> {
        let MediaParameters { user, rtp, id, version, .. } = parameters;
        let network = network(rtp.ip());
        let mut text = match audio {
            Some(audio) => String::from_utf8(audio.to_bytes()).ok()?,
            None => format!("v=0\r\no={user} {id} {version} {network}\r\ns=-\r\nc={network}\r\nt=0 0\r\n"),
        };
        for SecondaryPort { kind, port } in secondary {
            let (medium, lines) = match kind {
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

/// The `m=` line after the port, and the attributes, of each secondary medium.
const VIDEO: &str =
    "RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\na=fmtp:99 profile-level-id=42e01f\r\na=X-camera:front\r\na=sendrecv\r\n";
const TEXT: &str = "RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\na=fmtp:98 cps=30\r\n";
const FAX: &str = "udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n\
    a=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n";

fn codec_of(row: &Row) -> Option<Codec> {
    let (name, clock) = row.1.split_once('/')?;
    Codec::from_encoding(name, clock.parse().ok()?)
}

fn is_included(row: &Row, only: Option<Codec>) -> bool {
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

    const FAX_PORT: SecondaryPort = SecondaryPort { kind: MediaKind::Image, port: 16_720 };

    fn parameters(direction: Direction, only: Option<Codec>) -> MediaParameters<'static> {
        MediaParameters { user: "-", rtp: "192.0.2.20:16420".parse().unwrap(), id: 7, version: 7, direction, only }
    }

    #[test]
    fn a_pap2t_offers_nse_and_30_ms() {
        let sdp = DeviceProfile::Pap2t.describe(parameters(Direction::SendRecv, None)).unwrap();
        let audio = sdp.audio().unwrap();
        assert_eq!(audio.ptime, Some(30));
        assert!(audio.formats.iter().any(|format| format.payload == 100 && format.encoding == "NSE"));
        assert_eq!(sdp.rtp_addr(), "192.0.2.20:16420".parse().ok());
    }

    #[test]
    fn every_profile_can_hold_and_offer_one_codec() {
        for profile in
            [DeviceProfile::Plain, DeviceProfile::Pap2t, DeviceProfile::Cisco7960, DeviceProfile::Grandstream]
        {
            let held = profile.describe(parameters(Direction::SendOnly, None)).unwrap();
            assert!(held.is_hold(), "{profile:?}");
            let one = profile.describe(parameters(Direction::SendRecv, Some(Codec::Alaw))).unwrap();
            let codecs: Vec<Codec> = one.audio().unwrap().formats.iter().filter_map(|format| format.codec).collect();
            assert_eq!(codecs, [Codec::Alaw], "{profile:?}");
            let fax = profile.describe_secondary(None, parameters(Direction::SendRecv, None), &[FAX_PORT]).unwrap();
            assert_eq!(fax.secondary_addr(MediaKind::Image), "192.0.2.20:16720".parse().ok());
        }
    }
}
