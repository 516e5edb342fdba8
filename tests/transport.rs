//! The real program over TCP, TLS, IPv6 and several addresses, with real sockets: what is cut, merged, slow, silent or
//! greedy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "support/exchange.rs"]
mod exchange;
#[path = "transport/line.rs"]
mod line;
#[path = "support/uninterrupted.rs"]
mod uninterrupted;

use exchange::{Exchange, PATIENCE};
use line::{Line, Way, until};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use strowger::sim::PhoneEvent;
use uninterrupted::uninterrupted;

const EXTENSIONS: &str = "[default]\nexten => _X!,1,Dial(SIP/b,20)\n";
const LINES: &str = "[a]\ntype=friend\nhost=dynamic\nsecret=password\nnat=no\n[b]\ntype=friend\nhost=dynamic\nsecret=password\nnat=no\n";

fn start(story: &str, general: &str) -> Exchange {
    Exchange::start(story, &format!("{general}\n{LINES}"), EXTENSIONS)
}

fn options(call: usize) -> String {
    format!(
        "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{call}\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:x@h>\r\nCall-ID: {call}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 4\r\n\r\nbody"
    )
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads until these words have come so often.
fn hear(stream: &mut TcpStream, words: &str, times: usize) -> String {
    let mut heard = String::new();
    let mut buffer = [0; 4096];
    while heard.matches(words).count() < times {
        let length = uninterrupted(|| stream.read(&mut buffer)).unwrap();
        assert!(length > 0, "closed after {heard:?}");
        heard.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    heard
}

/// Waits until the other side has closed.
fn closed(stream: &mut TcpStream) -> bool {
    use std::io::ErrorKind;
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut buffer = [0; 4096];
    loop {
        match uninterrupted(|| stream.read(&mut buffer)) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => {
                eprintln!("waiting for the close: {error}");
                return error.kind() == ErrorKind::ConnectionReset;
            }
        }
    }
}

/// Two lines call each other, each its way; both register, talk, and hang up.
fn call(exchange: &Exchange, mut a: Line, mut b: Line) -> (Line, Line) {
    for line in [&mut a, &mut b] {
        line.registers();
    }
    assert!(
        until(&mut [&mut a, &mut b], PATIENCE, |lines| lines.iter().all(|line| line.is_registered())),
        "{}",
        exchange.log()
    );
    a.dials("100");
    assert!(until(&mut [&mut a, &mut b], PATIENCE, |lines| lines.iter().all(|line| line.saw(&PhoneEvent::Answered))));
    b.hangs_up();
    assert!(until(&mut [&mut a, &mut b], PATIENCE, |lines| lines.iter().all(|line| line.saw(&PhoneEvent::Ended))));
    assert!(exchange.told("core show channels count").contains("0 active channels"));
    (a, b)
}

#[test]
fn a_phone_is_called_over_the_connection_it_registered_over() {
    let exchange = start("tcp", "tcpenable=yes");
    let (_a, b) = call(&exchange, Line::new("a", exchange.sip, &Way::Udp), Line::new("b", exchange.sip, &Way::Tcp));
    let connections = exchange.told("sip show tcp");
    assert!(connections.contains("1 connection\n") && connections.contains("Server    Yes"), "{connections}");
    let peer = exchange.told("sip show peer b");
    assert!(peer.contains("Prim.Transp. : TCP"), "{peer}");
    drop(b);
    exchange.said("'b' is out of reach until it registers again");
    assert!(exchange.told("sip show tcp").contains("0 connections\n"));
}

#[test]
fn messages_are_told_apart_however_they_are_cut_and_pings_are_answered() {
    let exchange = start("frames", "tcpenable=yes");
    let mut stream = connect(exchange.sip);
    stream.set_nodelay(true).unwrap();
    let three: String = (0..3).map(options).collect();
    stream.write_all(three.as_bytes()).unwrap();
    assert_eq!(hear(&mut stream, "SIP/2.0 200 OK", 3).matches("z9hG4bK").count(), 3);
    for byte in options(4).as_bytes() {
        stream.write_all(&[*byte]).unwrap();
    }
    hear(&mut stream, "Call-ID: 4", 1);
    let mut rest = vec![0; 4096];
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let _ = uninterrupted(|| stream.read(&mut rest));
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 8];
    assert_eq!((uninterrupted(|| stream.read(&mut pong)).unwrap(), &pong[..2]), (2, &b"\r\n"[..]));
    let cut = options(5).replace("Content-Length: 4", "Content-Length: x");
    stream.write_all(cut.as_bytes()).unwrap();
    hear(&mut stream, "SIP/2.0 400 ", 1);
    assert!(closed(&mut stream));
    let mut noise = connect(exchange.sip);
    noise.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(closed(&mut noise));
}

