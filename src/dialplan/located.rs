//! Where a host is that a `Dial` names.

use std::net::{IpAddr, SocketAddr};

/// A host that a `Dial` names, to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostQuery {
    /// Its name or address.
    pub host: String,
    /// The port written behind it.
    pub port: Option<u16>,
    /// `udp`, `tcp` or `tls`, when it is written; else empty.
    pub transport: String,
}

/// One server of such a host; the first is tried first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// What is spoken there: `udp`, `tcp` or `tls`.
    pub transport: &'static str,
    /// Where it is.
    pub address: SocketAddr,
    /// The address of this machine that is seen from there, when it is known.
    pub seen: Option<IpAddr>,
}
