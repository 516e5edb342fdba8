//! A simulated telephone on a real socket of any kind, driven by the test's own thread.

use bytes::Bytes;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use strowger::daemon::clock::Clock;
use strowger::rng::Rng;
use strowger::sim::{DeviceProfile, Phone, PhoneConfig, PhoneEvent};
use strowger::sip::flow::Transport;
use strowger::sip::frame::{Frame, Framer};

/// How a line speaks; over TLS it believes this certificate only.
pub enum Way {
    Udp,
    Tcp,
    Tls(Vec<u8>),
}

enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

pub struct Line {
    pub phone: Phone,
    pub events: Vec<PhoneEvent>,
    /// All it ever received.
    pub heard: String,
    wire: Wire,
    framer: Framer,
    exchange: SocketAddr,
    _rtp: UdpSocket,
    clock: Clock,
}

impl Line {
    /// A telephone with its way to the exchange open. Panics when there is none: no connection, or a certificate it
    /// does not believe.
    pub fn new(user: &str, exchange: SocketAddr, way: &Way) -> Line {
        // No two telephones of a test may draw the same Call-IDs.
        static NEXT: AtomicU64 = AtomicU64::new(7000);
        let seed = NEXT.fetch_add(1, Ordering::Relaxed);
        let any = SocketAddr::new(if exchange.is_ipv4() { "127.0.0.1" } else { "::1" }.parse().unwrap(), 0);
        let (wire, local, transport) = match way {
            Way::Udp => {
                let socket = UdpSocket::bind(any).unwrap();
                socket.set_nonblocking(true).unwrap();
                let local = socket.local_addr().unwrap();
                (Wire::Udp(socket), local, Transport::Udp)
            }
            Way::Tcp => {
                let stream = TcpStream::connect(exchange).unwrap();
                stream.set_nonblocking(true).unwrap();
                let local = stream.local_addr().unwrap();
                (Wire::Tcp(stream), local, Transport::Tcp)
            }
            Way::Tls(certificate) => {
                let (stream, local) = shake(exchange, certificate);
                (Wire::Tls(Box::new(stream)), local, Transport::Tls)
            }
        };
        let rtp = UdpSocket::bind(any).unwrap();
        let config = PhoneConfig {
            user: user.to_owned(),
            secret: "password".to_owned(),
            sip: local,
            exchange,
            rtp: rtp.local_addr().unwrap(),
            profile: DeviceProfile::Plain,
            expires: 3600,
        };
        let mut phone = Phone::new(config, Rng::from_number(seed));
        phone.use_transport(transport);
        phone.behaviour_mut().auto_ring = true;
        phone.behaviour_mut().auto_answer_after = Some(Duration::from_millis(50));
        let (events, heard, framer, clock) = (Vec::new(), String::new(), Framer::new(), Clock::start());
        Line { phone, events, heard, wire, framer, exchange, _rtp: rtp, clock }
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
        for (message, from) in self.received() {
            self.heard.push_str(&String::from_utf8_lossy(&message));
            self.phone.receive(self.clock.now().mono, &message, from);
        }
        self.phone.tick(self.clock.now().mono);
        for (to, message) in self.phone.take_datagrams() {
            match &mut self.wire {
                // What the system refuses to send is lost as on a network.
                Wire::Udp(socket) => drop(socket.send_to(&message, to)),
                Wire::Tcp(stream) => stream.write_all(&message).unwrap(),
                Wire::Tls(stream) => stream.write_all(&message).unwrap(),
            }
        }
        self.events.extend(self.phone.take_events());
    }

    fn received(&mut self) -> Vec<(Bytes, SocketAddr)> {
        let mut buffer = [0; 8192];
        let mut found = Vec::new();
        loop {
            let read = match &mut self.wire {
                Wire::Udp(socket) => match socket.recv_from(&mut buffer) {
                    Ok((length, from)) => {
                        found.push((Bytes::copy_from_slice(&buffer[..length]), from));
                        continue;
                    }
                    Err(_) => return found,
                },
                Wire::Tcp(stream) => stream.read(&mut buffer),
                Wire::Tls(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(length) if length > 0 => self.framer.push(&buffer[..length]),
                Ok(_) | Err(_) => break,
            }
        }
        while let Some(frame) = self.framer.next_frame() {
            match frame {
                Frame::Message(bytes) => found.push((bytes, self.exchange)),
                Frame::Ping => {}
                Frame::Last(bytes, why) => panic!("{why}: {bytes:?}"),
            }
        }
        found
    }

    pub fn is_registered(&self) -> bool {
        self.events.iter().any(|event| matches!(event, PhoneEvent::Registered { .. }))
    }

    pub fn saw(&self, wanted: &PhoneEvent) -> bool {
        self.events.contains(wanted)
    }
}

fn shake(exchange: SocketAddr, certificate: &[u8]) -> (StreamOwned<ClientConnection, TcpStream>, SocketAddr) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = TcpStream::connect(exchange).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }
    stream.set_nonblocking(true).unwrap();
    let local = stream.local_addr().unwrap();
    (StreamOwned::new(connection, stream), local)
}

/// A certificate for localhost that signs itself.
pub struct Certificate {
    /// With its key, as Asterisk wants it.
    pub pem: String,
    pub der: Vec<u8>,
}

pub fn certificate() -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem());
    Certificate { pem, der: made.cert.der().to_vec() }
}

/// A TCP port nobody has now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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
