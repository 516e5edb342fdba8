//! Media beside the voice stream: video, text and fax. They are carried as they are; nothing but their address is read.

use super::audio::{Media, rtcp_of, usable};
use super::description::Sdp;
use super::line::{MediaLine, SdpLine, media_line};
use super::local_media::LocalMedia;
use super::relay_sdp;
use std::net::SocketAddr;

/// A medium that a call may carry beside its voice stream, at most one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MediaKind {
    /// `m=video` over RTP/AVP (`videosupport=`).
    Video,
    /// `m=text` over RTP/AVP: real-time text, RFC 4103 (`textsupport=`).
    Text,
    /// `m=image` over UDPTL: fax as data, T.38 (`t38pt_udptl=`).
    Image,
}

impl MediaKind {
    /// All of them.
    pub const ALL: [MediaKind; 3] = [MediaKind::Video, MediaKind::Text, MediaKind::Image];

    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            MediaKind::Video => "video",
            MediaKind::Text => "text",
            MediaKind::Image => "T.38 fax",
        }
    }

    /// The option of sip.conf that lets it in.
    pub fn option(self) -> &'static str {
        match self {
            MediaKind::Video => "videosupport",
            MediaKind::Text => "textsupport",
            MediaKind::Image => "t38pt_udptl",
        }
    }

    /// Which one an `m=` line means, whatever its port. Anything over another transport is none: it would need keys, or
    /// agreements the exchange takes no part in.
    fn of(line: &MediaLine<'_>) -> Option<MediaKind> {
        let is = |medium: &str, proto: &str| {
            line.medium.eq_ignore_ascii_case(medium) && line.proto.eq_ignore_ascii_case(proto)
        };
        match () {
            () if is("video", "RTP/AVP") => Some(MediaKind::Video),
            () if is("text", "RTP/AVP") => Some(MediaKind::Text),
            () if is("image", "udptl") && line.formats.iter().any(|format| format.eq_ignore_ascii_case("t38")) => {
                Some(MediaKind::Image)
            }
            () => None,
        }
    }
}

impl Sdp {
    /// The media beside voice that are offered or accepted.
    pub fn extras(&self) -> impl Iterator<Item = MediaKind> + '_ {
        MediaKind::ALL.into_iter().filter(|extra| self.has(*extra))
    }

    /// Whether this medium is offered or accepted.
    pub fn has(&self, extra: MediaKind) -> bool {
        self.extra(extra).is_some()
    }

    /// Where it is wanted, by the rules of [`Sdp::rtp_addr`].
    pub fn extra_addr(&self, extra: MediaKind) -> Option<SocketAddr> {
        let found = self.extra(extra)?;
        usable(self.connection_of(found.section)?, found.line.port)
    }

    /// Where its RTCP is wanted, by the rules of [`Sdp::rtcp_addr`]; nowhere for fax, which is no RTP.
    pub fn extra_rtcp_addr(&self, extra: MediaKind) -> Option<SocketAddr> {
        let found = self.extra(extra).filter(|_| extra != MediaKind::Image)?;
        let rtp = usable(self.connection_of(found.section)?, found.line.port)?;
        match found.section.iter().find_map(rtcp_of) {
            Some((port, addr)) => usable(addr.unwrap_or(rtp.ip()), port),
            None => usable(rtp.ip(), rtp.port().checked_add(1)?),
        }
    }

    /// The first `m=` line of this medium that is not rejected.
    fn extra(&self, extra: MediaKind) -> Option<Media<'_>> {
        self.media.iter().enumerate().find_map(|(index, section)| {
            let line = media_line(section.first()?)?;
            (line.port != 0 && MediaKind::of(&line) == Some(extra)).then_some(Media { index, line, section })
        })
    }

    /// Which medium beside voice a section is, when it is the one of its kind that counts.
    fn extra_at(&self, index: usize) -> Option<MediaKind> {
        MediaKind::ALL.into_iter().find(|extra| self.extra(*extra).is_some_and(|found| found.index == index))
    }
}

/// A medium beside voice as it goes on: every line as it came, with our address and port. `None` when the line at `index`
/// is no such medium, or `face` has no port for it.
pub(super) fn carried(source: &Sdp, index: usize, face: &LocalMedia) -> Option<Vec<SdpLine>> {
    section_of(source, source.extra_at(index)?, face)
}

/// The answer to the medium at `index` of `offer`: what `answer` says of it.
pub(super) fn answered(offer: &Sdp, index: usize, answer: &Sdp, face: &LocalMedia) -> Option<Vec<SdpLine>> {
    section_of(answer, offer.extra_at(index)?, face)
}

fn section_of(source: &Sdp, extra: MediaKind, face: &LocalMedia) -> Option<Vec<SdpLine>> {
    let (_, addr) = face.extras.iter().find(|(kind, _)| *kind == extra)?;
    let section = source.extra(extra)?.section;
    let place = LocalMedia { media_addr: addr.ip(), rtp_port: addr.port(), rtcp_port: None, ..face.clone() };
    let needs_address = !relay_sdp::has_session_address(source) || addr.ip() != face.media_addr;
    Some(relay_sdp::medium(section, None, &place, needs_address))
}
