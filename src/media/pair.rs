//! A stream's two sockets: an even port for RTP, the odd one above it for RTCP.

use super::media_socket::MediaSocket;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The highest priority of packets that needs no privilege (tc-prio(8)).
const INTERACTIVE: i32 = 6;

/// Receive buffer of a socket: a second of packets while the machine is busy. The kernel gives less without privilege.
const RECEIVE_BUFFER: usize = 256 * 1024;

/// Two bound sockets.
pub(super) struct Pair {
    pub port: u16,
    pub rtp: MediaSocket,
    pub rtcp: MediaSocket,
}

/// Binds a pair of ports at `local` and sets its sockets up.
pub(super) fn bind(local: IpAddr, port: u16, dscp: Option<u8>) -> io::Result<Pair> {
    Ok(Pair { port, rtp: open(local, port, dscp)?, rtcp: open(local, port.saturating_add(1), dscp)? })
}

fn open(local: IpAddr, port: u16, dscp: Option<u8>) -> io::Result<MediaSocket> {
    let domain = if local.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&SocketAddr::new(local, port).into())?;
    // None of what follows is needed for a call to work.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    // What the system notes on a packet: when it came, and how many were dropped before it (`reader.rs`).
    let _ = setsockopt(&socket, sockopt::ReceiveTimestampns, &true);
    let _ = setsockopt(&socket, sockopt::RxqOvfl, &1);
    // Without fragments the kernel chooses no identification, which saves some per cent of a packet's cost.
    // `MediaSocket::send` allows them again when needed.
    let _ = match local {
        IpAddr::V4(_) => set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DO),
        IpAddr::V6(_) => set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::DO),
    };
    if let Some(dscp) = dscp {
        let class = u32::from(dscp & 0x3f) << 2;
        let _ = if local.is_ipv4() { socket.set_tos_v4(class) } else { socket.set_tclass_v6(class) };
        // Before other packets in the queue of the network card, too; the class alone would set another (socket(7)).
        let _ = setsockopt(&socket, sockopt::Priority, &INTERACTIVE);
    }
    Ok(MediaSocket::new(socket.into()))
}
