//! SIP over UDP: the sockets, a thread that receives from all of them, and the way out again from the address that was
//! asked (RFC 3261 18.2.1 answers to where a request came from; a phone believes only answers from where it sent to).

use super::ingress::{Arrived, Audience, Ingress, Received};
use super::stun_desk::StunDesk;
use super::wakeup::Wakeup;
use crate::sip::Flow;
use bytes::{Bytes, BytesMut};
use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest datagram IPv4 can carry.
const LARGEST: usize = 65_535;
/// Bytes the kernel may hold for us in a registration storm.
const BUFFER: usize = 4 << 20;
/// Counted when an answer to somebody who proved nothing finds no room: its sender asks again.
pub const NOT_SENT_TO_STRANGER: &str = "no room to answer those who prove nothing";
/// Datagrams taken from one socket before the others get their turn.
const TURN: usize = 64;
/// How often sources that owe nothing any more are forgotten.
const TIDY: Duration = Duration::from_secs(10);

/// The sockets SIP over UDP uses: one, or one for each family when every address of both is listened on.
pub struct Datagrams {
    sockets: Vec<Socket>,
}

struct Socket {
    socket: UdpSocket,
    /// What sends to those who proved nothing: an answer that waits for an address on the link that nobody has fills
    /// the buffer of the socket that sent it, and must not keep back what goes to others.
    to_known: Option<UdpSocket>,
    to_strangers: Option<UdpSocket>,
    bound: SocketAddr,
    /// Bound to every address of its family.
    is_wild: bool,
}

impl Datagrams {
    /// Binds the sockets, with room for a storm. `::` listens on every address of both families, as in chan_sip, with a
    /// socket for each: an IPv4 phone is then seen at its IPv4 address.
    ///
    /// # Errors
    /// The address cannot be bound. A machine without IPv6 listens for IPv4 alone when `::` was asked for.
    pub fn bind(address: SocketAddr, tos: u8) -> io::Result<Datagrams> {
        let mut sockets = Vec::new();
        match address.ip() {
            IpAddr::V6(ip) if ip.is_unspecified() => {
                let both = match Socket::bind(address, tos) {
                    Ok(socket) => Some(socket),
                    Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
                    Err(error) => return Err(error),
                };
                let port = both.as_ref().map_or(address.port(), |socket| socket.bound.port());
                sockets.extend(both);
                sockets.push(Socket::bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port), tos)?);
            }
            IpAddr::V4(_) | IpAddr::V6(_) => sockets.push(Socket::bind(address, tos)?),
        }
        Ok(Datagrams { sockets })
    }

    /// Where it listens, the one that was asked for first.
    pub fn bound(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|socket| socket.bound).collect()
    }

    /// Sends a datagram from the address that the flow names, if it is one of ours.
    ///
    /// # Errors
    /// The system refuses it at once.
    pub fn send(&self, flow: Flow, bytes: &[u8]) -> io::Result<()> {
        let socket = self.towards(flow)?;
        socket.send_by(&socket.socket, flow, bytes)
    }

    /// The same for an answer to somebody who proved nothing. It takes no room from anything else.
    ///
    /// # Errors
    /// The system refuses it at once, or has no room for more of these.
    pub fn send_to_stranger(&self, flow: Flow, bytes: &[u8]) -> io::Result<()> {
        self.towards(flow)?.answer(Audience::Stranger, flow, bytes)
    }

    fn towards(&self, flow: Flow) -> io::Result<&Socket> {
        let family = self.sockets.iter().find(|socket| socket.bound.is_ipv4() == flow.remote.is_ipv4());
        family.ok_or_else(|| {
            let family = if flow.remote.is_ipv4() { "IPv4" } else { "IPv6" };
            io::Error::new(io::ErrorKind::Unsupported, format!("udpbindaddr= in sip.conf leaves {family} out"))
        })
    }
}

impl Socket {
    fn bind(address: SocketAddr, tos: u8) -> io::Result<Socket> {
        let socket = open(address, tos)?;
        // Without leave to share: a port that another program has is an error.
        socket.bind(&address.into())?;
        let socket = UdpSocket::from(socket);
        let is_wild = address.ip().is_unspecified();
        if is_wild && address.is_ipv4() {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        } else if is_wild {
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        }
        let bound = socket.local_addr()?;
        // A system that does not let these be has one socket for all.
        let [to_known, to_strangers] = beside(&socket, bound, tos).map_or([None, None], |both| both.map(Some));
        Ok(Socket { socket, to_known, to_strangers, bound, is_wild })
    }

