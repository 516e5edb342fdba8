//! What else an exchange may have to do: the configuration read again every second, a thousand registrations and fifty calls a
//! second.

use super::exchange::Exchange;
use super::signalling::Office;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const REGISTRATIONS: u64 = 1_000;
const CALLS: u64 = 50;

/// Lines that register.
const LINES: u64 = 100;

#[derive(Default)]
pub struct Storm {
    blows: AtomicBool,
    over: AtomicBool,
    pub reloads: AtomicU64,
    pub registered: AtomicU64,
    pub calls: AtomicU64,
}

/// The accounts of the lines that register.
pub fn accounts() -> String {
    (0..LINES).map(|line| format!("[r{line}]\ntype=friend\nhost=dynamic\nqualify=no\n")).collect()
}

impl Storm {
    pub fn blow(&self, blows: bool) {
        self.blows.store(blows, Ordering::Relaxed);
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Calls `turn` so often a second, while it storms, until the end.
    fn regularly(&self, often: u64, mut turn: impl FnMut(u64)) {
        let every = Duration::from_secs(1) / u32::try_from(often).unwrap();
        let (mut next, mut number) = (Instant::now(), 0);
        while !self.over.load(Ordering::Relaxed) {
            std::thread::sleep(next.saturating_duration_since(Instant::now()).max(Duration::from_micros(100)));
            // What was missed is not made up for.
            next = (next + every).max(Instant::now());
            if self.blows.load(Ordering::Relaxed) {
                turn(number);
                number += 1;
            }
        }
    }

    pub fn reload(&self, exchange: &Exchange) {
        self.regularly(1, |_| {
            exchange.told("core reload");
            self.reloads.fetch_add(1, Ordering::Relaxed);
        });
    }

    pub fn register(&self, exchange: SocketAddr) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let at = socket.local_addr().unwrap();
        let mut answer = [0; 4_096];
        self.regularly(REGISTRATIONS, |number| {
            let line = number % LINES;
            let message = format!(
                "REGISTER sip:{exchange} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKr{number}\r\nFrom: <sip:r{line}@{exchange}>;tag=1\r\n\
                 To: <sip:r{line}@{exchange}>\r\nCall-ID: r{line}-{at}\r\nCSeq: {} REGISTER\r\nMax-Forwards: 70\r\n\
                 Contact: <sip:r{line}@{at}>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
                number + 1
            );
            let _ = socket.send_to(message.as_bytes(), exchange);
            while let Ok((length, _)) = socket.recv_from(&mut answer) {
                let is_bound = answer[..length].starts_with(b"SIP/2.0 200");
                self.registered.fetch_add(u64::from(is_bound), Ordering::Relaxed);
            }
        });
    }

    pub fn call(&self, mut office: Office, number: &str) {
        let nowhere = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        self.regularly(CALLS, |_| {
            let dialog = office.call(number, nowhere, nowhere);
            office.hang_up(&dialog);
            self.calls.fetch_add(1, Ordering::Relaxed);
        });
    }
}
