//! For unit tests of the parts of a phone: the exchange, played by the test.

use super::config::PhoneConfig;
use super::identity::Identity;
use super::user_agent::{Purpose, Received, ReceivedRequest, ReceivedResponse, UserAgent};
use crate::clock::Time;
use crate::rng::Rng;
use crate::sdp::Sdp;
use crate::sim::DeviceProfile;
use crate::sip::header::HeaderName;
use crate::sip::message::{Message, Request, Response};
use bytes::Bytes;
use std::time::Duration;

/// When every unit test begins.
pub(super) const START: Time = Time::from_start(Duration::from_secs(1));

/// A user agent that has sent and received nothing.
pub(super) fn user_agent() -> UserAgent {
    let identity = Identity::new(PhoneConfig::example(DeviceProfile::Plain));
    let mut ua = UserAgent::new(identity, "tag".to_owned(), Rng::from_number(7));
    ua.now = START;
    ua
}

/// The requests sent since the last call.
pub(super) fn requests(ua: &mut UserAgent) -> Vec<Request> {
    let sent = ua.take_datagrams();
    let messages = sent.iter().map(|(_, bytes)| Message::parse(bytes).unwrap());
    messages.filter_map(|message| if let Message::Request(request) = message { Some(request) } else { None }).collect()
}

/// The methods of the requests sent since the last call.
pub(super) fn methods(ua: &mut UserAgent) -> Vec<String> {
    requests(ua).iter().map(|request| request.method.to_string()).collect()
}

/// The statuses of the responses sent since the last call.
pub(super) fn statuses(ua: &mut UserAgent) -> Vec<u16> {
    let sent = ua.take_datagrams();
    let messages = sent.iter().map(|(_, bytes)| Message::parse(bytes).unwrap());
    messages.filter_map(|message| if let Message::Response(it) = message { Some(it.status) } else { None }).collect()
}

/// The exchange responds to a request.
pub(super) fn respond(
    ua: &mut UserAgent,
    request: &Request,
    status: u16,
    headers: &[(HeaderName, &str)],
    sdp: Option<&Sdp>,
) -> Option<(Purpose, ReceivedResponse)> {
    let mut response = Response::for_request(request, status, Some("exchange"));
    response.headers.push(HeaderName::Contact, Bytes::from_static(b"<sip:192.0.2.2:5060>"));
    for (name, value) in headers {
        response.headers.push(name.clone(), Bytes::copy_from_slice(value.as_bytes()));
    }
    if let Some(sdp) = sdp {
        super::sdp_body::attach(&mut response.headers, &mut response.body, sdp);
    }
    match receive(ua, &response.to_bytes()) {
        Some(Received::Response(purpose, received)) => Some((purpose, received)),
        _ => None,
    }
}

/// The exchange calls.
pub(super) fn invite(ua: &mut UserAgent, sdp: Option<&Sdp>) -> ReceivedRequest {
    match receive(ua, &request("INVITE", "", sdp)) {
        Some(Received::Invite(received)) => received,
        _ => panic!("no new INVITE"),
    }
}

/// A request of the exchange in a call it made; `to_tag` is empty in the INVITE, and `;tag=...` in what follows it.
pub(super) fn request(method: &str, to_tag: &str, sdp: Option<&Sdp>) -> Bytes {
    // RFC 3261 9.1, 13.2.2.4: CANCEL and ACK have the number of their INVITE.
    let cseq = if matches!(method, "INVITE" | "CANCEL" | "ACK") { 1 } else { 2 };
    let branch = if method == "CANCEL" { "INVITE" } else { method };
    let body = sdp.map(|sdp| String::from_utf8(sdp.to_bytes()).unwrap()).unwrap_or_default();
    let kind = if sdp.is_some() { "Content-Type: application/sdp\r\n" } else { "" };
    Bytes::from(format!(
        "{method} sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:b@192.0.2.2>;tag=exchange\r\nTo: <sip:a@192.0.2.1>{to_tag}\r\n\
         Call-ID: call\r\nCSeq: {cseq} {method}\r\nContact: <sip:192.0.2.2:5060>\r\n{kind}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// The user agent receives this from the exchange.
pub(super) fn receive(ua: &mut UserAgent, bytes: &Bytes) -> Option<Received> {
    ua.receive(bytes, "192.0.2.2:5060".parse().unwrap())
}

/// A description of the exchange with this payload type.
pub(super) fn sdp(payload: u8) -> Sdp {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 10000 RTP/AVP {payload}\r\n"
    );
    Sdp::parse(text.as_bytes()).unwrap()
}
