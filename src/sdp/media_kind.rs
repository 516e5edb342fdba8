//! Secondary media, which are all but the voice stream: video, text and fax. They are forwarded as they are; only their
//! address is read.

use super::audio::{Media, rtcp_of, usable};
use super::description::Sdp;
use super::line::{MediaLine, SdpLine, media_line};
use super::local_media::LocalMedia;
use super::relay_sdp;
use std::net::SocketAddr;

/// A secondary medium of a call, at most one of each kind.
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

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            MediaKind::Video => "video",
            MediaKind::Text => "text",
            MediaKind::Image => "T.38 fax",
        }
    }

    /// The option of sip.conf that permits it.
    pub fn option(self) -> &'static str {
        match self {
            MediaKind::Video => "videosupport",
            MediaKind::Text => "textsupport",
            MediaKind::Image => "t38pt_udptl",
        }
    }

    /// The kind of an `m=` line, whatever its port. None over any other transport: that would need keys, or
    /// negotiations that the exchange does not support.
    fn of(line: &MediaLine<'_>) -> Option<MediaKind> {
        let is = |medium: &str, proto: &str| {
            line.medium.eq_ignore_ascii_case(medium) && line.proto.eq_ignore_ascii_case(proto)
        };
        match () {
            () if is("video", "RTP/AVP") => Some(MediaKind::Video),
            () if is("text", "RTP/AVP") => Some(MediaKind::Text),
            () if is("image", "udptl") && line.formats().any(|format| format.eq_ignore_ascii_case("t38")) => {
                Some(MediaKind::Image)
            }
            () => None,
        }
    }
}

impl Sdp {
    /// The secondary media that are offered or accepted.
    pub fn secondary_media(&self) -> impl Iterator<Item = MediaKind> + '_ {
        MediaKind::ALL.into_iter().filter(|kind| self.has(*kind))
    }

    /// The same with every secondary medium refused that `other` does not have.
    pub fn with_no_more_than(mut self, other: &Sdp) -> Sdp {
        for section in &mut self.media {
            let refused = section.first().and_then(media_line).and_then(|parts| {
                let is_refused = MediaKind::of(&parts).is_some_and(|kind| !other.has(kind));
                is_refused.then(|| format!("m={} 0 {} {}", parts.medium, parts.proto, parts.joined_formats()))
            });
            if let Some(line) = refused {
                *section = vec![SdpLine::made(line)];
            }
        }
        self
    }

    /// Whether this medium is offered or accepted.
    pub fn has(&self, kind: MediaKind) -> bool {
        self.secondary(kind).is_some()
    }

    /// Its address, by the rules of [`Sdp::rtp_addr`].
    pub fn secondary_addr(&self, kind: MediaKind) -> Option<SocketAddr> {
        let found = self.secondary(kind)?;
        usable(self.connection_of(found.section)?, found.line.port)
    }

    /// The address for its RTCP, by the rules of [`Sdp::rtcp_addr`]; none for fax, which is not RTP.
    pub fn secondary_rtcp_addr(&self, kind: MediaKind) -> Option<SocketAddr> {
        let found = self.secondary(kind).filter(|_| kind != MediaKind::Image)?;
        let rtp = usable(self.connection_of(found.section)?, found.line.port)?;
        match found.section.iter().find_map(rtcp_of) {
            Some((port, addr)) => usable(addr.unwrap_or(rtp.ip()), port),
            None => usable(rtp.ip(), rtp.port().checked_add(1)?),
        }
    }

    /// The first `m=` line of this medium that is not rejected.
    fn secondary(&self, kind: MediaKind) -> Option<Media<'_>> {
        self.media.iter().enumerate().find_map(|(index, section)| {
            let line = media_line(section.first()?)?;
            (line.port != 0 && MediaKind::of(&line) == Some(kind)).then_some(Media { index, line, section })
        })
    }

    /// The secondary medium of a section, when it is the first of its kind that is not rejected.
    fn secondary_at(&self, index: usize) -> Option<MediaKind> {
        MediaKind::ALL.into_iter().find(|kind| self.secondary(*kind).is_some_and(|found| found.index == index))
    }
}

/// The lines of a secondary medium.
pub(super) fn section(sdp: &Sdp, kind: MediaKind) -> Option<&[SdpLine]> {
    sdp.secondary(kind).map(|found| found.section)
}

/// A secondary medium as it is forwarded: every line as received, with our address and port. `None` when the section at
/// `index` is no such medium, or `local` has no port for it.
pub(super) fn carried(source: &Sdp, index: usize, local: &LocalMedia) -> Option<Vec<SdpLine>> {
    section_of(source, source.secondary_at(index)?, local)
}

/// The answer to the medium at `index` of `offer`: the section of `answer`.
pub(super) fn answered(offer: &Sdp, index: usize, answer: &Sdp, local: &LocalMedia) -> Option<Vec<SdpLine>> {
    section_of(answer, offer.secondary_at(index)?, local)
}

fn section_of(source: &Sdp, kind: MediaKind, local: &LocalMedia) -> Option<Vec<SdpLine>> {
    let (_, addr) = local.secondary.iter().find(|(known, _)| *known == kind)?;
    let section = source.secondary(kind)?.section;
    let media = LocalMedia { media_addr: addr.ip(), rtp_port: addr.port(), rtcp_port: None, ..local.clone() };
    let needs_address = !relay_sdp::has_session_address(source) || addr.ip() != local.media_addr;
    Some(relay_sdp::medium(section, None, &media, needs_address))
}
