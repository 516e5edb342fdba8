//! rtp.conf, typed.

use crate::rtp::strict::Strictness;
use std::time::Duration;

/// What rtp.conf says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpConf {
    /// `rtpstart`: the lowest port for media; even.
    pub port_first: u16,
    /// `rtpend`: the highest port for media.
    pub port_last: u16,
    /// `strictrtp`.
    pub strictness: Strictness,
    /// `rtcpinterval`: time between two RTCP reports of ours.
    pub rtcp_interval: Duration,
}

impl Default for RtpConf {
    fn default() -> RtpConf {
        RtpConf {
            port_first: 10_000,
            port_last: 20_000,
            strictness: Strictness::Strict,
            rtcp_interval: Duration::from_millis(5000),
        }
    }
}