    /// The next datagram: its length, where it came from, and which address of ours it was sent to.
    fn receive(&self, buffer: &mut [u8], control: &mut [u8]) -> io::Result<(usize, SocketAddr, SocketAddr)> {
        if !self.is_wild {
            let (length, source) = self.socket.recv_from(buffer)?;
            return Ok((length, source, self.bound));
        }
        let mut into = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut into, Some(control), flags)?;
        let source = message.address.as_ref().and_then(address_of);
        let source = source.ok_or_else(|| io::Error::other("a datagram from nowhere"))?;
        let mut local = self.bound;
        for found in message.cmsgs()? {
            match found {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    local.set_ip(Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr)).into());
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    local.set_ip(Ipv6Addr::from(info.ipi6_addr.s6_addr).into())
                }
                _ => {}
            }
        }
        Ok((message.bytes, source, local))
    }

    /// Answers somebody who proved nothing.
    fn answer(&self, audience: Audience, flow: Flow, bytes: &[u8]) -> io::Result<()> {
        let own = match audience {
            Audience::Known => &self.to_known,
            Audience::Stranger => &self.to_strangers,
        };
        // The sockets beside are connected, so that bound to every address they need to be told which to send from.
        match own {
            Some(own) if !self.is_wild || self.can_send_from(flow.local.ip()) => self.send_by(own, flow, bytes),
            Some(_) | None => self.send_by(&self.socket, flow, bytes),
        }
    }

    fn can_send_from(&self, ip: IpAddr) -> bool {
        !ip.is_unspecified() && ip.is_ipv4() == self.bound.is_ipv4()
    }

    fn send_by(&self, socket: &UdpSocket, flow: Flow, bytes: &[u8]) -> io::Result<()> {
        let from = flow.local.ip();
        if !self.is_wild || !self.can_send_from(from) {
            return socket.send_to(bytes, flow.remote).map(drop);
        }
        match send_from(socket, from, flow.remote, bytes) {
            // The address is gone from the machine since: the system knows a better one.
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENETUNREACH | libc::EADDRNOTAVAIL)) =>
            {
                self.socket.send_to(bytes, flow.remote).map(drop)
            }
            sent => sent,
        }
    }
}

/// A socket for SIP, not yet bound.
fn open(address: SocketAddr, tos: u8) -> io::Result<socket2::Socket> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
    // Smaller buffers than asked for still work.
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if tos != 0 {
        let _ =
            if address.is_ipv4() { socket.set_tos_v4(u32::from(tos)) } else { socket.set_tclass_v6(u32::from(tos)) };
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Two more sockets at the same address and port, each with a send buffer of its own. They only send: they are connected
/// to the exchange itself, so that the system gives them nothing that anybody else sends. No other program can share
/// the port: leave to is given only in between.
fn beside(socket: &UdpSocket, bound: SocketAddr, tos: u8) -> io::Result<[UdpSocket; 2]> {
    let others = [open(bound, tos)?, open(bound, tos)?];
    let first = socket2::SockRef::from(socket);
    first.set_reuse_address(true)?;
    let made = others.iter().try_for_each(|other| place_beside(other, bound));
    first.set_reuse_address(false)?;
    made?;
    for other in &others {
        other.set_reuse_address(false)?;
    }
    Ok(others.map(UdpSocket::from))
}

fn place_beside(other: &socket2::Socket, bound: SocketAddr) -> io::Result<()> {
    let _ = other.set_recv_buffer_size(0);
    other.set_reuse_address(true)?;
    other.bind(&bound.into())?;
    let ourselves = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    other.connect(&SocketAddr::new(ourselves, bound.port()).into())
}

fn send_from(socket: &UdpSocket, from: IpAddr, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    let bytes = [IoSlice::new(bytes)];
    let to = SockaddrStorage::from(to);
    let fd = socket.as_raw_fd();
    match from {
        IpAddr::V4(from) => {
            let nothing = libc::in_addr { s_addr: 0 };
            let from = libc::in_addr { s_addr: u32::from(from).to_be() };
            let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: from, ipi_addr: nothing };
            sendmsg(fd, &bytes, &[ControlMessage::Ipv4PacketInfo(&info)], MsgFlags::empty(), Some(&to))?;
        }
        IpAddr::V6(from) => {
            let from = libc::in6_addr { s6_addr: from.octets() };
            let info = libc::in6_pktinfo { ipi6_addr: from, ipi6_ifindex: 0 };
            sendmsg(fd, &bytes, &[ControlMessage::Ipv6PacketInfo(&info)], MsgFlags::empty(), Some(&to))?;
        }
    }
    Ok(())
}

