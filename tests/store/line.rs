//! Simulated telephones on real sockets, driven by the test's own thread.

use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use strowger::daemon::clock::Clock;
use strowger::rng::Rng;
use strowger::sim::{DeviceProfile, Phone, PhoneConfig, PhoneEvent};

pub struct Line {
    pub phone: Phone,
    pub events: Vec<PhoneEvent>,
    socket: UdpSocket,
    _rtp: UdpSocket,
    clock: Clock,
}

impl Line {
    pub fn new(user: &str, exchange: SocketAddr) -> Line {
        // No two telephones of a test may draw the same Call-IDs.
        static NEXT: AtomicU64 = AtomicU64::new(5000);
        let seed = NEXT.fetch_add(1, Ordering::Relaxed);
        Line::at(user, exchange, IpAddr::V4(Ipv4Addr::LOCALHOST), seed)
    }

    pub fn at(user: &str, exchange: SocketAddr, from: IpAddr, seed: u64) -> Line {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let rtp = UdpSocket::bind((from, 0)).unwrap();
        let config = PhoneConfig {
            user: user.to_owned(),
            secret: super::exchange::SECRET.to_owned(),
            sip: socket.local_addr().unwrap(),
            exchange,
            rtp: rtp.local_addr().unwrap(),
            profile: DeviceProfile::Pap2t,
            expires: 3600,
        };
        let mut phone = Phone::new(config, Rng::from_number(seed));
        phone.behaviour_mut().auto_ring = true;
        phone.behaviour_mut().auto_answer_after = Some(Duration::from_millis(50));
        Line { phone, events: Vec::new(), socket, _rtp: rtp, clock: Clock::start() }
    }

    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    pub fn registers(&mut self) {
        self.phone.register(self.clock.now().mono);
    }

    pub fn dials(&mut self, number: &str) {
        self.phone.dial(self.clock.now().mono, number);
    }

    pub fn hangs_up(&mut self) {
        self.phone.hang_up(self.clock.now().mono);
    }

    /// Receives, sends, and notes what happened.
    pub fn turn(&mut self) {
        let mut buffer = [0; 8192];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            self.phone.receive(self.clock.now().mono, &Bytes::copy_from_slice(&buffer[..length]), from);
        }
        self.phone.tick(self.clock.now().mono);
        for (to, datagram) in self.phone.take_datagrams() {
            // What the system refuses to send is lost as on a network.
            let _ = self.socket.send_to(&datagram, to);
        }
        self.events.extend(self.phone.take_events());
    }

    pub fn is_registered(&self) -> bool {
        self.events.iter().any(|event| matches!(event, PhoneEvent::Registered { .. }))
    }

    pub fn saw(&self, wanted: &PhoneEvent) -> bool {
        self.events.contains(wanted)
    }
}

/// Lets lines live until something holds; says whether it did in time.
pub fn until(lines: &mut [&mut Line], longest: Duration, mut holds: impl FnMut(&[&mut Line]) -> bool) -> bool {
    let end = Instant::now() + longest;
    while Instant::now() < end {
        lines.iter_mut().for_each(|line| line.turn());
        if holds(lines) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}
