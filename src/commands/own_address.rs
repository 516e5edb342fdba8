//! Which address of this machine the outside would see it by.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// An address for documentation (RFC 5737): what leads there leads to the outside. Nothing is sent.
const OUTSIDE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// This machine's address towards the outside; none without a way there.
pub(super) fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(OUTSIDE).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}
