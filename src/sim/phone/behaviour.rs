//! What a simulated phone does without being told to.

use crate::sdp::MediaKind;
use std::time::Duration;

/// What a phone does by itself, correctly or not. The default does nothing by itself.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Rings (180) at once when called.
    pub auto_ring: bool,
    /// Sends early media (183 with a description) at once when called.
    pub auto_early_media: bool,
    /// Answers a call after this time.
    pub auto_answer_after: Option<Duration>,
    /// Refuses every call with this status, for example 486 (busy).
    pub refuse: Option<u16>,
    /// Refuses every new offer in a call with this status.
    pub refuse_reinvite: Option<u16>,
    /// Answers a new offer from a new RTP port, two above the last.
    pub new_port_on_reinvite: bool,
    /// The media it supports besides voice: it accepts them when offered, and offers all but fax itself.
    pub secondary_media: Vec<MediaKind>,
    /// Accepts an offer of fax instead of voice, but rejects all of its media by port 0.
    pub empty_fax: bool,
    /// Makes no offer in its INVITE: the 200 brings the offer, the ACK the answer.
    pub offerless: bool,
    /// Acknowledges without a description, also where its ACK is to bring the answer.
    pub bare_acks: bool,
    /// Never acknowledges a 200.
    pub never_acks: bool,
    /// Accepts REFER (202), and tells that the call ended with this status that it was to make.
    pub refer_outcome: Option<u16>,
    /// Ignores every message.
    pub ignores_everything: bool,
    /// Ignores every BYE.
    pub loses_bye: bool,
    /// Writes `sips:` where others write `sip:`: in its Contact, and where it registers and calls.
    pub sips: bool,
}
