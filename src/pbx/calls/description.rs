//! Every session description that calls make: where the media of a party goes, and in which codecs.

use super::channel::Channel;
use super::leg::{self, Leg};
use crate::config::general::General;
use crate::config::peer::{DtmfMode, Peer};
use crate::pbx::failure::{Failure, FailureReason};
use crate::sdp::codec::{Codec, CodecList};
use crate::sdp::negotiate::NoCommonCodec;
use crate::sdp::{LocalMedia, MediaKind, Sdp, local_offer, negotiate};
use crate::wording::outside;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Makes the descriptions for one party.
pub(super) struct Describe<'a> {
    /// The channel.
    pub(super) channel: &'a Channel,
    /// Its leg, whose description gets a new version.
    pub(super) leg: &'a mut Leg,
    /// `[general]` of sip.conf.
    pub(super) general: &'a General,
}

impl Describe<'_> {
    fn local_media(&mut self, rtp: SocketAddr, secondary: Vec<(MediaKind, SocketAddr)>) -> LocalMedia {
        LocalMedia { secondary, ..self.leg.next_local_media(rtp, self.general) }
    }

    fn codecs(&self) -> CodecList {
        self.leg.peer.settings.codecs.clone()
    }

    fn rtp(&self) -> Result<SocketAddr, String> {
        self.channel.rtp.ok_or_else(|| format!("{}: no RTP port", self.channel.name))
    }

    // ---- from the exchange itself ----

    /// The description with which the exchange itself answers a caller: the one it sent before, if it did, else an
    /// answer or offer of its own.
    pub(super) fn own(&mut self) -> Result<Sdp, String> {
        let rtp = self.rtp()?;
        if let Some(local) = &self.leg.agreement.local {
            return Ok(local.clone());
        }
        let (allow, media) = (self.codecs(), self.local_media(rtp, Vec::new()));
        let made = match &self.leg.agreement.remote {
            Some(offer) => local_offer::own_answer(offer, &allow, &media, None),
            None => local_offer::own_offer(&allow, &media),
        };
        made.map(|made| self.with_its_digits(made)).map_err(|none| none.to_string())
    }

    /// A line whose digits are in its sound is not to send them as events instead.
    fn with_its_digits(&self, made: Sdp) -> Sdp {
        let mode = self.channel.dtmf_mode.unwrap_or(self.leg.peer.settings.dtmf_mode);
        if mode == DtmfMode::Inband { local_offer::without_events(made) } else { made }
    }

    /// An answer for a leg on which nobody else talks: the exchange's own.
    pub(super) fn answer_alone(&mut self, offer: &Sdp) -> Result<Sdp, String> {
        let rtp = self.rtp()?;
        let media = self.local_media(rtp, Vec::new());
        let made = local_offer::own_answer(offer, &self.codecs(), &media, None);
        made.map(|made| self.with_its_digits(made)).map_err(|none| none.to_string())
    }

    /// The latest local description with a new version: a refresh has the same content (RFC 3261 14.2).
    pub(super) fn repeat(&mut self) -> Option<Sdp> {
        let local = self.leg.agreement.local.clone()?;
        let rtp = local.rtp_addr().or(self.channel.rtp)?;
        let media = self.local_media(rtp, self.channel.bound_ports());
        Some(negotiate::readdress(&local, &media))
    }

    /// An offer that brings the media of a party, alone from now on, back to the exchange's own port, and takes it off
    /// hold; none when it is there.
    pub(super) fn reclaim(&mut self) -> Option<Sdp> {
        let rtp = self.channel.rtp?;
        let elsewhere = |local: &Sdp| {
            let voice = local.audio().is_some() && (local.rtp_addr() != Some(rtp) || local.is_hold());
            voice || local.secondary_media().next().is_some()
        };
        let local = self.leg.agreement.local.clone().filter(elsewhere)?;
        let media = self.local_media(rtp, Vec::new());
        match local.audio() {
            Some(_) => Some(negotiate::reopen(&local, &media)),
            // It was in a fax: nobody but a telephone could go on with that.
            None => {
                let voice = local_offer::own_offer(&self.codecs(), &media).ok()?;
                Some(negotiate::align_media(voice, &local))
            }
        }
    }

    /// An offer that brings the media of a party back to the exchange's own port, off hold, and into this codec; none when
    /// it is all there.
    pub(super) fn brought_back(&mut self, codec: Option<Codec>) -> Option<Sdp> {
        let agreed = self.leg.agreement.agreed().map(|agreed| agreed.codec);
        let codec = codec.filter(|codec| agreed.is_some_and(|agreed| agreed != *codec));
        let Some(codec) = codec else { return self.reclaim() };
        let (rtp, before) = (self.channel.rtp?, self.leg.agreement.local.clone()?);
        let media = self.local_media(rtp, Vec::new());
        let voice = local_offer::own_offer(&self.codecs().only(codec), &media).ok()?;
        Some(negotiate::align_media(self.with_its_digits(voice), &before))
    }

    // ---- when a line is called ----

    /// The first offer for a called line: the caller's, as far as both lines allow it, with our address.
    pub(super) fn first_offer(&mut self, rtp: SocketAddr, caller: (&Channel, &Leg)) -> Result<Sdp, Failure> {
        let allow = common_codecs(&caller.1.peer, &self.leg.peer);
        let media = self.local_media(rtp, secondary_between(self.channel, caller.0));
        let agreement = &caller.1.agreement;
        let made = match (&agreement.remote, agreement.local.is_some()) {
            // Something was agreed already (a prompt was played): the callee may only have that.
            (Some(remote), true) => match agreement.agreed() {
                Some(agreed) => negotiate::offer_of_agreed(remote, &agreed, &allow, &media),
                None => negotiate::offer_from(remote, &allow, &media),
            },
            (Some(offer), false) => negotiate::offer_from(offer, &allow, &media),
            (None, _) => local_offer::own_offer(&allow, &media),
        };
        // A caller that we hold ourselves, and that is on its way from there, is not held by the one it calls. One that holds
        // waits for the answer as anybody does: whoever answers is told then.
        let has_begun_to_hold = agreement.remote_version() > 0 && agreement.remote.as_ref().is_some_and(Sdp::is_hold);
        let made = if leg::is_held_by_us(caller.1) || has_begun_to_hold {
            made.map(|made| negotiate::reopen(&made, &media))
        } else {
            made
        };
        made.map_err(|none| no_codec(&none, &[&caller.1.peer, &self.leg.peer]))
    }

    /// The answer to a caller, made from a called line's description: the caller's payload numbers, our address. An
    /// answer that was sent before stands.
    pub(super) fn first_answer(&mut self, answer: &Sdp) -> Result<Sdp, Failure> {
        let Some(rtp) = self.channel.rtp else { return Err(FailureReason::Gone.with(&[&self.leg.peer.name])) };
        if let Some(local) = &self.leg.agreement.local {
            return Ok(local.clone());
        }
        let media = self.local_media(rtp, self.channel.bound_ports());
        let allow = &self.leg.peer.settings.codecs;
        let made = match &self.leg.agreement.remote {
            Some(offer) => negotiate::answer_from(offer, answer, allow, &media),
            // The INVITE had no offer: ours is what the called line agreed to.
            None => negotiate::offer_from(answer, allow, &media),
        };
        made.map_err(|none| no_codec(&none, &[&self.leg.peer]))
    }

    // ---- between two parties ----

    /// An offer made from what the other party described, as far as this one may have it, with media at `rtp`.
    pub(super) fn offer_from_other(&mut self, other: (&Channel, &Leg), rtp: SocketAddr) -> Option<Sdp> {
        let source = other.1.agreement.remote.clone()?;
        let allow = common_codecs(&self.leg.peer, &other.1.peer);
        let media = self.local_media(rtp, secondary_between(self.channel, other.0));
        // One codec for both: what the two agreed to when the call was answered.
        let agreed = self.leg.agreement.agreed();
        let before = self.leg.agreement.local.as_ref()?;
        // What goes with a codec (telephone events, NSE) stays, so that two ATAs can go on telling each other of
        // modems.
        let one = agreed.map_or_else(|| allow.clone(), |agreed| allow.only(agreed.codec));
        let made = negotiate::reoffer_from(&source, &one, &media, before);
        // The other may have left that codec since.
        made.or_else(|_| negotiate::reoffer_from(&source, &allow, &media, before)).ok()
    }

    /// A new offer of the other party's, forwarded to this one with media at `rtp`.
    pub(super) fn forwarded_offer(
        &mut self,
        other: (&Channel, &Leg),
        offer: &Sdp,
        rtp: SocketAddr,
    ) -> Result<Sdp, String> {
        let allow = common_codecs(&other.1.peer, &self.leg.peer);
        let media = self.local_media(rtp, secondary_between(self.channel, other.0));
        let made = match &self.leg.agreement.local {
            Some(before) => negotiate::reoffer_from(offer, &allow, &media, before),
            None => negotiate::offer_from(offer, &allow, &media),
        };
        made.map_err(|none| none.to_string())
    }

    /// The exchange's own answer to a new offer of this party's: what we described to it before, in `codecs`, which the
    /// other party can do, under the numbers of the offer. `is_open`: what the offer does not hold is open, whatever it
    /// held before.
    pub(super) fn absorbed_answer(
        &mut self,
        offer: &Sdp,
        codecs: &[Codec],
        (secondary, is_open): (Vec<(MediaKind, SocketAddr)>, bool),
    ) -> Option<Sdp> {
        let rtp = self.channel.rtp?;
        let mut allow = self.codecs();
        allow.entries.retain(|(codec, _)| codecs.contains(codec));
        let media = self.local_media(rtp, secondary);
        let before = self.leg.agreement.local.as_ref()?;
        let before = if is_open { negotiate::reopen(before, &media) } else { before.clone() };
        negotiate::answer_from(offer, &before, &allow, &media).ok()
    }

    /// The other party's answer to this one's forwarded offer, with media at `rtp`.
    pub(super) fn forwarded_answer(&mut self, other: (&Channel, &Leg), rtp: SocketAddr) -> Option<Sdp> {
        let media = self.local_media(rtp, secondary_between(self.channel, other.0));
        let (offer, answer) = (self.leg.pending_offer()?, other.1.agreement.remote.as_ref()?);
        negotiate::answer_from(offer, answer, &self.leg.peer.settings.codecs, &media).ok()
    }
}

