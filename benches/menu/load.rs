//! The sound of all calls: one thread sends, evenly; one receives what was relayed and says how long it took; one takes
//! what the menus say.

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PACKET: Duration = Duration::from_millis(20);
const SAMPLES: usize = 160;
/// RTP's header.
const HEAD: usize = 12;
/// How long a key is held, and how often its end is sent, in packets.
const HELD: u64 = 5;
const ENDS: u64 = 3;
/// A caller in the menu presses a key so often, in packets.
const EVERY: u64 = 100;
/// What they press, one after the other: all lead somewhere.
const KEYS: [u8; 4] = [1, 5, 2, 7];

/// What a sender of sound is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is relayed to another.
    Relayed,
    /// It goes to its receiver without the exchange: what the load itself takes.
    Direct,
    /// It talks to a menu.
    Menu,
}

/// One end of a call.
pub struct Voice {
    socket: UdpSocket,
    kind: Kind,
    /// Where it sends; nowhere without a call.
    to: Mutex<Option<SocketAddr>>,
}

impl Voice {
    pub fn new(kind: Kind) -> Voice {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Voice { socket, kind, to: Mutex::new(None) }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub fn sends_to(&self, to: Option<SocketAddr>) {
        *self.to.lock().unwrap() = to;
    }

    /// Sends the packet of this turn.
    fn send(&self, turn: u64, number: u64, load: &Load) {
        let Some(to) = *self.to.lock().unwrap() else { return };
        let mut packet = [0xff; HEAD + SAMPLES];
        packet[0] = 0x80;
        packet[1] = 0;
        packet[2..4].copy_from_slice(&(turn as u16).to_be_bytes());
        let mut time = (turn as u32).wrapping_mul(SAMPLES as u32);
        packet[8..HEAD].copy_from_slice(&(0x6d65_0000 + number as u32).to_be_bytes());
        let mut length = packet.len();
        let of_key = (turn + number * 7) % EVERY;
        if self.kind == Kind::Menu && of_key < HELD + ENDS {
            // All packets of an event have the time of its first one (RFC 4733 2.5.1.2).
            time = time.wrapping_sub(of_key as u32 * SAMPLES as u32);
            let key = KEYS[((turn + number * 7) / EVERY) as usize % KEYS.len()];
            let lasted = ((of_key + 1).min(HELD) * SAMPLES as u64) as u16;
            packet[1] = if of_key == 0 { 0x80 | 101 } else { 101 };
            packet[HEAD] = key;
            packet[HEAD + 1] = if of_key < HELD { 10 } else { 0x80 | 10 };
            packet[HEAD + 2..HEAD + 4].copy_from_slice(&lasted.to_be_bytes());
            length = HEAD + 4;
            load.pressed.fetch_add(u64::from(of_key == 0), Ordering::Relaxed);
        }
        packet[4..8].copy_from_slice(&time.to_be_bytes());
        if self.kind != Kind::Menu {
            packet[HEAD..HEAD + 8].copy_from_slice(&load.now().to_be_bytes());
        }
        if self.socket.send_to(&packet[..length], to).is_ok() && self.kind == Kind::Relayed {
            load.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Ends the load with itself.
pub struct End<'l>(&'l Load);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

/// How long packets took, in nanoseconds.
#[derive(Default)]
pub struct Delays {
    pub relayed: Vec<u32>,
    pub direct: Vec<u32>,
}

/// What the threads share.
pub struct Load {
    began: Instant,
    pub voices: Vec<Voice>,
    /// One after the other; packets of the first are thrown away.
    phases: Vec<Mutex<Delays>>,
    phase: AtomicUsize,
    over: AtomicBool,
    /// Relayed packets, on either side of the exchange.
    pub sent: AtomicU64,
    pub received: AtomicU64,
    /// Keys pressed, and packets that menus sent.
    pub pressed: AtomicU64,
    pub from_menus: AtomicU64,
}

impl Load {
    pub fn new(voices: Vec<Voice>, phases: usize) -> Load {
        let (pressed, from_menus) = (AtomicU64::new(0), AtomicU64::new(0));
        let phases = (0..=phases).map(|_| Mutex::default()).collect();
        Load {
            began: Instant::now(),
            voices,
            phases,
            phase: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            pressed,
            from_menus,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap()
    }

    /// Measures for so long.
    pub fn measure(&self, phase: usize, time: Duration) -> Delays {
        self.phase.store(phase, Ordering::Relaxed);
        std::thread::sleep(time);
        self.phase.store(0, Ordering::Relaxed);
        std::mem::take(&mut *self.phases[phase].lock().unwrap())
    }

    /// All is over when what this returns is dropped.
    pub fn ends(&self) -> End<'_> {
        End(self)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Sends until all is over; the voices are spread evenly over the 20 ms of a packet, those of a kind, too.
    pub fn speak(&self) {
        let count = self.voices.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|voice| voice * 7_919 % count);
        for turn in 0.. {
            for (place, voice) in order.iter().enumerate() {
                let offset = PACKET.mul_f64(place as f64 / count as f64);
                let due = self.began + PACKET * turn + offset;
                let left = due.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    std::thread::sleep(left);
                }
                self.voices[*voice].send(u64::from(turn), *voice as u64, self);
            }
            if self.is_over() {
                return;
            }
        }
    }

    /// Receives for voices of these kinds until all is over.
    pub fn listen(&self, kinds: &[Kind]) {
        let waiting: OwnedFd = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        for (number, voice) in self.voices.iter().enumerate().filter(|(_, voice)| kinds.contains(&voice.kind)) {
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&waiting, &voice.socket, data, epoll::EventFlags::IN).unwrap();
        }
        let mut ready = Vec::with_capacity(256);
        let patience = Timespec::try_from(Duration::from_millis(100)).unwrap();
        while !self.is_over() {
            ready.clear();
            // A signal, at most.
            let _ = epoll::wait(&waiting, spare_capacity(&mut ready), Some(&patience));
            for event in &ready {
                self.take(&self.voices[usize::try_from(event.data.u64()).unwrap()]);
            }
        }
    }

    fn take(&self, voice: &Voice) {
        let mut packet = [0; 2_048];
        let Ok(length) = voice.socket.recv(&mut packet) else { return };
        // The exchange's own reports (RTCP) to the port above a menu caller's, which is another voice's here.
        if (200..=207).contains(&packet[1]) {
            return;
        }
        if voice.kind == Kind::Menu {
            self.from_menus.fetch_add(1, Ordering::Relaxed);
            return;
        }
        assert_eq!(length, HEAD + SAMPLES, "what was relayed is not what was sent");
        let sent = u64::from_be_bytes(packet[HEAD..HEAD + 8].try_into().unwrap());
        let took = u32::try_from(self.now().saturating_sub(sent)).unwrap_or(u32::MAX);
        if voice.kind == Kind::Relayed {
            self.received.fetch_add(1, Ordering::Relaxed);
        }
        match self.phase.load(Ordering::Relaxed) {
            0 => {}
            phase => {
                let mut delays = self.phases[phase].lock().unwrap();
                let kind = if voice.kind == Kind::Relayed { &mut delays.relayed } else { &mut delays.direct };
                kind.push(took);
            }
        }
    }
}
