//! How the media thread is set up.

use std::ops::RangeInclusive;

/// How the media thread is set up.
#[derive(Clone)]
pub struct MediaSettings {
    /// The ports streams may be bound to (`rtpstart` to `rtpend`), RTP on even ones and RTCP one above.
    pub ports: RangeInclusive<u16>,
    /// The DiffServ code point of RTP and RTCP, 0 to 63 (`tos_audio`); 46 is EF.
    pub dscp: Option<u8>,
    /// Where the port walk begins and what SSRCs our own packets get: from the system's entropy, fixed in a test.
    pub seed: [u8; 32],
}
