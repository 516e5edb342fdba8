//! The SDP agreement of a leg: what either side described last, and who made the offer (RFC 3264).

use crate::config::general::General;
use crate::rng::Rng;
use crate::sdp::payload::{self, Agreed};
use crate::sdp::{Direction, LocalMedia, Sdp};
use std::net::{IpAddr, SocketAddr};

/// What both sides of a leg described, and who made the offer.
#[derive(Debug)]
pub struct Agreement {
    /// Our latest description sent to the peer.
    pub local: Option<Sdp>,
    /// The peer's latest description.
    pub remote: Option<Sdp>,
    /// The present agreement began with our offer.
    we_offered: bool,
    /// Incremented each time the peer's SDP changes mid-call.
    remote_version: u32,
    /// The id in the o= line of our descriptions.
    sdp_id: u64,
    /// The version in the o= line of our latest description.
    sdp_version: u64,
}

/// What held before an offer of ours, to return to when the peer refuses it.
#[derive(Debug)]
pub(super) struct Previous {
    local: Option<Sdp>,
    we_offered: bool,
}

impl Previous {
    /// What we described.
    pub(super) fn local(&self) -> Option<&Sdp> {
        self.local.as_ref()
    }
}

impl Agreement {
    /// A leg that we call: the first offer will be ours.
    pub(super) fn outgoing(rng: &mut Rng) -> Agreement {
        let (sdp_id, sdp_version) = (rng.below(1 << 31), rng.below(1 << 30));
        Agreement { local: None, remote: None, we_offered: true, remote_version: 0, sdp_id, sdp_version }
    }

    /// A caller's leg, with the offer of its INVITE.
    pub(super) fn incoming(offer: Option<Sdp>, rng: &mut Rng) -> Agreement {
        Agreement { remote: offer, we_offered: false, ..Agreement::outgoing(rng) }
    }

    /// The codec in use by the present agreement.
    pub fn agreed(&self) -> Option<Agreed> {
        let (local, remote) = (self.local.as_ref()?, self.remote.as_ref()?);
        if self.we_offered { payload::agreed(local, remote) } else { payload::agreed(remote, local) }
    }

    /// The payload types of telephone events, when both sides have them: from the peer, and to it.
    pub fn telephone_events(&self) -> Option<(u8, u8)> {
        let (local, remote) = (self.local.as_ref()?, self.remote.as_ref()?);
        let (offer, answer) = if self.we_offered { (local, remote) } else { (remote, local) };
        let (to_offerer, to_answerer) = payload::telephone_events(offer, answer)?;
        Some(if self.we_offered { (to_offerer, to_answerer) } else { (to_answerer, to_offerer) })
    }

    /// Did the present agreement begin with our offer (so that the peer's description is the answer)?
    pub fn we_offered(&self) -> bool {
        self.we_offered
    }

    /// Does either side hold the call, so that the peer does not have to send voice, or is not listened to?
    pub fn is_on_hold(&self) -> bool {
        let holds = |sdp: &Sdp| sdp.is_hold() || sdp.audio().is_some_and(|it| it.direction != Direction::SendRecv);
        self.local.iter().chain(&self.remote).any(holds)
    }

    /// How often the peer's SDP changed in mid-call.
    pub fn remote_version(&self) -> u32 {
        self.remote_version
    }

    /// How our next description names us: the next version of its o= line. `rtp` is where media shall go: our own port,
    /// or the other phone's for direct media.
    pub fn next_local_media(&mut self, rtp: SocketAddr, advertised_ip: IpAddr, general: &General) -> LocalMedia {
        self.sdp_version = self.sdp_version.wrapping_add(1);
        LocalMedia {
            user: general.sdp_owner.clone(),
            session_name: general.sdp_name.clone(),
            id: self.sdp_id,
            version: self.sdp_version,
            addr: advertised_ip,
            media_addr: rtp.ip(),
            rtp_port: rtp.port(),
            rtcp_port: None,
            secondary: Vec::new(),
        }
    }

