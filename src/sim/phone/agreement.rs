//! What both sides of a call agreed on by offer and answer (RFC 3264).

use crate::sdp::{MediaKind, Sdp, payload};
use std::net::SocketAddr;

/// The descriptions in force.
#[derive(Debug, Clone, Default)]
pub(super) struct Agreement {
    /// The latest description this side sent.
    pub local: Option<Sdp>,
    /// The latest description of the other side.
    pub remote: Option<Sdp>,
    /// Whether this side's description was the offer.
    pub local_offered: bool,
}

impl Agreement {
    /// Whether both sides take part in voice. They do not during a fax.
    pub fn has_voice(&self) -> bool {
        [&self.local, &self.remote].iter().all(|sdp| sdp.as_ref().is_some_and(|sdp| sdp.audio().is_some()))
    }

    /// Where the other side wants RTP; `None` while it holds the call.
    pub fn remote_rtp(&self) -> Option<SocketAddr> {
        let remote = self.remote.as_ref()?;
        if remote.is_hold() { None } else { remote.rtp_addr() }
    }

    /// Where the other side wants a secondary medium; `None` unless both sides take part in it.
    pub fn remote_secondary(&self, kind: MediaKind) -> Option<SocketAddr> {
        self.local.as_ref().filter(|local| local.has(kind))?;
        self.remote.as_ref()?.secondary_addr(kind)
    }

    /// The payload type to send with.
    pub fn payload_type(&self) -> Option<u8> {
        let (local, remote) = (self.local.as_ref()?, self.remote.as_ref()?);
        if self.local_offered {
            payload::agreed(local, remote).map(|agreed| agreed.to_answerer)
        } else {
            payload::agreed(remote, local).map(|agreed| agreed.to_offerer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdp(port: u16, payloads: &str, direction: &str) -> Option<Sdp> {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {payloads}\r\na=rtpmap:97 iLBC/8000\r\na=rtpmap:98 iLBC/8000\r\na={direction}\r\n"
        );
        Sdp::parse(text.as_bytes()).ok()
    }

    #[test]
    fn each_side_sends_with_the_payload_type_the_other_gave() {
        let (local, remote) = (sdp(16_420, "97", "sendrecv"), sdp(16_422, "98", "sendrecv"));
        let caller = Agreement { local: local.clone(), remote: remote.clone(), local_offered: true };
        let callee = Agreement { local: remote, remote: local, local_offered: false };
        assert_eq!((caller.payload_type(), callee.payload_type()), (Some(98), Some(97)));
        assert_eq!(caller.remote_rtp(), "192.0.2.1:16422".parse().ok());
        assert!(caller.has_voice() && callee.has_voice());
    }

    #[test]
    fn nothing_is_sent_to_who_holds_or_has_not_answered() {
        let local = sdp(16_420, "0", "sendrecv");
        let held = Agreement { local: local.clone(), remote: sdp(16_422, "0", "sendonly"), local_offered: true };
        assert_eq!(held.remote_rtp(), None);
        let open = Agreement { local, remote: None, local_offered: true };
        assert_eq!((open.remote_rtp(), open.payload_type(), open.has_voice()), (None, None, false));
        assert_eq!(held.remote_secondary(MediaKind::Video), None);
    }
}
