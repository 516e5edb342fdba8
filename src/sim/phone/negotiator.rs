//! What a simulated phone wants of its media, and the offers and answers that say so (RFC 3264).

use super::behaviour::Behaviour;
use super::change::Change;
use super::config::PhoneConfig;
use crate::rng::Rng;
use crate::sdp::{Codec, CodecList, Direction, LocalMedia, MediaKind, Sdp, negotiate};
use crate::sim::device_profile::{DeviceProfile, MediaParameters, SecondaryPort};
use std::net::SocketAddr;

/// How it wants voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Preferences {
    /// Where it wants RTP.
    pub rtp: SocketAddr,
    /// In which directions.
    pub direction: Direction,
    /// The only codec it wants, if it is down to one.
    pub only: Option<Codec>,
}

/// Makes the offers and answers of this side of a call.
pub(super) struct Negotiator {
    pub preferences: Preferences,
    /// The secondary media it offers.
    secondary: Vec<MediaKind>,
    user: String,
    profile: DeviceProfile,
    /// Identifier and version of its descriptions (RFC 4566 5.2).
    id: u64,
    version: u64,
}

impl Negotiator {
    /// The media as configured.
    pub fn new(config: &PhoneConfig, behaviour: &Behaviour, rng: &mut Rng) -> Negotiator {
        let id = 10_000 + rng.below(1 << 24);
        Negotiator {
            preferences: Preferences { rtp: config.rtp, direction: Direction::SendRecv, only: None },
            secondary: behaviour.secondary_media.iter().copied().filter(|kind| *kind != MediaKind::Image).collect(),
            user: config.user.clone(),
            profile: config.profile,
            id,
            version: id,
        }
    }

    /// The offer that makes this change; `before` is the description it follows. `None` when no offer is to be made.
    pub fn offer_change(&mut self, change: Change, before: Option<&Sdp>) -> Option<Sdp> {
        match change {
            Change::Hold => self.preferences.direction = Direction::SendOnly,
            Change::Resume => self.preferences.direction = Direction::SendRecv,
            Change::Direction(direction) => self.preferences.direction = direction,
            Change::MovePort(port) => self.preferences.rtp.set_port(port),
            Change::Codec(codec) => self.preferences.only = Some(codec),
            Change::T38 => return self.offer_fax(before, true),
            Change::T38Alone => return self.offer_fax(before, false),
            Change::Voice => {}
            Change::Without(kind) => self.secondary.retain(|known| *known != kind),
            Change::With(kind) if self.secondary.contains(&kind) => {}
            Change::With(kind) => self.secondary.push(kind),
            Change::Refresh => return before.cloned(),
            Change::NoSdp => return None,
        }
        self.offer(before)
    }

    /// A new offer; `before` is the description it follows.
    pub fn offer(&mut self, before: Option<&Sdp>) -> Option<Sdp> {
        self.next_version();
        let parameters = self.parameters(self.preferences.only);
        let voice = self.profile.describe(parameters)?;
        let secondary = self.ports(&self.secondary);
        if secondary.is_empty() && before.is_none_or(|before| before.media_lines() <= 1 && before.audio().is_some()) {
            return Some(voice);
        }
        let own = self.profile.describe_secondary(Some(voice), parameters, &secondary)?;
        self.aligned(own, before)
    }

    /// The offer of a gateway that detected a fax tone.
    fn offer_fax(&mut self, before: Option<&Sdp>, keeps_voice: bool) -> Option<Sdp> {
        self.next_version();
        let fax = self.ports(&[MediaKind::Image]);
        let rejected_voice = keeps_voice.then(|| {
            let text = format!(
                "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 {}\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n",
                self.preferences.rtp.ip()
            );
            Sdp::parse(text.as_bytes()).ok()
        });
        let own = self.profile.describe_secondary(rejected_voice.flatten(), self.parameters(None), &fax)?;
        self.aligned(own, before)
    }

    /// RFC 3264 section 8: a new offer has all media lines of the description before it.
    fn aligned(&self, own: Sdp, before: Option<&Sdp>) -> Option<Sdp> {
        match before {
            Some(before) => negotiate::reoffer_from(&own, &all_codecs(), &self.local_media(), before).ok(),
            None => Some(own),
        }
    }

    /// The answer to an offer: its first codec that the phone supports, with telephone events, and the secondary media
    /// that the phone supports. `None` when it supports none of the codecs. `has_voice`: whether voice was agreed on
    /// before.
    pub fn answer(&mut self, offer: &Sdp, behaviour: &Behaviour, has_voice: bool) -> Option<Sdp> {
        let (profile, only) = (self.profile, self.preferences.only);
        let fits = |codec: &Codec| profile.supports(*codec) && only.is_none_or(|only| only == *codec);
        self.next_version();
        let voice = match offer.audio() {
            Some(audio) => {
                let codec = audio.formats.iter().filter_map(|format| format.codec).find(fits)?;
                Some(profile.describe(self.parameters(Some(codec)))?)
            }
            None => None,
        };
        if voice.is_none() && behaviour.empty_fax && has_voice {
            return Some(negotiate::readdress(offer, &LocalMedia { secondary: Vec::new(), ..self.local_media() }));
        }
        let secondary = self.ports(&behaviour.secondary_media);
        let own = match voice {
            Some(voice) if secondary.is_empty() => voice,
            voice => profile.describe_secondary(voice, self.parameters(None), &secondary)?,
        };
        negotiate::answer_from(offer, &own, &all_codecs(), &self.local_media()).ok()
    }

