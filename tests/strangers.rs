//! Strangers against the real program, each story in a network namespace of its own: who forges the address of a
//! registered line keeps it from nothing, who forges anybody's has us send him next to nothing, and answers that cannot
//! be delivered keep back no others. `STROWGER_LONG=1` makes the flood a minute.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;
#[path = "support/proc.rs"]
#[allow(dead_code)] // asked for by others
mod proc;
#[path = "support/skip.rs"]
mod skip;
#[path = "support/uninterrupted.rs"]
mod uninterrupted;

use exchange::Exchange;
use phones::Phones;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use strowger::sim::PhoneEvent;
use uninterrupted::uninterrupted;

const EXCHANGE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const PHONES: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
const VICTIM: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 66);

/// Set inside of the namespace.
const INSIDE: &str = "STROWGER_TEST_NAMESPACE";

/// Runs a test again, alone in a network namespace of its own with the addresses above on one end of a cable. True:
/// this is there.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        let script = "ip link set lo up && ip link add v0 type veth peer name v1 && ip addr add 192.0.2.1/24 dev v0 && \
            ip addr add 192.0.2.10/24 dev v0 && ip addr add 192.0.2.66/24 dev v0 && \
            ip link set v1 up && ip link set v0 up";
        let made = Command::new("sh").args(["-ec", script]).stdin(Stdio::null()).status().unwrap();
        assert!(made.success(), "the namespace has no network");
        return true;
    }
    let can = Command::new("unshare").args(["--net", "ip", "link", "add", "v0", "type", "veth"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        skip::skip(test, "no network namespace can be made: not root");
        return false;
    }
    let mut command = Command::new("unshare");
    command.arg("--net").arg(std::env::current_exe().unwrap()).args([test, "--exact", "--nocapture"]);
    let output = command.env(INSIDE, "1").stdin(Stdio::null()).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

fn long() -> bool {
    std::env::var_os("STROWGER_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Sends datagrams with whatever source is wanted.
struct Forger(socket2::Socket);

impl Forger {
    fn new() -> Forger {
        // IPPROTO_RAW: with the header of our own.
        Forger(socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::RAW, Some(255.into())).unwrap())
    }

    fn send(&self, from: SocketAddrV4, to: SocketAddrV4, text: &[u8]) {
        let length = u16::try_from(28 + text.len()).unwrap();
        let mut packet = vec![0x45, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        packet.extend(from.ip().octets());
        packet.extend(to.ip().octets());
        packet.extend(from.port().to_be_bytes());
        packet.extend(to.port().to_be_bytes());
        packet.extend((length - 20).to_be_bytes());
        // A checksum of 0: none.
        packet.extend([0, 0]);
        packet.extend(text);
        // A full queue loses it, as a network would.
        let _ = self.0.send_to(&packet, &SocketAddr::from(SocketAddrV4::new(*to.ip(), 0)).into());
    }
}

fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("{address}"),
    }
}

/// Whatever somebody may send in the name of a line: noise, what has no proof, what claims to belong to a call, answers
/// to nothing.
fn forgery(number: u64, user: &str, source: SocketAddrV4) -> Vec<u8> {
    let via = format!("Via: SIP/2.0/UDP {source};branch=z9hG4bK{number:016x}");
    let rest = |method: &str, tag: &str| {
        format!(
            "Max-Forwards: 70\r\nFrom: <sip:{user}@192.0.2.1>;tag={number}\r\nTo: <sip:{user}@192.0.2.1>{tag}\r\n\
             Call-ID: {number}@forged\r\nCSeq: 1 {method}\r\nContact: <sip:{user}@{source}>\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let request = |method: &str, tag: &str| {
        format!("{method} sip:{user}@192.0.2.1 SIP/2.0\r\n{via}\r\n{}", rest(method, tag)).into_bytes()
    };
    let tag = format!(";tag={number:016x}");
    match number % 8 {
        0 => b"x".to_vec(),
        1 => request("REGISTER", ""),
        2 => request("INVITE", ""),
        3 => request("BYE", &tag),
        4 => request("CANCEL", ""),
        5 => request("ACK", &tag),
        6 => request("OPTIONS", ""),
        _ => format!("SIP/2.0 486 Busy Here\r\n{via}\r\n{}", rest("INVITE", &tag)).into_bytes(),
    }
}

/// A flood from a thread of its own.
struct Flood {
    sent: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Flood {
    /// So many a second, made and sent by `one`.
    fn begin(rate: u64, mut one: impl FnMut(u64) + Send + 'static) -> Flood {
        let (sent, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (sent.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            while !end.load(Ordering::Relaxed) {
                let due = u64::try_from(start.elapsed().as_micros()).unwrap() * rate / 1_000_000;
                (count.load(Ordering::Relaxed)..due).for_each(&mut one);
                count.store(due, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Flood { sent, over, thread }
    }

    fn end(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.sent.load(Ordering::Relaxed)
    }
}

const ACCOUNTS: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n\
    [b]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n\
    [c]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n";
const EXTENSIONS: &str = "[default]\nexten => 22,1,Dial(SIP/b,20)\nexten => 23,1,Dial(SIP/c,20)\n";

/// What the counters say of a reason.
fn counted(exchange: &Exchange, reason: &str) -> u64 {
    let text = exchange.told("sip show counters");
    let line = text.lines().find(|line| line.contains(reason));
    let number = line.and_then(|line| line.split_whitespace().find_map(|word| word.parse().ok()));
    number.unwrap_or_else(|| panic!("{reason} is not counted:\n{text}"))
}

/// Everything a line does in a day, with thousands of datagrams a second that say they are from it: from the port it
/// has, and from another one of its address. 20,000 a second, as long as the build is one that somebody would run: an
/// unoptimised one hears about a quarter of that, and then measures its own slowness.
#[test]
fn registered_lines_call_and_hang_up_while_their_own_address_is_forged() {
    if !inside("registered_lines_call_and_hang_up_while_their_own_address_is_forged") {
        return;
    }
    let exchange = Exchange::start_at(EXCHANGE.into(), "forged", ACCOUNTS, EXTENSIONS);
    let names = ["a", "b", "c"].map(str::to_owned);
    let mut phones = Phones::at(PHONES, exchange.sip, &names);
    phones.lines[2].phone.behaviour_mut().auto_answer_after = None;
    let sources: Vec<SocketAddrV4> = phones.lines.iter().map(|line| v4(line.phone.config().sip)).collect();

    let (rate, begun) = (if cfg!(debug_assertions) { 4_000 } else { 20_000 }, Instant::now());
    let (forger, to) = (Forger::new(), v4(exchange.sip));
    let flood = Flood::begin(rate, move |number| {
        let at = usize::try_from(number / 8 % 3).unwrap();
        let own = sources[at];
        let source = if number / 24 % 2 == 0 { own } else { SocketAddrV4::new(*own.ip(), 7_777) };
        forger.send(source, to, &forgery(number, ["a", "b", "c"][at], source));
    });
    let rounds = if long() { 20 } else { 2 };
    for _ in 0..rounds {
        phones.connect(0, "22", 1);
        phones.run(Duration::from_millis(300));
        // Either side hangs up, in turn.
        phones.hang_up(1);
        phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
        phones.connect(0, "22", 1);
        phones.hang_up(0);
        phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
        // It gives up while the other rings: CANCEL.
        phones.dial(0, "23");
        phones.until("it rings", |phones| phones.lines[2].phone.has_call());
        phones.hang_up(0);
        phones.until("it rings no more", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
        for line in 0..3 {
            phones.lines[line].events.clear();
            phones.act(line, |phone, now| phone.register(now));
            let registered = |event: &PhoneEvent| matches!(event, PhoneEvent::Registered { .. });
            phones.until("it registers", |phones| phones.lines[line].events.iter().any(registered));
        }
    }
    let sent = flood.end();
    let seconds = begun.elapsed().as_secs_f64();
    let text = exchange.told("sip show counters");
    println!("{text} {:?} of processor", proc::cpu(exchange.process()));
    let limited = counted(&exchange, "too many unauthenticated requests");
    println!("{rounds} rounds beside {sent} forged datagrams in {seconds:.1} s; {limited} of them past the limit");
    // A machine that forges slower than it was asked to has shown the same: 60 a second silenced a line once.
    assert!(sent as f64 > 300.0 * seconds, "the flood itself was too slow: {sent} in {seconds:.1} s");
    assert!(limited > 0, "the limiter did its work");
    let text = exchange.told("sip show counters");
    assert!(!text.contains("queue is full"), "strangers do not reach the switch:\n{text}");
}

/// What an honest address sends at 50 calls a second: each is challenged once and acknowledged, none is lost.
#[test]
fn fifty_calls_a_second_from_one_address_are_each_challenged() {
    if !inside("fifty_calls_a_second_from_one_address_are_each_challenged") {
        return;
    }
    let exchange = Exchange::start_at(EXCHANGE.into(), "fifty", ACCOUNTS, EXTENSIONS);
    let phone = UdpSocket::bind((PHONES, 0)).unwrap();
    phone.set_nonblocking(true).unwrap();
    let (mut buffer, mut answered) = ([0; 4096], std::collections::BTreeSet::new());
    let mut hear = |wait: Duration| {
        let end = Instant::now() + wait;
        while Instant::now() < end {
            match uninterrupted(|| phone.recv(&mut buffer)) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&buffer[..length]);
                    assert!(text.starts_with("SIP/2.0 401 "), "{text}");
                    let number = text.split("Call-ID: ").nth(1).and_then(|rest| rest.split('@').next()).unwrap();
                    answered.insert(number.parse::<u32>().unwrap());
                }
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        answered.clone()
    };
    let source = v4(phone.local_addr().unwrap());
    let call = |number: u32| {
        for method in ["INVITE", "ACK"] {
            let text = format!(
                "{method} sip:22@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {source};branch=z9hG4bKx{number}\r\nMax-Forwards: 70\r\n\
                 From: <sip:a@192.0.2.1>;tag={number}\r\nTo: <sip:22@192.0.2.1>\r\nCall-ID: {number}@honest\r\n\
                 CSeq: 1 {method}\r\nContact: <sip:a@{source}>\r\nContent-Length: 0\r\n\r\n"
            );
            phone.send_to(text.as_bytes(), exchange.sip).unwrap();
        }
    };
    for number in 0..300u32 {
        // A slow machine calls more slowly, and never many at once.
        hear(Duration::from_millis(20));
        call(number);
    }
    // What a slow machine lost in a full socket is sent again, as a telephone does.
    let end = Instant::now() + exchange::PATIENCE;
    let mut heard = hear(Duration::from_millis(500));
    while heard.len() < 300 && Instant::now() < end {
        (0..300).filter(|number| !heard.contains(number)).for_each(call);
        heard = hear(Duration::from_millis(500));
    }
    assert_eq!(heard.len(), 300, "one for each");
    let text = exchange.told("sip show counters");
    assert!(!text.contains("too many unauthenticated requests"), "none was past the limit:\n{text}");
}

/// What comes to the victim in this time: datagrams and bytes.
fn received(victim: &UdpSocket, time: Duration) -> Vec<String> {
    let (end, mut buffer, mut all) = (Instant::now() + time, [0; 4096], Vec::new());
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        victim.set_read_timeout(Some(left)).unwrap();
        if let Ok(length) = uninterrupted(|| victim.recv(&mut buffer)) {
            all.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
    }
    all
}

/// With `allowguest=yes` anybody's INVITE may be forged, and so may that of a line without a secret whose address may be
/// any: what cannot become a call is answered once, and a call that nobody acknowledges is not held up to its victim for
/// half a minute.
#[test]
fn a_forged_guest_has_us_send_its_victim_next_to_nothing() {
    if !inside("a_forged_guest_has_us_send_its_victim_next_to_nothing") {
        return;
    }
    let dialplan = "[default]\nexten => 1,1,Answer()\nexten => 1,2,Playback(demo-congrats)\nexten => 1,3,Wait(60)\n\
        exten => 2,1,Busy()\n";
    let conf = "allowguest=yes\n[lobby]\ntype=friend\nhost=dynamic\ncontext=default\n";
    let exchange = Exchange::start_at(EXCHANGE.into(), "guests", conf, dialplan);
    let victim = UdpSocket::bind((VICTIM, 5060)).unwrap();
    let sound = UdpSocket::bind((VICTIM, 4000)).unwrap();
    let (forger, to, source) = (Forger::new(), v4(exchange.sip), SocketAddrV4::new(VICTIM, 5060));
    let ask = |user: &str, number: &str, media: &str| {
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {VICTIM}\r\ns=-\r\nc=IN IP4 {VICTIM}\r\nt=0 0\r\nm=audio 4000 RTP/AVP {media}\r\n"
        );
        let text = format!(
            "INVITE sip:{number}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {source};branch=z9hG4bK{user}{number}x{media}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@192.0.2.66>;tag=1\r\nTo: <sip:{number}@192.0.2.1>\r\n\
             Call-ID: {user}{number}{media}@forged\r\nCSeq: 1 INVITE\r\nContact: <sip:{user}@{source}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        forger.send(source, to, text.as_bytes());
        text.len()
    };
    for user in ["nobody", "lobby"] {
        // A wrong number; no codec of ours; a number that is busy only once its program runs.
        for (number, media, status) in [("999", "0", "404"), ("1", "99", "488"), ("2", "0", "486")] {
            let asked = ask(user, number, media);
            let all = received(&victim, Duration::from_secs(4));
            let finals: Vec<&String> = all.iter().filter(|text| !text.starts_with("SIP/2.0 1")).collect();
            assert!(
                finals.len() == 1 && finals[0].starts_with(&format!("SIP/2.0 {status} ")),
                "{user} {number} {media}: {all:#?}"
            );
            let told: usize = all.iter().map(String::len).sum();
            assert!(told <= 2 * asked, "{number}: {told} bytes for {asked}");
        }
        ask(user, "1", "0");
        let all = received(&victim, Duration::from_secs(8));
        let of = |start: &str| all.iter().filter(|text| text.starts_with(start)).count();
        assert!(of("SIP/2.0 200 ") >= 1, "he is answered: {all:#?}");
        assert!(of("SIP/2.0 200 ") <= 4 && of("BYE ") <= 1 && all.len() <= 6, "{all:#?}");
        sound.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(sound.recv(&mut [0; 500]).is_err(), "no sound goes to who never said that he is there");
        let end = Instant::now() + exchange::PATIENCE;
        while !exchange.told("core show channels").contains("0 active channels") {
            assert!(Instant::now() < end, "the call is not over");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Answers to addresses on the link that nobody has wait for ARP. They keep back nothing that goes to others.
#[test]
fn answers_that_cannot_be_delivered_keep_back_no_others() {
    if !inside("answers_that_cannot_be_delivered_keep_back_no_others") {
        return;
    }
    let accounts = format!("{ACCOUNTS}[lobby]\ntype=friend\nhost=dynamic\ncontext=default\n");
    let exchange = Exchange::start_at(EXCHANGE.into(), "arp", &accounts, EXTENSIONS);
    let mut phones = Phones::at(PHONES, exchange.sip, &["a".to_owned()]);
    let (forger, to) = (Forger::new(), v4(exchange.sip));
    // Each of 150 addresses, so often that what waits is more than a send buffer holds.
    let flood = Flood::begin(2_000, move |number| {
        let host = 100 + u8::try_from(number % 150).unwrap();
        let source = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, host), 5060);
        // A REGISTER that is challenged; an INVITE of a line without a secret, to a wrong number.
        let forged = if number % 2 == 0 {
            forgery(8 * number + 1, "a", source)
        } else {
            forgery(8 * number + 2, "lobby", source)
        };
        forger.send(source, to, &forged);
    });
    phones.run(Duration::from_secs(2));
    for round in 0..5 {
        phones.lines[0].events.clear();
        let begun = Instant::now();
        phones.act(0, |phone, now| phone.register(now));
        let registered = |event: &PhoneEvent| matches!(event, PhoneEvent::Registered { .. });
        phones.until("it registers", |phones| phones.lines[0].events.iter().any(registered));
        println!("registration {round} took {:?}", begun.elapsed());
        phones.run(Duration::from_millis(300));
    }
    flood.end();
    let text = exchange.told("sip show counters");
    println!("{text}");
    assert!(!text.contains("system refused to send"), "what is proved is sent:\n{text}");
}
