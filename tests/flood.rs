//! A flood of forged requests against the real program: a call between registered lines loses no packet of its sound,
//! lines go on registering and calling, and the memory stays what it was. `STROWGER_LONG=1` makes it a minute.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;
#[path = "support/proc.rs"]
#[allow(dead_code)] // asked for by others
mod proc;

use exchange::Exchange;
use phones::Phones;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use strowger::sim::PhoneEvent;

/// Forged requests a second.
const RATE: u64 = 10_000;
/// Source addresses they seem to come from.
const SOURCES: u8 = 200;

const ACCOUNTS: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n\
    [b]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n\
    [c]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n";

/// What a stranger sends: every method that could be owed work, known and unknown names, calls that are not there, and
/// noise.
fn forgery(number: u64, source: SocketAddr) -> String {
    let method = ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE", "BYE", "CANCEL", "ACK"][number as usize % 8];
    let user = ["a", "b", "admin", "1000"][number as usize / 8 % 4];
    if number % 50 == 49 {
        return format!("\0\u{1}noise {number}");
    }
    // One in three speaks of a call; one in three brings a digest that cannot be right.
    let tag = if number.is_multiple_of(3) { ";tag=forged" } else { "" };
    let digest = format!(
        "Authorization: Digest username=\"{user}\", realm=\"asterisk\", nonce=\"{:043}\", uri=\"sip:x\", \
         response=\"0123456789abcdef0123456789abcdef\", qop=auth, nc=00000001, cnonce=\"x\"\r\n",
        number
    );
    let digest = if number % 3 == 1 { digest.as_str() } else { "" };
    format!(
        "{method} sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {source};branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@127.0.0.1>;tag={number}\r\nTo: <sip:{user}@127.0.0.1>{tag}\r\nCall-ID: {number}@flood\r\n\
         CSeq: 1 {method}\r\nContact: <sip:{user}@{source}>\r\n{digest}Content-Length: 0\r\n\r\n"
    )
}

/// Floods the exchange from a thread of its own until told to stop.
struct Flood {
    sent: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<(u64, usize, usize)>,
}

impl Flood {
    fn begin(exchange: SocketAddr) -> Flood {
        let (sent, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (sent.clone(), over.clone());
        let thread = std::thread::spawn(move || flood(exchange, &count, &end));
        Flood { sent, over, thread }
    }

    /// How many answers came to how many bytes sent, and their bytes.
    fn end(self) -> (u64, u64, usize, usize) {
        self.over.store(true, Ordering::Relaxed);
        let (answers, asked, told) = self.thread.join().unwrap();
        (self.sent.load(Ordering::Relaxed), answers, asked, told)
    }
}

fn flood(exchange: SocketAddr, sent: &AtomicU64, over: &AtomicBool) -> (u64, usize, usize) {
    let sockets: Vec<UdpSocket> = (1..=SOURCES)
        .map(|host| UdpSocket::bind(SocketAddr::from(([127, 9, 0, host], 0))).expect("loopback is all of 127/8"))
        .collect();
    let addresses: Vec<SocketAddr> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    sockets.iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
    let (start, mut buffer) = (Instant::now(), [0; 4096]);
    let (mut answers, mut asked, mut told) = (0, 0, 0);
    while !over.load(Ordering::Relaxed) {
        let due = u64::try_from(start.elapsed().as_micros()).unwrap() * RATE / 1_000_000;
        for number in sent.load(Ordering::Relaxed)..due {
            let at = number as usize % sockets.len();
            let text = forgery(number, addresses[at]);
            asked += text.len();
            // A full buffer of our own is no matter.
            let _ = sockets[at].send_to(text.as_bytes(), exchange);
            while let Ok(length) = sockets[at].recv(&mut buffer) {
                answers += 1;
                told += length;
            }
        }
        sent.store(due, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(1));
    }
    (answers, asked, told)
}

#[test]
fn ten_thousand_forged_requests_a_second_touch_no_call() {
    let exchange = Exchange::start("flood", ACCOUNTS, "[default]\nexten => _2X,1,Dial(SIP/b,20)\n");
    let names = ["a", "b", "c"].map(str::to_owned);
    let mut phones = Phones::new(exchange.sip, &names);
    phones.connect(0, "22", 1);
    let pair = [(0, 1)];
    phones.talk(&pair);
    phones.run(Duration::from_secs(1));
    let before = (proc::resident(exchange.process()), proc::cpu(exchange.process()));

    let begun = Instant::now();
    let flood = Flood::begin(exchange.sip);
    let time = if std::env::var_os("STROWGER_LONG").is_some() { 60 } else { 5 };
    for _ in 0..time {
        // A line in mid-call and one without: both go on registering.
        for line in [0, 2] {
            phones.lines[line].events.clear();
            phones.act(line, |phone, now| phone.register(now));
            let registered = |event: &PhoneEvent| matches!(event, PhoneEvent::Registered { .. });
            phones.until("it registers in the flood", |phones| phones.lines[line].events.iter().any(registered));
        }
        phones.run(Duration::from_secs(1));
    }
    let (sent, answers, asked, told) = flood.end();
    let seconds = begun.elapsed().as_secs_f64();
    let after = (proc::resident(exchange.process()), proc::cpu(exchange.process()));

    let packets = phones.fall_silent(&pair);
    phones.hang_up(0);
    phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
    println!(
        "{sent} forged requests in {seconds:.1} s ({:.0} a second) from {SOURCES} addresses: {answers} answers, {:.2} bytes told \
         for one asked, {:.1} us of processor for each; {packets} packets of sound, none lost; memory {:+} kB",
        sent as f64 / seconds,
        told as f64 / asked as f64,
        (after.1 - before.1).as_secs_f64() * 1e6 / sent as f64,
        (after.0 as i64 - before.0 as i64) / 1024,
    );
    assert!(sent as f64 > 0.9 * RATE as f64 * seconds, "the flood itself was too slow: {sent} in {seconds:.1} s");
    assert!(answers > sent / 4, "it was answered, not only dropped: {answers} of {sent}");
    assert!(told <= 2 * asked, "{told} bytes for {asked}");
    // What grows does so only to its bound; 8 MB is far above what a flood of this length needs, far below a table per
    // request.
    assert!(after.0 < before.0 + (8 << 20), "{} kB more", (after.0 - before.0) / 1024);
    let log = exchange.log();
    assert!(!log.contains("SecurityEvent"), "nobody proved an address, so nobody is named to be banned");
    assert!(log.lines().count() < 200, "strangers do not write our log: {} lines", log.lines().count());
}