    fn next_version(&mut self) {
        self.version = self.version.saturating_add(1);
    }

    fn parameters(&self, only: Option<Codec>) -> MediaParameters<'_> {
        let Preferences { rtp, direction, .. } = self.preferences;
        MediaParameters { user: &self.user, rtp, id: self.id, version: self.version, direction, only }
    }

    fn ports(&self, kinds: &[MediaKind]) -> Vec<SecondaryPort> {
        let port =
            |kind: &MediaKind| SecondaryPort { kind: *kind, port: secondary_rtp(self.preferences.rtp, *kind).port() };
        kinds.iter().map(port).collect()
    }

    fn local_media(&self) -> LocalMedia {
        let rtp = self.preferences.rtp;
        LocalMedia {
            user: self.user.clone(),
            session_name: String::new(),
            id: self.id,
            version: self.version,
            addr: rtp.ip(),
            media_addr: rtp.ip(),
            rtp_port: rtp.port(),
            rtcp_port: None,
            secondary: MediaKind::ALL.into_iter().map(|kind| (kind, secondary_rtp(rtp, kind))).collect(),
        }
    }
}

/// Where a phone that wants voice at `rtp` wants a secondary medium.
pub(super) fn secondary_rtp(rtp: SocketAddr, kind: MediaKind) -> SocketAddr {
    let step = match kind {
        MediaKind::Video => 100,
        MediaKind::Text => 200,
        MediaKind::Image => 300,
    };
    SocketAddr::new(rtp.ip(), rtp.port().saturating_add(step))
}

/// Every codec there is: what a phone supports, its profile says.
fn all_codecs() -> CodecList {
    let every: Vec<Codec> = Codec::all().collect();
    CodecList::of(&every)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(profile: DeviceProfile, behaviour: &Behaviour) -> Negotiator {
        let config = PhoneConfig::example(profile);
        Negotiator::new(&config, behaviour, &mut Rng::from_number(1))
    }

    fn codecs(sdp: &Sdp) -> Vec<Codec> {
        sdp.audio().unwrap().formats.iter().filter_map(|format| format.codec).collect()
    }

    #[test]
    fn an_answer_has_the_first_codec_of_the_offer_that_is_supported() {
        let plain = Behaviour::default();
        let offer = media(DeviceProfile::Cisco7960, &plain).offer_change(Change::Codec(Codec::Alaw), None).unwrap();
        let mut callee = media(DeviceProfile::Plain, &plain);
        assert_eq!(codecs(&callee.answer(&offer, &plain, false).unwrap()), [Codec::Alaw]);
        callee.preferences.only = Some(Codec::Ulaw);
        assert!(callee.answer(&offer, &plain, false).is_none(), "no codec in common");
    }

    #[test]
    fn a_new_offer_has_a_higher_version_and_the_change() {
        let mut media = media(DeviceProfile::Plain, &Behaviour::default());
        let first = media.offer(None).unwrap();
        let held = media.offer_change(Change::Hold, Some(&first)).unwrap();
        assert!(held.is_hold() && !first.is_hold());
        let version = |sdp: &Sdp| String::from_utf8(sdp.to_bytes()).unwrap().split(' ').nth(2).unwrap().to_owned();
        assert_ne!(version(&first), version(&held));
        assert_eq!(media.offer_change(Change::Refresh, Some(&held)).unwrap().to_bytes(), held.to_bytes());
        assert!(media.offer_change(Change::NoSdp, Some(&held)).is_none());
    }

    #[test]
    fn secondary_media_are_offered_and_stay_in_their_lines_when_removed() {
        let behaviour = Behaviour { secondary_media: vec![MediaKind::Video, MediaKind::Image], ..Behaviour::default() };
        let mut media = media(DeviceProfile::Plain, &behaviour);
        let first = media.offer(None).unwrap();
        assert_eq!((first.media_lines(), first.secondary_addr(MediaKind::Video)), (2, "192.0.2.1:16520".parse().ok()));
        let without = media.offer_change(Change::Without(MediaKind::Video), Some(&first)).unwrap();
        assert_eq!((without.media_lines(), without.has(MediaKind::Video)), (2, false));
        let fax = media.offer_change(Change::T38, Some(&without)).unwrap();
        assert_eq!((fax.has(MediaKind::Image), fax.audio().is_some()), (true, false));
    }
}