fn address_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::new(v4.ip().into(), v4.port()));
    }
    let v6 = address.as_sockaddr_in6()?;
    Some(SocketAddrV6::new(v6.ip(), v6.port(), v6.flowinfo(), v6.scope_id()).into())
}

/// Receives from all sockets.
pub struct Receiver {
    /// The sockets.
    pub datagrams: Arc<Datagrams>,
    /// Checks every message.
    pub ingress: Ingress,
    /// Takes what is STUN.
    pub stun: Arc<StunDesk>,
    /// Signalled when it is time to end.
    pub over: Wakeup,
}

impl Receiver {
    /// Receives until signalled to end. It returns before that only when a socket is broken.
    pub fn run(mut self) {
        let mut buffer = BytesMut::zeroed(LARGEST);
        let mut control = cmsg_space!(libc::in6_pktinfo);
        let mut tidied = Instant::now();
        let datagrams = self.datagrams.clone();
        loop {
            let mut more = false;
            for socket in &datagrams.sockets {
                match self.take(socket, &mut buffer, &mut control) {
                    Some(maybe) => more |= maybe,
                    None => return,
                }
            }
            if tidied.elapsed() > TIDY {
                tidied = Instant::now();
                self.ingress.hearing.tidy(tidied);
            }
            // What waits is taken without asking first: under load that is one system call a datagram.
            let sockets = datagrams.sockets.iter().map(|socket| &socket.socket);
            if self.over.is_signalled() || (!more && !self.over.wait(sockets).unwrap_or(false)) {
                return;
            }
        }
    }

    /// A turn of one socket; true: there may be more to receive. `None`: the socket is broken.
    fn take(&mut self, socket: &Socket, buffer: &mut [u8], control: &mut [u8]) -> Option<bool> {
        for _ in 0..TURN {
            match socket.receive(buffer, control) {
                Ok((length, source, local)) => {
                    let datagram = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                    self.datagram(socket, &datagram, Flow::udp(local, source));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.raw_os_error(), Some(libc::EBADF | libc::ENOTSOCK)) => return None,
                // ICMP errors of earlier sends surface here; they do not concern the socket.
                Err(_) => self.ingress.counters.add("receive error"),
            }
        }
        Some(true)
    }

