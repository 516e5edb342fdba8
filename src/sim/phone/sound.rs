//! A phone's media as its descriptions tell it.

use super::{Phone, PhoneConfig, PhoneEvent, all_codecs};
use crate::chance::Chance;
use crate::sdp::{Codec, Direction, Face, Sdp, negotiate, payload};
use crate::sim::style::Told;
use std::net::SocketAddr;

/// Where the phone's sound is wanted, and how.
pub(super) struct Sound {
    pub rtp: SocketAddr,
    pub direction: Direction,
    pub only: Option<Codec>,
    id: u64,
    version: u64,
}

impl Sound {
    pub fn new(config: &PhoneConfig, chance: &mut Chance) -> Sound {
        let id = 10_000 + chance.below(1 << 24);
        Sound { rtp: config.rtp, direction: Direction::SendRecv, only: None, id, version: id }
    }
}

impl Phone {
    /// Where it wants RTP now.
    pub fn rtp(&self) -> SocketAddr {
        self.sound.rtp
    }

    /// Where RTP is to be sent now; `None` without a call or while the other side does not want to hear anything.
    pub fn media(&self) -> Option<SocketAddr> {
        let remote = self.call.as_ref()?.remote.as_ref()?;
        if remote.is_hold() { None } else { remote.rtp_addr() }
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

    pub(super) fn told(&mut self, only: Option<Codec>) -> Told<'_> {
        let Sound { rtp, direction, id, version, .. } = self.sound;
        Told { user: &self.config.user, rtp, id, version, direction, only }
    }

    /// A new offer of its own.
    pub(super) fn offer(&mut self) -> Option<Sdp> {
        self.sound.version = self.sound.version.saturating_add(1);
        let (style, only) = (self.config.style, self.sound.only);
        style.describe(self.told(only))
    }

    /// The answer to an offer: the first codec of it that the phone speaks, and what goes along with it.
    pub(super) fn answer_to(&mut self, offer: &Sdp) -> Option<Sdp> {
        let style = self.config.style;
        let may = self.sound.only;
        let fits = |codec: &Codec| style.speaks(*codec) && may.is_none_or(|only| only == *codec);
        let codec = offer.audio()?.formats.iter().filter_map(|format| format.codec).find(fits)?;
        self.sound.version = self.sound.version.saturating_add(1);
        let own = style.describe(self.told(Some(codec)))?;
        let face = Face {
            user: self.config.user.clone(),
            session_name: String::new(),
            id: self.sound.id,
            version: self.sound.version,
            addr: self.sound.rtp.ip(),
            media_addr: self.sound.rtp.ip(),
            rtp_port: self.sound.rtp.port(),
            rtcp_port: None,
            extras: Vec::new(),
        };
        negotiate::answer_from(offer, &own, &all_codecs(), &face).ok()
    }

    /// A new call begins with the media as configured.
    pub(super) fn reset_sound(&mut self) {
        self.sound = Sound::new(&self.config, &mut self.chance);
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
