//! The configuration of a simulated phone.

use crate::sim::device_profile::DeviceProfile;
use std::net::SocketAddr;

/// Who a phone is, and where.
#[derive(Clone)]
pub struct PhoneConfig {
    /// The account: the user of From, To, Contact and digest.
    pub user: String,
    /// Its secret.
    pub secret: String,
    /// The phone's own address, in Via and Contact. Whoever carries its datagrams receives there.
    pub sip: SocketAddr,
    /// The exchange.
    pub exchange: SocketAddr,
    /// Where it wants RTP.
    pub rtp: SocketAddr,
    /// The model it imitates.
    pub profile: DeviceProfile,
    /// For how many seconds it registers.
    pub expires: u32,
}

impl std::fmt::Debug for PhoneConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneConfig").field("user", &self.user).field("sip", &self.sip).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl PhoneConfig {
    /// A phone for unit tests, at 192.0.2.1; its exchange is at 192.0.2.2.
    pub(super) fn example(profile: DeviceProfile) -> PhoneConfig {
        PhoneConfig {
            user: "a".into(),
            secret: "secret".into(),
            sip: "192.0.2.1:5060".parse().unwrap(),
            exchange: "192.0.2.2:5060".parse().unwrap(),
            rtp: "192.0.2.1:16420".parse().unwrap(),
            profile,
            expires: 60,
        }
    }
}
