//! What a registration costs as their number grows, without sockets: `cargo bench --bench registrations`. As a test
//! (`cargo test --benches`) it takes few steps, and measures nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a measurement is a test

use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strowger::chance::Chance;
use strowger::clock::{Now, Time, Wall};
use strowger::config::Config;
use strowger::dialplan::Dialplan;
use strowger::guard::admission::{Admission, Verdict};
use strowger::pbx::effect::Event;
use strowger::pbx::switch::{Listening, Switch, SwitchSettings};
use strowger::sip::digest::nonce::NonceKey;
use strowger::sip::digest::{self, Ha1};
use strowger::sip::header::{Challenge, HeaderName};
use strowger::sip::message::Message;
use strowger::sip::{Flow, Method, validate};

struct Exchange {
    admission: Arc<Admission>,
    switch: Switch,
    chance: Chance,
    now: Now,
    local: SocketAddr,
}

fn name(line: usize) -> String {
    format!("line{line:06}")
}

fn exchange(lines: usize) -> Exchange {
    let mut sip =
        "[general]\ncontext=default\n[phone](!)\ntype=friend\nhost=dynamic\nsecret=password\nqualify=yes\n".to_owned();
    for line in 0..lines {
        sip.push_str(&format!("[{}](phone)\n", name(line)));
    }
    let config = Config::from_texts(&sip, "", "", "").0.unwrap();
    let admission = Arc::new(Admission::new(&config.sip, NonceKey([7; 32])));
    let now = Now { mono: Time::from_start(Duration::from_secs(1)), wall: Wall(1_790_000_000_000) };
    let local = "192.0.2.1:5060".parse().unwrap();
    let settings = SwitchSettings {
        general: Arc::new(config.sip.general.clone()),
        peers: Arc::new(config.sip.peers.clone()),
        dialplan: Arc::new(Dialplan::new()),
        strictness: config.rtp.strictness,
        admission: admission.clone(),
        listening: Listening::udp(local),
        local_towards: BTreeMap::new(),
        sounds: BTreeMap::new(),
        product: String::new(),
    };
    Exchange {
        admission,
        switch: Switch::new(now, settings, Chance::from_number(1)),
        chance: Chance::from_number(2),
        now,
        local,
    }
}

fn source(line: usize) -> SocketAddr {
    let [_, a, b, c] = u32::try_from(line).unwrap().to_be_bytes();
    SocketAddr::from(([10, a, b, c], 5060))
}

fn register(line: usize, cseq: usize, extra: &str) -> Bytes {
    let (name, at) = (name(line), source(line));
    Bytes::from(format!(
        "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{line}-{cseq}\r\nFrom: <sip:{name}@192.0.2.1>;tag=1\r\n\
         To: <sip:{name}@192.0.2.1>\r\nCall-ID: {line}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:{name}@{at}>\r\nExpires: 3600\r\nUser-Agent: Linksys/PAP2T-3.1.15(LS)\r\n{extra}Content-Length: 0\r\n\r\n"
    ))
}

impl Exchange {
    /// The answer to a datagram: parsed, admitted, and handled as in the exchange.
    fn take(&mut self, line: usize, datagram: &Bytes) -> Bytes {
        let Ok(Message::Request(request)) = Message::parse(datagram) else { panic!("{datagram:?}") };
        let essentials = validate::request(&request).unwrap();
        let random = self.chance.bits();
        match self.admission.admit(&request, &essentials, Flow::udp(self.local, source(line)), self.now.wall, random) {
            Verdict::Reply { response, .. } => response.to_bytes(),
            Verdict::Pass { caller } => {
                let flow = Flow::udp(self.local, source(line));
                let effects = self.switch.handle(self.now, Event::Request { request, essentials, caller, flow });
                effects.transmit.into_iter().find(|sent| sent.bytes.starts_with(b"SIP/2.0")).expect("an answer").bytes
            }
            Verdict::Drop(why) => panic!("{why}"),
        }
    }

    /// Lets time pass, and everything due be done.
    fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some(at) = self.switch.next_deadline().filter(|at| *at <= end) {
            self.now.mono = self.now.mono.max(at);
            self.switch.handle(self.now, Event::Tick);
        }
        self.now.mono = end;
    }

    fn authorized(&mut self, line: usize, cseq: usize) -> Bytes {
        let challenge = self.take(line, &register(line, cseq, ""));
        let Ok(Message::Response(challenge)) = Message::parse(&challenge) else { panic!() };
        let challenge = Challenge::parse(challenge.headers.get(HeaderName::WwwAuthenticate).unwrap()).unwrap();
        let ha1 = Ha1::from_secret(&name(line), &challenge.realm, "password");
        let answer = digest::answer(&challenge, &name(line), &ha1, &Method::Register, "sip:192.0.2.1", "c", 1).unwrap();
        register(line, cseq + 1, &format!("Authorization: {answer}\r\n"))
    }
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Microseconds of a challenge and of the registration that follows, with all lines registered, the mean of so many; bytes a
/// binding.
fn measure(lines: usize, measured: usize) -> (f64, f64, usize) {
    let mut exchange = exchange(lines);
    let before = resident_kib();
    for line in 0..lines {
        let request = exchange.authorized(line, 1);
        assert!(exchange.take(line, &request).starts_with(b"SIP/2.0 200 "));
    }
    // Transactions and nonces are forgotten again; what stays is a binding and its qualify.
    exchange.pass(Duration::from_secs(40));
    let bytes = resident_kib().saturating_sub(before).saturating_mul(1024) / lines;
    let (mut asked, mut served) = (Duration::ZERO, Duration::ZERO);
    // A stride that meets every line in no order.
    for round in 0..measured {
        let (line, cseq) = (round * 7919 % lines, 10 + round * 2);
        let bare = register(line, cseq + 100_000, "");
        let began = Instant::now();
        exchange.take(line, &bare);
        asked += began.elapsed();
        let request = exchange.authorized(line, cseq);
        let began = Instant::now();
        let answer = exchange.take(line, &request);
        served += began.elapsed();
        assert!(answer.starts_with(b"SIP/2.0 200 "), "{answer:?}");
        if round % 10_000 == 9_999 {
            exchange.pass(Duration::from_secs(40));
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / measured as f64;
    (each(asked), each(served), bytes)
}

/// 100,000 bindings cost a registration hardly more than ten: what is looked up is in trees.
fn main() {
    let is_measurement = std::env::args().any(|arg| arg == "--bench");
    let (sizes, measured): (&[usize], usize) =
        if is_measurement { (&[10, 1_000, 100_000], 20_000) } else { (&[10, 100], 100) };
    let mut costs = Vec::new();
    for lines in sizes {
        let (challenge, registration, bytes) = measure(*lines, measured);
        println!(
            "{lines:>7} bindings: challenge {challenge:.1} us, registration {registration:.1} us, together {:.0} a second on one CPU; \
             {bytes} bytes a binding with its qualify",
            1e6 / (challenge + registration)
        );
        costs.push(challenge + registration);
    }
    let (first, last) = (costs[0], costs[costs.len() - 1]);
    assert!(!is_measurement || last < first * 4.0, "{costs:?}");
}
