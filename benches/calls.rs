//! What a call costs without sockets, from the caller's first INVITE to the end: `cargo bench --bench calls`. As a test
//! (`cargo test --benches`) it takes few steps, and measures nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a measurement is a test

mod exchange;

use bytes::Bytes;
use exchange::{Exchange, name, source};
use std::time::{Duration, Instant};
use strowger::sip::header::HeaderName;
use strowger::sip::message::{Message, Response};
use strowger::sip::{Method, Request};

/// The callers; as many others are called.
const LINES: usize = 100;

fn sdp(line: usize) -> String {
    let ip = source(line).ip();
    format!(
        "v=0\r\no=- 20800 20800 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 16420 RTP/AVP 0 100 101\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:100 NSE/8000\r\na=fmtp:100 192-193\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:30\r\na=sendrecv\r\n"
    )
}

fn request(bytes: &Bytes) -> Request {
    let Ok(Message::Request(request)) = Message::parse(bytes) else { panic!("{bytes:?}") };
    request
}

fn response(bytes: &Bytes) -> Response {
    let Ok(Message::Response(response)) = Message::parse(bytes) else { panic!("{bytes:?}") };
    response
}

/// The caller's request; `to` is what To says, with its tag once there is one.
fn ask(method: &Method, (call, cseq): (usize, usize), caller: usize, (target, to): (&str, &str), rest: &str) -> Bytes {
    let (name, at) = (name(caller), source(caller));
    Bytes::from(format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-{call}-{cseq}-{method}\r\nFrom: <sip:{name}@192.0.2.1>;tag=c{call}o0\r\n\
         To: {to}\r\nCall-ID: call{call}@{at}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:{name}@{at}>\r\n\
         User-Agent: Linksys/PAP2T-3.1.15(LS)\r\n{rest}"
    ))
}

fn answer(to: &Bytes, status: u16, line: usize) -> Bytes {
    let mut answer = Response::for_request(&request(to), status, Some("callee"));
    answer.headers.push(HeaderName::Contact, format!("<sip:{}@{}>", name(line), source(line)));
    if status == 200 {
        answer.headers.push(HeaderName::ContentType, "application/sdp");
        answer.body = sdp(line).into();
    }
    answer.to_bytes()
}

/// Hands in a datagram, and counts the time.
fn timed(exchange: &mut Exchange, spent: &mut Duration, line: usize, datagram: &Bytes) {
    let began = Instant::now();
    exchange.take(source(line), datagram);
    *spent += began.elapsed();
}

/// A call by a line with digest, answered and hung up by the caller; the exchange's time for it.
fn call(exchange: &mut Exchange, number: usize) -> Duration {
    let (caller, callee) = (number % LINES, LINES + number * 7 % LINES);
    let target = format!("sip:{}@192.0.2.1", name(callee));
    let mut to = format!("<{target}>");
    let body = sdp(caller);
    let with_body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut spent = Duration::ZERO;
    let bare = ask(&Method::Invite, (number, 101), caller, (&target, &to), &with_body);
    timed(exchange, &mut spent, caller, &bare);
    let challenge = exchange.received(source(caller), "SIP/2.0 401");
    let proof = exchange.proof(&challenge, caller, &Method::Invite, &target);
    let tagged = response(&challenge).headers.text(HeaderName::To).unwrap().into_owned();
    let empty = "Content-Length: 0\r\n\r\n";
    timed(exchange, &mut spent, caller, &ask(&Method::Ack, (number, 101), caller, (&target, &tagged), empty));
    let invite = ask(&Method::Invite, (number, 102), caller, (&target, &to), &format!("{proof}{with_body}"));
    timed(exchange, &mut spent, caller, &invite);
    let offered = exchange.received(source(callee), "INVITE");
    timed(exchange, &mut spent, callee, &answer(&offered, 180, callee));
    exchange.received(source(caller), "SIP/2.0 180");
    timed(exchange, &mut spent, callee, &answer(&offered, 200, callee));
    exchange.received(source(callee), "ACK");
    let answered = response(&exchange.received(source(caller), "SIP/2.0 200"));
    to = answered.headers.text(HeaderName::To).unwrap().into_owned();
    let contact = answered.headers.text(HeaderName::Contact).unwrap().trim_matches(['<', '>']).to_owned();
    timed(exchange, &mut spent, caller, &ask(&Method::Ack, (number, 102), caller, (&contact, &to), empty));
    timed(exchange, &mut spent, caller, &ask(&Method::Bye, (number, 103), caller, (&contact, &to), empty));
    exchange.received(source(caller), "SIP/2.0 200");
    let bye = exchange.received(source(callee), "BYE");
    timed(exchange, &mut spent, callee, &answer(&bye, 200, callee));
    spent
}

fn main() {
    let measured = if std::env::args().any(|arg| arg == "--bench") { 20_000 } else { 100 };
    let mut exchange = Exchange::new(2 * LINES, "directmedia=no");
    for line in 0..2 * LINES {
        let request = exchange.authorized(line, 1);
        exchange.take(source(line), &request);
        exchange.received(source(line), "SIP/2.0 200 ");
    }
    let mut spent = Duration::ZERO;
    for number in 0..measured {
        spent += call(&mut exchange, number);
        // A hundred calls a second: their transactions live on for 32.
        exchange.now.mono = exchange.now.mono + Duration::from_millis(10);
    }
    println!("a call: {:.1} us", spent.as_secs_f64() * 1e6 / measured as f64);
    exchange.pass(Duration::from_secs(40));
    assert_eq!(exchange.switch.channels().count(), 0, "something is left of the calls");
}
