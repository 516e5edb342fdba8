//! SIP over UDP: a thread receives, parses, and lets pass what may enter the switch; everything else is answered or
//! dropped here, counted, and leaves nothing behind.

use super::bell::Bell;
use super::limit::Limiter;
use super::route::Routes;
use crate::chance::Chance;
use crate::clock::Wall;
use crate::guard::admission::{Admission, Verdict};
use crate::guard::event::Note;
use crate::pbx::effect::Event;
use crate::sip::Flow;
use crate::sip::message::{Message, Request};
use crate::sip::validate;
use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recvfrom};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The largest datagram IPv4 can carry.
const LARGEST: usize = 65_535;
/// Bytes the kernel may hold for us in a registration storm.
const BUFFER: usize = 4 << 20;

/// Binds the SIP socket, with room for a storm.
pub fn bind(address: SocketAddr, tos: u8) -> std::io::Result<UdpSocket> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
    // A smaller buffer than asked for still works.
    let _ = socket.set_recv_buffer_size(BUFFER);
    if tos != 0 && address.is_ipv4() {
        let _ = socket.set_tos_v4(u32::from(tos));
    }
    socket.bind(&address.into())?;
    Ok(UdpSocket::from(socket))
}

/// What happened to datagrams that never reached the switch, by reason.
#[derive(Default)]
pub struct Counters(Mutex<BTreeMap<&'static str, u64>>);

impl Counters {
    /// Counts one.
    pub fn add(&self, reason: &'static str) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = table.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// All of them.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.iter().map(|(reason, count)| (*reason, *count)).collect()
    }
}

/// Where a receiver's findings go.
pub trait Outlet: Send {
    /// An event for the switch; false when its queue is full.
    fn pass(&self, event: Event) -> bool;
    /// A refusal or challenge for the log, and where it came from.
    fn note(&self, note: &Note, source: IpAddr);
    /// A datagram as it came or went, when somebody watches.
    fn watch(&self, received: bool, remote: SocketAddr, bytes: &[u8]);
    /// The wall clock.
    fn wall(&self) -> Wall;
}

/// The table at the edge: read for every request, changed by a reload.
pub struct Gate(RwLock<Arc<Admission>>);

impl Gate {
    /// With this table.
    pub fn new(admission: Arc<Admission>) -> Gate {
        Gate(RwLock::new(admission))
    }

    /// The table in force.
    pub fn admission(&self) -> Arc<Admission> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another table in force, from the next request on.
    pub fn renew(&self, admission: Arc<Admission>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = admission;
    }
}

/// A receiver of one socket.
pub struct Receiver<O: Outlet> {
    /// The socket.
    pub socket: UdpSocket,
    /// Who may.
    pub gate: Arc<Gate>,
    /// How much strangers may ask.
    pub limiter: Arc<Limiter>,
    /// What never reached the switch.
    pub counters: Arc<Counters>,
    /// Our address towards each source.
    pub routes: Routes,
    /// For nonces.
    pub chance: Chance,
    /// Rung when it is time to end.
    pub over: Bell,
    /// Where findings go.
    pub outlet: O,
}

impl<O: Outlet> Receiver<O> {
    /// Receives until told to end. It returns before that only when there is no socket any more.
    pub fn run(mut self) {
        let mut buffer = BytesMut::zeroed(LARGEST);
        let mut tidied = Instant::now();
        loop {
            // What waits is taken without asking first: under load that is one system call a datagram.
            match recvfrom(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((length, _, source)) => {
                    let datagram = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                    if let Some(source) = source.and_then(|source| SocketAddr::try_from(source).ok()) {
                        self.datagram(&datagram, unmapped(source));
                    }
                }
                Err(Errno::AGAIN) => match self.over.wait(&self.socket) {
                    Ok(true) => {}
                    Ok(false) | Err(_) => return,
                },
                Err(Errno::INTR) => {}
                Err(Errno::BADF | Errno::NOTSOCK) => return,
                // ICMP errors of earlier sends surface here; they say nothing about the socket.
                Err(_) => self.counters.add("receive error"),
            }
            if tidied.elapsed() > Duration::from_secs(10) {
                tidied = Instant::now();
                self.limiter.tidy(tidied);
            }
        }
    }

    fn datagram(&mut self, datagram: &Bytes, source: SocketAddr) {
        let now = Instant::now();
        if !self.limiter.allows(source.ip(), now) {
            return self.counters.add("too many unproven requests from one address");
        }
        let message = match Message::parse(datagram) {
            Ok(message) => message,
            Err(reason) => {
                if !matches!(reason, crate::sip::Unframed::KeepAlive) {
                    self.limiter.charge(source.ip(), now);
                }
                return self.counters.add(reason.name());
            }
        };
        self.outlet.watch(true, source, datagram);
        match message {
            Message::Request(request) => {
                let flow = self.flow(source);
                self.request(request, flow, now);
            }
            Message::Response(response) => match validate::response(&response) {
                Ok(essentials) => {
                    let flow = self.flow(source);
                    self.pass(Event::Response { response, essentials, flow });
                }
                Err(_) => self.counters.add("malformed response"),
            },
        }
    }

    fn flow(&mut self, source: SocketAddr) -> Flow {
        Flow::udp(self.routes.towards(source.ip()), source)
    }

    fn request(&mut self, request: Request, flow: Flow, now: Instant) {
        let wall = self.outlet.wall();
        let essentials = match validate::request(&request) {
            Ok(essentials) => essentials,
            Err(refusal) => {
                self.counters.add("malformed request");
                let verdict = self.gate.admission().reject(&request, &refusal, flow);
                return self.turn_away(verdict, flow, now);
            }
        };
        match self.gate.admission().admit(&request, &essentials, flow, wall, self.chance.bits()) {
            Verdict::Pass { caller } => self.pass(Event::Request { request, essentials, caller, flow }),
            verdict => self.turn_away(verdict, flow, now),
        }
    }

    /// Answers, or does not, without letting anything in.
    fn turn_away(&self, verdict: Verdict, came: Flow, now: Instant) {
        self.limiter.charge(came.remote.ip(), now);
        match verdict {
            Verdict::Pass { .. } => {}
            Verdict::Reply { response, to, note } => {
                self.counters.add(reply_reason(response.status));
                self.send(&response.to_bytes(), to);
                // After the answer: how long it takes to tell the owner of it is nobody's business.
                if let Some(note) = &note {
                    self.outlet.note(note, came.remote.ip());
                }
            }
            Verdict::Drop(reason) => self.counters.add(reason),
        }
    }

    fn pass(&self, event: Event) {
        if !self.outlet.pass(event) {
            self.counters.add("the switch's queue is full");
        }
    }

    fn send(&self, bytes: &[u8], to: SocketAddr) {
        self.outlet.watch(false, to, bytes);
        if self.socket.send_to(bytes, to).is_err() {
            self.counters.add("system refused to send");
        }
    }
}

fn reply_reason(status: u16) -> &'static str {
    match status {
        200..=299 => "answered without state: 200",
        401 => "challenged: 401",
        403 => "refused: 403",
        405 | 501 => "refused: method not supported",
        420 => "refused: extension required that is not supported",
        _ => "refused otherwise without state",
    }
}

/// An IPv4 peer of an IPv6 socket is an IPv4 peer.
fn unmapped(source: SocketAddr) -> SocketAddr {
    SocketAddr::new(source.ip().to_canonical(), source.port())
}
