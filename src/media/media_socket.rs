//! A socket for sound: bound as long as its stream is there, and connected to the stream's peer while nobody else may be
//! heard. The system then drops what others send, before it fills the buffer, and finds the way to the peer only once.

use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
use rustix::io::Errno;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use rustix::net::{RecvFlags, SendFlags, connect_unspec, recvfrom, send, sendto};
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// A packet that was read with the system's notes on it.
pub(super) struct Stamped {
    pub length: usize,
    pub source: SocketAddr,
    /// When it came to this machine, on the wall clock, since 1970.
    pub stamp: Option<Duration>,
    /// Packets that were dropped at this socket since it was opened, for want of room.
    pub dropped: Option<u64>,
}

/// How often it is tried to send or to read while the system tells of an earlier packet's fate instead: once is usual, the second
/// time the socket is disconnected, and the third may still have the last such message.
const TRIES: u32 = 3;

/// See the module.
#[derive(Debug)]
pub(super) struct MediaSocket {
    socket: UdpSocket,
    peer: Option<SocketAddr>,
    /// It stays unconnected until the next [`MediaSocket::disconnect`]: the system did not let it be connected, or told it of one
    /// error after the other.
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

    /// The next packet: its length, and who sent it. One system call, by no way round the C library, in which each could be
    /// cancelled, and that costs.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        for time in 0..TRIES {
            match recvfrom(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((_, length, source)) => return Some((length, SocketAddr::try_from(source?).ok()?)),
                Err(error) if self.was_told(error.kind(), time) => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// The same with the system's notes, for which `notes` is the room.
    pub fn receive_stamped(&mut self, buffer: &mut [u8], notes: &mut [u8]) -> Option<Stamped> {
        for time in 0..TRIES {
            match self.read_stamped(buffer, notes) {
                Ok(stamped) => return stamped,
                Err(error) if self.was_told(io::Error::from(error).kind(), time) => {}
                Err(_) => return None,
            }
        }
        None
    }

    fn read_stamped(&self, buffer: &mut [u8], notes: &mut [u8]) -> nix::Result<Option<Stamped>> {
        let mut into = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let read = recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut into, Some(notes), flags)?;
        let Some(source) = read.address.as_ref().and_then(address_of) else { return Ok(None) };
        let mut stamped = Stamped { length: read.bytes, source, stamp: None, dropped: None };
        for note in read.cmsgs().into_iter().flatten() {
            match note {
                ControlMessageOwned::ScmTimestampns(stamp) => stamped.stamp = Some(Duration::from(stamp)),
                ControlMessageOwned::RxqOvfl(dropped) => stamped.dropped = Some(u64::from(dropped)),
                _ => {}
            }
        }
        Ok(Some(stamped))
    }

    /// One system call; a second only for a packet the path cannot carry whole, which from then on may be cut into
    /// fragments, and on a connected socket for one that was not sent since it was told of the fate of an earlier one
    /// (ICMP: nobody listens there): what is refused once may be wanted again.
    pub fn send(&mut self, packet: &[u8], to: SocketAddr) -> io::Result<()> {
        let mut sent = self.try_send(packet, to);
        for time in 0..TRIES {
            match &sent {
                Err(error) if error.raw_os_error() == Some(Errno::MSGSIZE.raw_os_error()) => {
                    allow_fragments(&self.socket, to)?;
                    return self.try_send(packet, to);
                }
                Err(error) if self.was_told(error.kind(), time) => {}
                Ok(()) | Err(_) => return sent,
            }
            sent = self.try_send(packet, to);
        }
        sent
    }

    /// Is this error what the system was told of an earlier packet (ICMP: nobody listens there), so that what was asked is worth
    /// another try? `time` is how often that was so just now. Who is told again at once is told by somebody who forges such
    /// messages: on a connected socket each of them would cost a packet, on one that is not they count for nothing.
    fn was_told(&mut self, error: io::ErrorKind, time: u32) -> bool {
        let is_told = (self.is_connected() || time > 0) && error != io::ErrorKind::WouldBlock;
        if is_told && time > 0 {
            self.disconnect();
            self.is_refused = true;
        }
        is_told
    }

    fn try_send(&self, packet: &[u8], to: SocketAddr) -> io::Result<()> {
        match self.peer == Some(to) {
            true => send(&self.socket, packet, SendFlags::empty())?,
            false => sendto(&self.socket, packet, SendFlags::empty(), &to)?,
        };
        Ok(())
    }
}

impl AsFd for MediaSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn address_of(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
    v4.or_else(|| storage.as_sockaddr_in6().map(|v6| SocketAddr::V6(SocketAddrV6::from(*v6))))
}

fn allow_fragments(socket: &UdpSocket, to: SocketAddr) -> io::Result<()> {
    match to {
        SocketAddr::V4(_) => set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DONT)?,
        SocketAddr::V6(_) => set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::DONT)?,
    }
    Ok(())
}