#[test]
fn tls_with_a_certificate_of_ones_own_and_another_after_a_reload() {
    let (first, second) = (line::certificate(), line::certificate());
    let tls_port = line::free_port();
    let folder = std::env::temp_dir().join(format!("strowger-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("cert.pem");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write(&first.pem);
    let file = file.display();
    let general = format!("tlsenable=yes\ntlsbindaddr=127.0.0.1:{tls_port}\ntlscertfile={file}\n");
    let exchange = Exchange::start("tls", &format!("{general}{LINES}"), EXTENSIONS);
    let tls = SocketAddr::new(exchange.sip.ip(), tls_port);
    let ways = [Way::Tls(first.der.clone()), Way::Tls(first.der.clone())];
    let (mut a, _b) = call(&exchange, Line::new("a", tls, &ways[0]), Line::new("b", tls, &ways[1]));
    write("no certificate");
    let (_, text) = exchange.ask("sip reload");
    exchange.said("the new TLS certificate cannot be used");
    assert!(exchange.log().contains("sip.conf:7"), "the line that names the file is said: {text}\n{}", exchange.log());
    drop(Line::new("a", tls, &Way::Tls(first.der)));
    write(&second.pem);
    exchange.told("sip reload");
    drop(Line::new("a", tls, &Way::Tls(second.der)));
    // Who is connected stays so.
    a.registers();
    assert!(until(&mut [&mut a], PATIENCE, |lines| lines[0].events.len() > 3));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The whole of a call over TLS by `sips:`; the same telephone over TCP is refused.
#[test]
fn sips_is_spoken_over_tls_and_nowhere_else() {
    let certificate = line::certificate();
    let tls_port = line::free_port();
    let file = std::env::temp_dir().join(format!("strowger-sips-{}.pem", std::process::id()));
    std::fs::write(&file, &certificate.pem).unwrap();
    let general =
        format!("tcpenable=yes\ntlsenable=yes\ntlsbindaddr=127.0.0.1:{tls_port}\ntlscertfile={}\n", file.display());
    let exchange = Exchange::start("sips", &format!("{general}{LINES}"), EXTENSIONS);
    let tls = SocketAddr::new(exchange.sip.ip(), tls_port);
    let lines = ["a", "b"].map(|name| {
        let mut line = Line::new(name, tls, &Way::Tls(certificate.der.clone()));
        line.phone.behaviour_mut().sips = true;
        line
    });
    let [a, b] = lines;
    let (_a, b) = call(&exchange, a, b);
    assert!(b.heard.contains("INVITE sips:b@127.0.0.1:"), "{}", b.heard);
    assert!(b.heard.contains(&format!("Contact: <sips:a@127.0.0.1:{tls_port}>\r\n")), "{}", b.heard);
    let mut open = Line::new("a", exchange.sip, &Way::Tcp);
    open.phone.behaviour_mut().sips = true;
    open.registers();
    assert!(until(&mut [&mut open], PATIENCE, |lines| lines[0].saw(&PhoneEvent::RegisterRefused(480))));
    assert!(exchange.told("sip show counters").contains("refused: sips: that does not keep to TLS"));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn ipv6_and_the_address_that_was_asked() {
    let exchange = Exchange::start_at("::".parse().unwrap(), "addresses", LINES, EXTENSIONS);
    let port = exchange.sip.port();
    for ip in ["127.0.0.2", "127.0.0.3", "::1"] {
        let asked = SocketAddr::new(ip.parse().unwrap(), port);
        let socket = UdpSocket::bind(if asked.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
            .send_to(options(1).replace("/TCP", "/UDP").replace("127.0.0.1:9;", "h;rport;").as_bytes(), asked)
            .unwrap();
        let mut buffer = [0; 2048];
        assert_eq!(uninterrupted(|| socket.recv_from(&mut buffer)).unwrap().1, asked);
    }
    let v6 = SocketAddr::new("::1".parse::<IpAddr>().unwrap(), port);
    let (_a, b) = call(
        &exchange,
        Line::new("a", SocketAddr::new("127.0.0.2".parse().unwrap(), port), &Way::Udp),
        Line::new("b", v6, &Way::Udp),
    );
    assert!(b.heard.contains("Via: SIP/2.0/UDP [::1]:"), "{}", b.heard);
    assert!(b.heard.contains("c=IN IP6 ::1"), "{}", b.heard);
}

/// Two hundred clients that begin a request and never end it, from one address, cost nobody else anything.
#[test]
fn two_hundred_slow_clients_stop_nobody() {
    let exchange = Exchange::start_at(
        "0.0.0.0".parse().unwrap(),
        "loris",
        &format!("tcpenable=yes\ntcpauthtimeout=5\n{LINES}"),
        EXTENSIONS,
    );
    let port = exchange.sip.port();
    let here = SocketAddr::new("127.0.0.1".parse().unwrap(), port);
    let start = Instant::now();
    let mut slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = connect(here);
            let _ = stream.write_all(b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: ");
            stream
        })
        .collect();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    for (number, slow) in slow.iter_mut().enumerate().take(40) {
        // From another address each time; and drops go on in between.
        let local: SocketAddr = format!("127.0.1.{}:0", number + 1).parse().unwrap();
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&local.into()).unwrap();
        socket.connect(&here.into()).unwrap();
        let mut good = TcpStream::from(socket);
        good.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        good.write_all(options(number).as_bytes()).unwrap();
        hear(&mut good, "SIP/2.0 200 OK", 1);
        udp.send_to(options(number).replace("/TCP", "/UDP").replace("127.0.0.1:9;", "h;rport;").as_bytes(), here)
            .unwrap();
        assert!(uninterrupted(|| udp.recv_from(&mut [0; 2048])).is_ok());
        let _ = slow.write_all(b"S");
    }
    // A phone at the very address of the slow ones registers all the same.
    let (_a, _b) = call(&exchange, Line::new("a", here, &Way::Tcp), Line::new("b", here, &Way::Tcp));
    let counters = exchange.told("sip show counters");
    assert!(counters.contains("unauthenticated, too many of its address"), "{counters}");
    assert!(slow.iter_mut().all(closed));
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(exchange.told("sip show tcp").contains("2 connections\n"), "those of the phones stay");
}

/// A right digest that somebody else sent before proves nothing: the connection it comes on is a stranger's.
#[test]
fn a_digest_sent_again_keeps_no_connection_open() {
    use strowger::sip::digest;
    use strowger::sip::header::Challenge;
    let exchange = start("replayed", "tcpenable=yes\ntcpauthtimeout=2");
    let mut phone = connect(exchange.sip);
    let register = |cseq: u32, authorization: &str| {
        format!(
            "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{cseq}\r\nMax-Forwards: 70\r\n\
             From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: r\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: <sip:a@127.0.0.1:9;transport=tcp>\r\n{authorization}Content-Length: 0\r\n\r\n"
        )
    };
    phone.write_all(register(1, "").as_bytes()).unwrap();
    let challenged = hear(&mut phone, "\r\n\r\n", 1);
    let challenge = challenged.lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).unwrap();
    let challenge = Challenge::parse(challenge.as_bytes()).unwrap();
    let ha1 = digest::Ha1::from_secret("a", &challenge.realm, "password");
    let method = strowger::sip::Method::Register;
    let answer = digest::answer(&challenge, "a", &ha1, &method, "sip:127.0.0.1", "c0ffee", 1).unwrap();
    let proof = register(2, &format!("Authorization: {answer}\r\n"));
    phone.write_all(proof.as_bytes()).unwrap();
    hear(&mut phone, "SIP/2.0 200 OK", 1);
    let mut stranger = connect(exchange.sip);
    let then = Instant::now();
    stranger.write_all(proof.as_bytes()).unwrap();
    assert!(hear(&mut stranger, "\r\n\r\n", 1).contains("stale=true"));
    assert!(closed(&mut stranger));
    assert!(then.elapsed() < Duration::from_secs(6), "{:?}", then.elapsed());
    assert!(exchange.told("sip show counters").contains("closed: not authenticated in time"));
    phone.write_all(b"\r\n\r\n").unwrap();
    hear(&mut phone, "\r\n", 1);
}

/// A client that asks and asks and reads nothing is closed; the exchange holds no more than 64 kB for it.
#[test]
fn who_does_not_read_is_closed() {
    let exchange = start("stalled", "tcpenable=yes");
    let mut stream = connect(exchange.sip);
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = options(1);
    let mut sent = 0;
    while stream.write_all(request.as_bytes()).is_ok() {
        sent += 1;
        assert!(sent < 200_000, "it is never closed");
    }
    let counters = exchange.told("sip show counters");
    assert!(counters.contains("connection closed for what it sent"), "{counters}");
    assert!(exchange.told("sip show tcp").contains("0 connections\n"));
}

/// A peer with a fixed address and `transport=tcp` is connected to; nobody there is an answer at once.
#[test]
fn a_trunk_over_tcp_is_connected_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let trunk = format!("tcpenable=yes\n{LINES}[trunk]\ntype=peer\nhost=127.0.0.1\nport={port}\ntransport=tcp\n");
    let exchange = Exchange::start("trunk", &trunk, "[default]\nexten => _X!,1,Dial(SIP/${EXTEN}@trunk,20)\n");
    let mut a = Line::new("a", exchange.sip, &Way::Tcp);
    a.registers();
    assert!(until(&mut [&mut a], PATIENCE, |lines| lines[0].is_registered()));
    a.dials("123");
    listener.set_nonblocking(true).unwrap();
    let mut accepted = None;
    assert!(until(&mut [&mut a], PATIENCE, |_| {
        accepted = listener.accept().ok().map(|(stream, _)| stream);
        accepted.is_some()
    }));
    let mut stream = accepted.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let invite = hear(&mut stream, "\r\n\r\n", 1);
    assert!(invite.starts_with("INVITE sip:123@127.0.0.1:"), "{invite}");
    assert!(invite.contains(";transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:"), "{invite}");
    drop((stream, listener));
    assert!(until(&mut [&mut a], PATIENCE, |lines| lines[0].saw(&PhoneEvent::Failed(503))), "{:?}", a.events);
    a.events.clear();
    let then = Instant::now();
    a.dials("124");
    assert!(until(&mut [&mut a], PATIENCE, |lines| lines[0].saw(&PhoneEvent::Failed(503))), "{:?}", a.events);
    assert!(then.elapsed() < Duration::from_secs(2), "refused at once");
    assert!(exchange.told("core show channels count").contains("0 active channels"));
}

/// A name that nobody resolves keeps nobody waiting.
#[test]
fn a_name_that_is_never_found_delays_nothing() {
    let lines = format!("{LINES}[far]\ntype=peer\nhost=no.such.host.invalid\nqualify=yes\n");
    let exchange =
        Exchange::start("name", &lines, "[default]\nexten => 9,1,Dial(SIP/far,20)\nexten => _X!,1,Dial(SIP/b,20)\n");
    let (mut a, mut b) = (Line::new("a", exchange.sip, &Way::Udp), Line::new("b", exchange.sip, &Way::Udp));
    let then = Instant::now();
    (a, b) = call(&exchange, a, b);
    assert!(then.elapsed() < Duration::from_secs(3), "{:?}", then.elapsed());
    a.dials("9");
    assert!(until(&mut [&mut a, &mut b], PATIENCE, |lines| lines[0].saw(&PhoneEvent::Failed(503))), "{:?}", a.events);
    exchange.said("host name no.such.host.invalid of 'far' does not resolve");
}

/// A stranger with as many addresses as it likes, who takes every connection that it gets and has the exchange answer
/// where it is not any more.
struct Greedy {
    addresses: Vec<(IpAddr, TcpListener)>,
    to: [SocketAddr; 2],
}

impl Greedy {
    const ADDRESSES: u8 = 50;

    fn new(to: [SocketAddr; 2]) -> Greedy {
        let listen = |number: u8| {
            let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 1, number), 0)).unwrap();
            listener.set_nonblocking(true).unwrap();
            (listener.local_addr().unwrap().ip(), listener)
        };
        Greedy { addresses: (1..=Greedy::ADDRESSES).map(listen).collect(), to }
    }

    /// One connection from an address of its own, if the exchange takes it.
    fn connect(&self, round: usize) -> Option<(TcpStream, u16)> {
        let (ip, listener) = &self.addresses[round % self.addresses.len()];
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(*ip, 0).into()).unwrap();
        let to = self.to[round / self.addresses.len() % self.to.len()];
        socket.connect_timeout(&to.into(), PATIENCE).ok()?;
        Some((socket.into(), listener.local_addr().unwrap().port()))
    }

    /// Hangs up a call that there is not, and is gone before the answer.
    fn ask_and_run(&self, round: usize) {
        let Some((mut stream, port)) = self.connect(round) else { return };
        let via = format!("SIP/2.0/TCP h:{port};branch=z9hG4bK{round}");
        let bye = format!(
            "BYE sip:a@h SIP/2.0\r\nVia: {via}\r\nFrom: <sip:x@h>;tag=1\r\nTo: <sip:a@h>;tag=2\r\nCall-ID: {round}\r\n\
             CSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let _ = stream.write_all(bye.as_bytes());
        let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }

    /// How many connections the exchange made to it.
    fn connected_to(&self) -> usize {
        self.addresses.iter().filter(|(_, listener)| listener.accept().is_ok()).count()
    }
}

