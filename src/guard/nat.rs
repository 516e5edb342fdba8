//! `nat=`: whether messages to a peer go to the address its packets come from, or to the one its headers name.

use std::net::SocketAddr;

use crate::config::peer::Tristate;
use crate::sip::header::Via;

/// Whether the top Via names another address than the packet came from. Ports are not compared: a Cisco 7960 sends from
/// any port and listens on 5060. A host name is never the address it stands for, since nothing is looked up here.
pub fn is_behind_nat(via: &Via, source: SocketAddr) -> bool {
    via.host.ip().map(|named| named.to_canonical()) != Some(source.ip().to_canonical())
}

/// Whether responses go to the source port, and calls to the source address, although the Via did not ask for it by
/// `rport` (RFC 3581). `flag` is the peer's `nat=`, or the general one before the peer is identified.
pub fn force_rport(flag: Tristate, via: &Via, source: SocketAddr) -> bool {
    flag.holds(is_behind_nat(via, source))
}
