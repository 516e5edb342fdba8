//! The socket that requests come to, and which address of this machine each was sent to: the answer comes from that one.

use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd as _;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A socket for requests.
pub struct RequestSocket {
    socket: UdpSocket,
    bound: SocketAddr,
}

/// A datagram that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    pub(super) length: usize,
    pub(super) peer: SocketAddr,
    /// The address that it was sent to.
    pub(super) local: IpAddr,
}

impl RequestSocket {
    /// Takes a bound socket. To be called within a runtime.
    ///
    /// # Errors
    /// The system does not let it be watched.
    pub fn new(socket: std::net::UdpSocket) -> io::Result<RequestSocket> {
        socket.set_nonblocking(true)?;
        let bound = socket.local_addr()?;
        if bound.is_ipv4() {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        } else {
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        }
        Ok(RequestSocket { socket: UdpSocket::from_std(socket)?, bound })
    }

    /// The next datagram.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrived> {
        self.socket.async_io(Interest::READABLE, || self.receive_now(buffer)).await
    }

    /// Sends an answer at once, or not at all.
    pub(super) fn send(&self, bytes: &[u8], to: SocketAddr) {
        let _ = self.socket.try_send_to(bytes, to);
    }

    fn receive_now(&self, buffer: &mut [u8]) -> io::Result<Arrived> {
        let mut control = cmsg_space!(libc::in6_pktinfo);
        let mut into = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut into, Some(&mut control), flags)?;
        let peer = message.address.as_ref().and_then(address_of);
        let peer = peer.ok_or_else(|| io::Error::other("a datagram from nowhere"))?;
        let mut local = self.bound.ip();
        for found in message.cmsgs()? {
            match found {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    local = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr)).into();
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => local = Ipv6Addr::from(info.ipi6_addr.s6_addr).into(),
                _ => {}
            }
        }
        Ok(Arrived { length: message.bytes, peer, local })
    }
}

fn address_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::new(v4.ip().into(), v4.port()));
    }
    let v6 = address.as_sockaddr_in6()?;
    Some(SocketAddrV6::new(v6.ip(), v6.port(), 0, v6.scope_id()).into())
}