#[test]
fn strangers_who_take_every_connection_they_get_leave_room_for_phones() {
    let (certificate, tls_port) = (line::certificate(), line::free_port());
    let file = std::env::temp_dir().join(format!("strowger-greedy-{}.pem", std::process::id()));
    std::fs::write(&file, &certificate.pem).unwrap();
    let tls = format!("tlsenable=yes\ntlsbindaddr=127.0.0.1:{tls_port}\ntlscertfile={}\n", file.display());
    let exchange = start("greedy", &format!("tcpenable=yes\n{tls}"));
    let tls = SocketAddr::new(exchange.sip.ip(), tls_port);
    let greedy = Greedy::new([exchange.sip, tls]);
    let rounds = if std::env::var_os("STROWGER_LONG").is_some() { 50_000 } else { 2_000 };
    for round in 0..rounds {
        greedy.ask_and_run(round % usize::from(Greedy::ADDRESSES));
    }
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let greedy = &greedy;
        // 2,000 more that stay as long as they are let, and new ones all the time.
        scope.spawn(move || {
            let mut kept = Vec::new();
            for round in 0.. {
                kept.extend(greedy.connect(round));
                if kept.len() >= 600 {
                    kept.remove(0);
                }
                if round >= 2_000 {
                    match is_over.recv_timeout(Duration::from_millis(1)) {
                        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                        Ok(()) | Err(_) => return,
                    }
                }
            }
        });
        let get_in = |name: &str, to: SocketAddr, way: &Way| {
            let mut line = Line::new(name, to, way);
            line.registers();
            assert!(until(&mut [&mut line], PATIENCE, |lines| lines[0].is_registered()), "{}", exchange.log());
            line
        };
        let a = get_in("a", exchange.sip, &Way::Tcp);
        let b = get_in("b", tls, &Way::Tls(certificate.der.clone()));
        let _phones = call(&exchange, a, b);
        drop(over);
    });
    assert_eq!(greedy.connected_to(), 0, "no connection is made to a stranger for a 481");
    let counters = exchange.told("sip show counters");
    assert!(counters.contains("closed: unauthenticated, too many"), "{counters}");
    assert!(!exchange.log().contains("Nothing can be sent"), "nor is the log filled with them");
    std::fs::remove_file(&file).unwrap();
}