/// The codecs that both of two lines allow, in the first one's order.
pub(super) fn common_codecs(a: &Peer, b: &Peer) -> CodecList {
    a.settings.codecs.common(&b.settings.codecs)
}

/// Our addresses for the media beside voice that both channels have ports for.
pub(super) fn secondary_between(channel: &Channel, other: &Channel) -> Vec<(MediaKind, SocketAddr)> {
    let bound_there = |kind| other.port(kind).is_some_and(|port| port.bound().is_some());
    channel.bound_ports().into_iter().filter(|(kind, _)| bound_there(*kind)).collect()
}

/// No codec in common, with what each of these lines allows.
pub(super) fn no_codec(none: &NoCommonCodec, peers: &[&Peer]) -> Failure {
    if none.offered.is_empty() {
        return FailureReason::NoVoice.with(&[peers.first().map_or("it", |peer| &peer.name)]);
    }
    let mut allows: Vec<String> = Vec::new();
    for peer in peers {
        let allowed = peer.settings.codecs.names().join(", ");
        let text = format!("'{}' allows {}", peer.name, if allowed.is_empty() { "nothing" } else { &allowed });
        if !allows.contains(&text) {
            allows.push(text);
        }
    }
    FailureReason::NoCodec.with(&[&outside(&none.offered.join(", ")), &allows.join(", ")])
}

/// The address a description names, `0.0.0.0` (hold) included.
pub(super) fn raw_address(description: &Sdp) -> SocketAddr {
    let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    match description.audio() {
        Some(audio) => SocketAddr::new(audio.connection.unwrap_or(unspecified), audio.port),
        None => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}
