//! Sound as two telephones send it: G.711 in RTP, a packet every 20 ms, compared byte for byte where it arrives.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// One end of a conversation: its socket, and where it sends.
pub struct Mouth {
    pub socket: UdpSocket,
    source: u32,
}

impl Mouth {
    pub fn new(source: u32) -> Mouth {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Mouth { socket, source }
    }

    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    fn packet(&self, number: u16) -> Vec<u8> {
        let mut packet = vec![0x80, 0];
        packet.extend(number.to_be_bytes());
        packet.extend((u32::from(number) * 160).to_be_bytes());
        packet.extend(self.source.to_be_bytes());
        packet.extend((0..160_u16).map(|at| (at.wrapping_mul(7) ^ number.wrapping_mul(13)) as u8));
        packet
    }

    fn heard(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut buffer = [0; 2048];
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            all.push(buffer[..length].to_vec());
        }
        all
    }
}

/// What arrived at either end.
pub struct Heard {
    pub at_a: Vec<Vec<u8>>,
    pub at_b: Vec<Vec<u8>>,
}

/// Both ends send `count` packets to the exchange at once; what either hears is returned.
pub fn converse(a: &Mouth, a_sends_to: SocketAddr, b: &Mouth, b_sends_to: SocketAddr, count: u16) -> Heard {
    let mut heard = Heard { at_a: Vec::new(), at_b: Vec::new() };
    let begin = Instant::now();
    for number in 0..count {
        a.socket.send_to(&a.packet(number), a_sends_to).unwrap();
        b.socket.send_to(&b.packet(number), b_sends_to).unwrap();
        let next = begin + Duration::from_millis(20) * (u32::from(number) + 1);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        heard.at_a.extend(a.heard());
        heard.at_b.extend(b.heard());
    }
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end && (heard.at_a.len() < usize::from(count) || heard.at_b.len() < usize::from(count)) {
        std::thread::sleep(Duration::from_millis(5));
        heard.at_a.extend(a.heard());
        heard.at_b.extend(b.heard());
    }
    heard
}

/// Both ends send these datagrams to the exchange, one after the other; what either gets is returned.
pub fn exchange(a: &Mouth, a_sends_to: SocketAddr, b: &Mouth, b_sends_to: SocketAddr, all: &[Vec<u8>]) -> Heard {
    let mut heard = Heard { at_a: Vec::new(), at_b: Vec::new() };
    for datagram in all {
        a.socket.send_to(datagram, a_sends_to).unwrap();
        b.socket.send_to(datagram, b_sends_to).unwrap();
        std::thread::sleep(Duration::from_millis(5));
        heard.at_a.extend(a.heard());
        heard.at_b.extend(b.heard());
    }
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end && (heard.at_a.len() < all.len() || heard.at_b.len() < all.len()) {
        std::thread::sleep(Duration::from_millis(5));
        heard.at_a.extend(a.heard());
        heard.at_b.extend(b.heard());
    }
    heard
}

/// Every packet of `from` arrived once, in order and untouched.
pub fn assert_untouched(heard: &[Vec<u8>], from: &Mouth, count: u16) {
    let sent: Vec<Vec<u8>> = (0..count).map(|number| from.packet(number)).collect();
    assert_eq!(heard.len(), sent.len(), "packets heard");
    assert!(heard == sent, "what was heard is not what was said");
}
