//! A phone's media as its descriptions tell it.

use super::{Phone, PhoneConfig, PhoneEvent, all_codecs};
use crate::chance::Chance;
use crate::sdp::{Codec, Direction, Extra, Face, Sdp, negotiate, payload};
use crate::sim::device_profile::{MediaParameters, SecondaryPort};
use std::net::SocketAddr;

/// Where the phone's sound is wanted, and how.
pub(super) struct Sound {
    pub rtp: SocketAddr,
    pub direction: Direction,
    pub only: Option<Codec>,
    /// What it offers beside voice.
    pub secondary_media: Vec<Extra>,
    id: u64,
    version: u64,
}

impl Sound {
    pub fn new(config: &PhoneConfig, chance: &mut Chance) -> Sound {
        let id = 10_000 + chance.below(1 << 24);
        Sound {
            rtp: config.rtp,
            direction: Direction::SendRecv,
            only: None,
            secondary_media: Vec::new(),
            id,
            version: id,
        }
    }
}

impl Phone {
    /// Where it wants RTP now.
    pub fn rtp(&self) -> SocketAddr {
        self.sound.rtp
    }

    /// In which directions it wants sound.
    pub fn direction(&self) -> Direction {
        self.sound.direction
    }

    /// Where RTP is to be sent now; `None` without a call, while the other side does not want to hear anything, and while
    /// this one wants to send nothing.
    pub fn media(&self) -> Option<SocketAddr> {
        let remote = self.call.as_ref()?.remote.as_ref()?;
        let sends = self.sound.direction.sends() && !remote.is_hold();
        if sends { remote.rtp_addr() } else { None }
    }

    /// Do both sides take part in voice? They do not while they fax.
    pub fn has_voice(&self) -> bool {
        let told = self.call.as_ref().map(|call| [call.local.as_ref(), call.remote.as_ref()]);
        told.is_some_and(|both| both.iter().all(|told| told.is_some_and(|told| told.audio().is_some())))
    }

    /// The payload type to send with.
    pub fn payload_type(&self) -> Option<u8> {
        let call = self.call.as_ref()?;
        let (local, remote) = (call.local.as_ref()?, call.remote.as_ref()?);
        if call.made_offer {
            payload::agreed(local, remote).map(|agreed| agreed.to_answerer)
        } else {
            payload::agreed(remote, local).map(|agreed| agreed.to_offerer)
        }
    }

    /// The latest description of the other side.
    pub fn remote_description(&self) -> Option<&Sdp> {
        self.call.as_ref()?.remote.as_ref()
    }

    pub(super) fn told(&mut self, only: Option<Codec>) -> MediaParameters<'_> {
        let Sound { rtp, direction, id, version, .. } = self.sound;
        MediaParameters { user: &self.config.user, rtp, id, version, direction, only }
    }

    /// Where it wants this beside voice.
    pub fn secondary_rtp(&self, extra: Extra) -> SocketAddr {
        let step = match extra {
            Extra::Video => 100,
            Extra::Text => 200,
            Extra::Fax => 300,
        };
        SocketAddr::new(self.sound.rtp.ip(), self.sound.rtp.port().saturating_add(step))
    }

    /// Where to send this beside voice; `None` unless both sides take part in it.
    pub fn secondary_media(&self, extra: Extra) -> Option<SocketAddr> {
        let call = self.call.as_ref()?;
        call.local.as_ref().filter(|told| told.has(extra))?;
        call.remote.as_ref()?.extra_addr(extra)
    }

    /// A new offer of its own.
    pub(super) fn offer(&mut self) -> Option<Sdp> {
        self.sound.version = self.sound.version.saturating_add(1);
        let (profile, only) = (self.config.profile, self.sound.only);
        let voice = profile.describe(self.told(only))?;
        let extras = self.ports(&self.sound.secondary_media);
        let told = self.call.as_ref().and_then(|call| call.local.as_ref());
        if extras.is_empty() && told.is_none_or(|told| told.media_lines() <= 1 && told.audio().is_some()) {
            return Some(voice);
        }
        let own = profile.describe_secondary(Some(voice), self.told(only), &extras)?;
        self.in_order(own)
    }

    /// The offer of a fax machine behind it that heard a fax tone.
    pub(super) fn fax_offer(&mut self, keeps_voice: bool) -> Option<Sdp> {
        self.sound.version = self.sound.version.saturating_add(1);
        let fax = self.ports(&[Extra::Fax]);
        let voice = keeps_voice.then(|| {
            let text = format!(
                "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 {}\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n",
                self.sound.rtp.ip()
            );
            Sdp::parse(text.as_bytes()).ok()
        });
        let own = self.config.profile.describe_secondary(voice.flatten(), self.told(None), &fax)?;
        self.in_order(own)
    }

    /// RFC 3264 section 8: an offer in a call has all lines of what was told before.
    fn in_order(&mut self, own: Sdp) -> Option<Sdp> {
        let face = self.face();
        match self.call.as_ref().and_then(|call| call.local.as_ref()) {
            Some(before) => negotiate::reoffer_from(&own, &all_codecs(), &face, before).ok(),
            None => Some(own),
        }
    }

    fn ports(&self, extras: &[Extra]) -> Vec<SecondaryPort> {
        extras.iter().map(|kind| SecondaryPort { kind: *kind, port: self.secondary_rtp(*kind).port() }).collect()
    }

    fn face(&self) -> Face {
        let Sound { rtp, id, version, .. } = self.sound;
        Face {
            user: self.config.user.clone(),
            session_name: String::new(),
            id,
            version,
            addr: rtp.ip(),
            media_addr: rtp.ip(),
            rtp_port: rtp.port(),
            rtcp_port: None,
            extras: Extra::ALL.into_iter().map(|extra| (extra, self.secondary_rtp(extra))).collect(),
        }
    }

    /// The answer to an offer: the first codec of it that the phone speaks, and what goes along with it; and what it can do beside voice.
    pub(super) fn answer_to(&mut self, offer: &Sdp) -> Option<Sdp> {
        let profile = self.config.profile;
        let may = self.sound.only;
        let fits = |codec: &Codec| profile.supports(*codec) && may.is_none_or(|only| only == *codec);
        self.sound.version = self.sound.version.saturating_add(1);
        let voice = match offer.audio() {
            Some(audio) => {
                let codec = audio.formats.iter().filter_map(|format| format.codec).find(fits)?;
                Some(profile.describe(self.told(Some(codec)))?)
            }
            None => None,
        };
        if voice.is_none() && self.behaviour.empty_fax && self.has_voice() {
            return Some(negotiate::readdress(offer, &Face { extras: Vec::new(), ..self.face() }));
        }
        let extras = self.ports(&self.behaviour.secondary_media);
        let own = match voice {
            Some(voice) if extras.is_empty() => voice,
            voice => profile.describe_secondary(voice, self.told(None), &extras)?,
        };
        negotiate::answer_from(offer, &own, &all_codecs(), &self.face()).ok()
    }

    /// A new call begins with the media as configured.
    pub(super) fn reset_sound(&mut self) {
        self.sound = Sound::new(&self.config, &mut self.chance);
        self.sound.secondary_media =
            self.behaviour.secondary_media.iter().copied().filter(|extra| *extra != Extra::Fax).collect();
    }

    /// Something was agreed: whoever sends RTP is told where to.
    pub(super) fn tell_media(&mut self) {
        let event = match self.media() {
            Some(address) => PhoneEvent::MediaAt(address),
            None => PhoneEvent::OnHold,
        };
        self.tell(event);
    }
}