    /// The peer's description from now on. Its version goes up when the direction of media changes or the codec in use
    /// is gone; a new address is found by the relay itself.
    pub(super) fn take_remote(&mut self, sdp: Sdp) {
        let direction = |sdp: &Sdp| (sdp.audio().map(|audio| audio.direction), sdp.is_hold());
        let before = self.remote.as_ref().map_or((Some(Direction::SendRecv), false), direction);
        let formats = sdp.audio().map(|audio| audio.formats).unwrap_or_default();
        let is_gone = |agreed: Agreed| formats.iter().all(|format| format.codec != Some(agreed.codec));
        if before != direction(&sdp) || self.agreed().is_some_and(is_gone) {
            self.remote_version = self.remote_version.wrapping_add(1);
        }
        self.remote = Some(sdp);
    }

    /// Our new offer is sent; the answer decides what becomes of it.
    pub(super) fn offer(&mut self, offer: Sdp) -> Previous {
        Previous { local: self.local.replace(offer), we_offered: std::mem::replace(&mut self.we_offered, true) }
    }

    /// RFC 3261 14.1: our offer is refused, and what held before goes on. Gives the offer back.
    pub(super) fn withdraw_offer(&mut self, previous: Previous) -> Option<Sdp> {
        self.we_offered = previous.we_offered;
        std::mem::replace(&mut self.local, previous.local)
    }

    /// Our final description is sent: the answer to the peer's offer or, without one, our offer (RFC 3261 13.2.1).
    pub(super) fn describe(&mut self, description: Sdp, we_offered: bool) {
        self.we_offered = we_offered;
        self.local = Some(description);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::codec::Codec;

    fn sdp(formats: &str, direction: &str) -> Sdp {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP {formats}\r\na={direction}\r\n"
        );
        Sdp::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_codec_in_use_is_the_first_of_the_answer_whoever_made_it() {
        let mut ours = Agreement::outgoing(&mut Rng::from_number(1));
        assert_eq!(ours.agreed(), None);
        ours.local = Some(sdp("0 8", "sendrecv"));
        ours.remote = Some(sdp("8 0", "sendrecv"));
        assert_eq!(ours.agreed().map(|agreed| agreed.codec), Some(Codec::Alaw), "the peer answered");
        ours.describe(sdp("0 8", "sendrecv"), false);
        assert_eq!(ours.agreed().map(|agreed| agreed.codec), Some(Codec::Ulaw), "we answered");
    }

    #[test]
    fn the_remote_version_counts_changes_of_direction_and_of_codec_alone() {
        let mut agreement = Agreement::incoming(Some(sdp("0 8", "sendrecv")), &mut Rng::from_number(1));
        agreement.describe(sdp("0", "sendrecv"), false);
        let versions = ["0 8", "8 0 101", "8", "8"].map(|formats| {
            agreement.take_remote(sdp(formats, "sendrecv"));
            agreement.remote_version()
        });
        assert_eq!(versions, [0, 0, 1, 1], "only the loss of PCMU, which is in use, counts");
        agreement.take_remote(sdp("8", "sendonly"));
        assert_eq!(agreement.remote_version(), 2);
        agreement.take_remote(sdp("8", "sendonly"));
        assert_eq!(agreement.remote_version(), 2);
    }

    #[test]
    fn a_refused_offer_leaves_what_held_before() {
        let mut agreement = Agreement::incoming(Some(sdp("0", "sendrecv")), &mut Rng::from_number(1));
        agreement.describe(sdp("0", "sendrecv"), false);
        let previous = agreement.offer(sdp("8", "sendrecv"));
        assert!(agreement.we_offered());
        assert_eq!(agreement.withdraw_offer(previous), Some(sdp("8", "sendrecv")));
        assert_eq!(agreement.local, Some(sdp("0", "sendrecv")));
        assert!(!agreement.we_offered());
    }

    #[test]
    fn every_description_of_ours_has_the_same_id_and_the_next_version() {
        let mut agreement = Agreement::outgoing(&mut Rng::from_number(1));
        let rtp = "192.0.2.9:4000".parse().unwrap();
        let [one, two] = [(); 2].map(|()| agreement.next_local_media(rtp, rtp.ip(), &General::default()));
        assert_eq!((two.id, two.version), (one.id, one.version + 1));
        assert_eq!((two.media_addr, two.rtp_port), (rtp.ip(), rtp.port()));
    }
}
