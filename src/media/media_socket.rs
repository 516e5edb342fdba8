//! A socket for sound: bound as long as its stream is there, and connected to the stream's peer while nobody else may be
//! heard. The system then drops what others send, before it fills the buffer, and finds the way to the peer only once.

use rustix::net::connect_unspec;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

/// See the module.
#[derive(Debug)]
pub(super) struct MediaSocket {
    socket: UdpSocket,
    peer: Option<SocketAddr>,
    /// The system did not let it be connected; it is not asked again before the next [`MediaSocket::disconnect`].
    is_refused: bool,
}

impl MediaSocket {
    /// One that is bound, and hears everybody.
    pub fn new(socket: UdpSocket) -> MediaSocket {
        MediaSocket { socket, peer: None, is_refused: false }
    }

    /// Where it is bound.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Hears nobody but `peer` from now on. What others sent before is still to be received. When the system refuses,
    /// everybody is heard as before.
    pub fn connect(&mut self, peer: SocketAddr) {
        if self.peer != Some(peer) && !self.is_refused {
            self.is_refused = self.socket.connect(peer).is_err();
            self.peer = Some(peer).filter(|_| !self.is_refused);
        }
    }

    /// Hears everybody again.
    pub fn disconnect(&mut self) {
        self.is_refused = false;
        if self.peer.is_some() && connect_unspec(&self.socket).is_ok() {
            self.peer = None;
        }
    }

    /// Whether it hears its peer only.
    pub fn is_connected(&self) -> bool {
        self.peer.is_some()
    }

    /// Exactly one system call for one readiness: the next packet is reported by the next wait, and no call finds nothing.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        self.socket.recv_from(buffer).ok()
    }

    /// One system call; a second only for a packet the path cannot carry whole, which from then on may be cut into
    /// fragments, and on a connected socket for one that was not sent since it was told of the fate of an earlier one
    /// (ICMP: nobody listens there): what is refused once may be wanted again.
    pub fn send(&self, packet: &[u8], to: SocketAddr) -> io::Result<()> {
        match self.try_send(packet, to) {
            Ok(()) => Ok(()),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error()) => {
                allow_fragments(&self.socket, to)?;
                self.try_send(packet, to)
            }
            Err(_) if self.is_connected() => self.try_send(packet, to),
            Err(error) => Err(error),
        }
    }

    fn try_send(&self, packet: &[u8], to: SocketAddr) -> io::Result<()> {
        let sent = if self.peer == Some(to) { self.socket.send(packet) } else { self.socket.send_to(packet, to) };
        sent.map(|_| ())
    }
}

impl AsFd for MediaSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn allow_fragments(socket: &UdpSocket, to: SocketAddr) -> io::Result<()> {
    match to {
        SocketAddr::V4(_) => set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT)?,
        SocketAddr::V6(_) => set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::DONT)?,
    }
    Ok(())
}
