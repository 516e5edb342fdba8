//! What a relay costs at least: one thread, one epoll, a connected socket to each side of each call, one receive and one
//! send to a packet. It looks at no header, counts nothing and trusts everybody.

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

pub struct Forwarder {
    /// Two to a call, one after the other.
    sockets: Vec<UdpSocket>,
    over: AtomicBool,
    thread: AtomicU32,
}

impl Forwarder {
    /// One for these, of whom two each talk to each other.
    pub fn new(peers: &[SocketAddr]) -> Forwarder {
        let open = |peer: &SocketAddr| {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket.connect(peer).unwrap();
            // As the exchange has it.
            let whole = rustix::net::sockopt::Ipv4PathMtuDiscovery::DO;
            rustix::net::sockopt::set_ip_mtu_discover(&socket, whole).unwrap();
            socket
        };
        let sockets = peers.iter().map(open).collect();
        Forwarder { sockets, over: AtomicBool::new(false), thread: AtomicU32::new(0) }
    }

    /// Where the one with this number sends.
    pub fn address(&self, number: usize) -> SocketAddr {
        self.sockets[number].local_addr().unwrap()
    }

    /// The thread that forwards, once it does.
    pub fn thread(&self) -> u32 {
        self.thread.load(Ordering::Acquire)
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Forwards until the end; `begun` is called by the thread that does.
    pub fn run(&self, begun: impl FnOnce()) {
        begun();
        let waiting = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        for (number, socket) in self.sockets.iter().enumerate() {
            epoll::add(&waiting, socket, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN).unwrap();
        }
        self.thread.store(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs(), Ordering::Release);
        let mut ready = Vec::with_capacity(256);
        let mut packet = [0u8; 2_048];
        let patience = Timespec::try_from(Duration::from_millis(100)).unwrap();
        while !self.over.load(Ordering::Relaxed) {
            ready.clear();
            // A signal, at most.
            let _ = epoll::wait(&waiting, spare_capacity(&mut ready), Some(&patience));
            for event in &ready {
                let number = usize::try_from(event.data.u64()).unwrap();
                let Ok((_, length)) = recv(&self.sockets[number], &mut packet[..], RecvFlags::empty()) else {
                    continue;
                };
                let _ = send(&self.sockets[number ^ 1], &packet[..length], SendFlags::empty());
            }
        }
    }
}
