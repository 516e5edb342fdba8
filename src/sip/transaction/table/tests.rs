//! The table with messages: both roles against a script, then two tables over a lossy network.

use super::*;
use crate::sip::header::Via;
use crate::sip::{Flow, HeaderName, Message, Method, validate};
use std::net::SocketAddr;

mod client;
mod lossy;
mod server;

fn at(ms: u64) -> Time {
    Time::from_start(Duration::from_millis(ms))
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn flow() -> Flow {
    Flow::udp(address("192.0.2.1:5060"), address("192.0.2.20:5062"))
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The requester in these tests.
type Requester = &'static str;

fn transactions() -> Transactions<Requester> {
    Transactions::new(TimerValues::default(), 100, &mut Rng::from_number(1))
}

fn parsed(bytes: &Bytes) -> Message {
    Message::parse(bytes).unwrap()
}

fn read(text: &str) -> (Request, Essentials) {
    let Message::Request(request) = parsed(&Bytes::from(text.to_owned())) else { panic!("no request: {text}") };
    let essentials = validate::request(&request).unwrap();
    (request, essentials)
}

/// A peer's request as a device writes it.
fn from_peer(method: &str, via: &str, to_tag: &str) -> (Request, Essentials) {
    read(&format!(
        "{method} sip:881@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nMax-Forwards: 70\r\n\
         From: <sip:882@192.0.2.1>;tag=theirs\r\nTo: <sip:881@192.0.2.1>{to_tag}\r\nCall-ID: c@192.0.2.20\r\n\
         CSeq: 7 {method}\r\nContact: <sip:882@192.0.2.20:5062>\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// A request of ours before its Via.
fn ours(method: Method) -> Request {
    let mut request = Request::new(method.clone(), "sip:881@192.0.2.20:5062");
    for (name, value) in [
        (HeaderName::MaxForwards, "70".to_owned()),
        (HeaderName::Route, "<sip:192.0.2.99;lr>, <sip:192.0.2.98;lr>".to_owned()),
        (HeaderName::From, "<sip:882@192.0.2.1>;tag=ours".to_owned()),
        (HeaderName::To, "<sip:881@192.0.2.20>".to_owned()),
        (HeaderName::CallId, "d@192.0.2.1".to_owned()),
        (HeaderName::CSeq, format!("102 {method}")),
        (HeaderName::Contact, "<sip:882@192.0.2.1>".to_owned()),
    ] {
        request.headers.push(name, value);
    }
    request
}

/// The peer's answer to a request of ours.
fn answer(request: &Request, status: u16, tag: &str) -> (Response, Essentials) {
    let response = Response::for_request(request, status, Some(tag));
    let Message::Response(response) = parsed(&response.to_bytes()) else { panic!("no response") };
    let essentials = validate::response(&response).unwrap();
    (response, essentials)
}

/// The start lines of what was sent, taken out.
fn sent(out: &mut Vec<Transmit>) -> Vec<String> {
    out.drain(..).map(|t| String::from_utf8_lossy(&t.bytes).lines().next().unwrap_or_default().to_owned()).collect()
}

/// Something, and in which millisecond it happened.
type At<T> = (u128, T);

/// Advances the time deadline by deadline, and records when something was sent or expired.
fn run(table: &mut Transactions<Requester>, until: Time) -> (Vec<At<String>>, Vec<At<Expired<Requester>>>) {
    let (mut lines, mut ends) = (Vec::new(), Vec::new());
    while let Some(now) = table.next_deadline().filter(|now| *now <= until) {
        let mut out = Vec::new();
        let expired = table.expire(now, &mut out);
        let when = now.since_start().as_millis();
        lines.extend(sent(&mut out).into_iter().map(|line| (when, line)));
        ends.extend(expired.into_iter().map(|end| (when, end)));
    }
    (lines, ends)
}

fn times(lines: &[At<String>]) -> Vec<u128> {
    lines.iter().map(|(when, _)| *when).collect()
}