    fn datagram(&mut self, socket: &Socket, datagram: &Bytes, flow: Flow) {
        if self.stun.take(datagram, flow.remote) {
            return self.ingress.counters.add("STUN");
        }
        let flow = self.ingress.seen(flow);
        match self.ingress.receive(datagram, Arrived { flow, at: Instant::now(), is_proven: false }) {
            Received::Passed | Received::KeepAlive | Received::Unreadable | Received::Dropped | Received::OverLimit => {
            }
            // Its sender retransmits it.
            Received::Full(..) => self.ingress.counters.add("the switch's queue is full"),
            Received::Respond { to, bytes, audience, report } => {
                if socket.answer(audience, flow.with_remote(to), &bytes).is_err() {
                    self.ingress.counters.add(NOT_SENT_TO_STRANGER);
                }
                self.ingress.report(report, flow);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ingress::without_sink;
    use crate::net::stun_desk::stun_desk;
    use std::net::SocketAddr;

    fn take(datagrams: &Datagrams) -> (usize, SocketAddr, SocketAddr) {
        let (mut buffer, mut control) = (vec![0; 100], cmsg_space!(libc::in6_pktinfo));
        for _ in 0..200 {
            for socket in &datagrams.sockets {
                if let Ok(found) = socket.receive(&mut buffer, &mut control) {
                    return found;
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("nothing came");
    }

    /// Bound to every address, whoever is asked at one of them answers from that one.
    #[test]
    fn the_address_that_was_asked_is_known_and_answers() {
        let datagrams = Datagrams::bind("[::]:0".parse().unwrap(), 0).unwrap();
        let port = datagrams.bound()[0].port();
        let ours = ["127.0.0.2", "127.0.0.3", "::1"].map(|ip| SocketAddr::new(ip.parse().unwrap(), port));
        for ours in ours.into_iter().filter(|ours| ours.is_ipv4() || datagrams.sockets.len() == 2) {
            let any = if ours.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
            let phone = UdpSocket::bind(any).unwrap();
            phone.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            phone.send_to(b"hello", ours).unwrap();
            let (length, source, local) = take(&datagrams);
            assert_eq!((length, source, local), (5, phone.local_addr().unwrap(), ours));
            datagrams.send(Flow::udp(local, source), b"hi").unwrap();
            let mut buffer = [0; 10];
            assert_eq!(phone.recv_from(&mut buffer).unwrap(), (2, ours));
        }
    }

    /// Whoever proved nothing is answered from the same port by a socket of its own, which takes nothing of what comes,
    /// and nobody else can have the port because of it.
    #[test]
    fn strangers_are_answered_from_the_same_port_and_nothing_is_taken_from_the_receiver() {
        for at in ["0.0.0.0:0", "127.0.0.1:0", "[::]:0", "[::1]:0"] {
            let Ok(datagrams) = Datagrams::bind(at.parse().unwrap(), 0) else { continue };
            let socket = &datagrams.sockets[0];
            assert!(socket.to_known.is_some() && socket.to_strangers.is_some(), "{at}");
            let own = if socket.bound.is_ipv4() { "127.0.0.1" } else { "::1" };
            let ours = SocketAddr::new(own.parse().unwrap(), socket.bound.port());
            let phones = (0..50).map(|_| UdpSocket::bind((own, 0)).unwrap());
            for phone in phones {
                phone.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
                phone.send_to(b"hello", ours).unwrap();
                let (_, source, local) = take(&datagrams);
                assert_eq!((source, local), (phone.local_addr().unwrap(), ours), "{at}");
                for audience in [Audience::Known, Audience::Stranger] {
                    socket.answer(audience, Flow::udp(local, source), b"hi").unwrap();
                    assert_eq!(phone.recv_from(&mut [0; 10]).unwrap(), (2, ours), "{at}");
                }
            }
            let thief = open(socket.bound, 0).unwrap();
            thief.set_reuse_address(true).unwrap();
            assert!(thief.bind(&socket.bound.into()).is_err(), "{at}: somebody else has the port");
        }
    }

    #[test]
    fn an_address_that_is_gone_is_no_reason_not_to_send() {
        let datagrams = Datagrams::bind("0.0.0.0:0".parse().unwrap(), 0).unwrap();
        let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
        phone.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let flow = Flow::udp("192.0.2.77:5060".parse().unwrap(), phone.local_addr().unwrap());
        datagrams.send(flow, b"hi").unwrap();
        assert_eq!(phone.recv_from(&mut [0; 10]).unwrap().0, 2);
        let v6 = Flow::udp("[::1]:5060".parse().unwrap(), "[::1]:5060".parse().unwrap());
        assert!(datagrams.send(v6, b"hi").unwrap_err().to_string().contains("udpbindaddr"));
    }

    /// Under a flood there is always more to receive; the end of the program does not wait for the end of that.
    #[test]
    fn a_signal_ends_the_receiver_though_datagrams_wait() {
        let datagrams = Arc::new(Datagrams::bind("127.0.0.1:0".parse().unwrap(), 0).unwrap());
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..2 * TURN + 1 {
            stranger.send_to(b"\r\n\r\n", datagrams.bound()[0]).unwrap();
        }
        let over = Wakeup::new().unwrap();
        over.signal();
        let (stun, _) = stun_desk();
        Receiver { datagrams: datagrams.clone(), ingress: without_sink(), stun, over }.run();
        assert_eq!(take(&datagrams).0, 4);
    }
}
