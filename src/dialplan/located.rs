//! Where a host is that a `Dial` names.

use std::net::IpAddr;

/// Where such a host was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// Its address.
    pub address: IpAddr,
    /// The address of this machine that is seen from there, when it is known.
    pub seen: Option<IpAddr>,
}
