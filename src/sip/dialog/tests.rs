//! Dialogs of both roles, message by message.

use super::*;
use crate::sip::{Message, validate};

const PROXIES: &str =
    "Record-Route: <sip:p3.example;lr>, <sip:p2.example;lr>\r\nRecord-Route: <sip:p1.example;lr;x=y>\r\n";

fn invite(extra: &str) -> (Request, Essentials) {
    let text = format!(
        "INVITE sip:881@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5062;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: \"Fax, old\" <sip:882@192.0.2.1>;tag=TheirS\r\nTo: <sip:881@192.0.2.1>\r\nCall-ID: Ab@192.0.2.20\r\n\
         CSeq: 7 INVITE\r\nContact: <sip:882@192.0.2.20:5062;transport=udp>\r\n{extra}Content-Length: 0\r\n\r\n"
    );
    let Ok(Message::Request(request)) = Message::parse(&text.into()) else { panic!("no request") };
    let essentials = validate::request(&request).unwrap();
    (request, essentials)
}

/// The peer's answer to `sent`, with more header lines.
fn answer(sent: &Request, status: u16, tag: Option<&str>, extra: &str) -> (Response, Essentials) {
    let response = Response::for_request(sent, status, tag);
    let text = String::from_utf8(response.to_bytes().to_vec()).unwrap();
    let text = text.replace("Content-Length:", &format!("{extra}Content-Length:"));
    let Ok(Message::Response(response)) = Message::parse(&text.into()) else { panic!("no response") };
    let essentials = validate::response(&response).unwrap();
    (response, essentials)
}

fn uas(extra: &str) -> Dialog {
    let (request, essentials) = invite(extra);
    Dialog::uas(&request, &essentials, "ours").unwrap()
}

/// The dialog of the other end, which sent the INVITE and gets the 200.
fn uac(status: u16, extra: &str) -> Dialog {
    let (sent, _) = invite("");
    let (response, essentials) = answer(&sent, status, Some("Far"), extra);
    Dialog::uac(&sent, &response, &essentials).unwrap()
}

fn lines(request: &Request) -> Vec<String> {
    let text = String::from_utf8(request.to_bytes().to_vec()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn routes(request: &Request) -> Vec<String> {
    request.headers.values(HeaderName::Route).map(|r| String::from_utf8_lossy(&r).into_owned()).collect()
}

/// RFC 3261 12.1.1 and 12.2.1.1.
#[test]
fn the_callee_turns_from_and_to_around_and_begins_its_own_count() {
    let mut dialog = uas("");
    assert_eq!((dialog.remote_cseq, dialog.confirmed), (Some(7), false));
    assert_eq!(
        lines(&dialog.request(Method::Bye)),
        [
            "BYE sip:882@192.0.2.20:5062;transport=udp SIP/2.0",
            "Max-Forwards: 70",
            "From: <sip:881@192.0.2.1>;tag=ours",
            "To: \"Fax, old\" <sip:882@192.0.2.1>;tag=TheirS",
            "Call-ID: Ab@192.0.2.20",
            "CSeq: 102 BYE",
            "Content-Length: 0",
            "",
        ]
    );
    let next = dialog.request(Method::Info);
    assert_eq!(next.headers.text(HeaderName::CSeq).as_deref(), Some("103 INFO"));
}

/// RFC 3261 12.1.2 and 12.2.1.1.
#[test]
fn the_caller_keeps_from_and_goes_on_counting() {
    let mut dialog = uac(200, "Contact: <sip:881@192.0.2.9>\r\n");
    assert!(dialog.confirmed);
    let bye = dialog.request(Method::Bye);
    assert_eq!(bye.target, "sip:881@192.0.2.9");
    assert_eq!(bye.headers.text(HeaderName::From).as_deref(), Some("\"Fax, old\" <sip:882@192.0.2.1>;tag=TheirS"));
    assert_eq!(bye.headers.text(HeaderName::To).as_deref(), Some("<sip:881@192.0.2.1>;tag=Far"));
    assert_eq!(bye.headers.text(HeaderName::CSeq).as_deref(), Some("8 BYE"));
}

/// RFC 3261 13.2.2.4: "the sequence number of the CSeq header field MUST be the same as the INVITE being acknowledged,
/// but the CSeq method MUST be ACK".
#[test]
fn an_ack_repeats_the_number_of_its_invite() {
    let dialog = uac(200, "Contact: <sip:881@192.0.2.9>\r\n");
    assert_eq!(dialog.ack(7).headers.text(HeaderName::CSeq).as_deref(), Some("7 ACK"));
    assert_eq!((dialog.ack(7).method, dialog.local_cseq), (Method::Ack, 7));
}

/// RFC 3261 12.1.1: "in order and preserving all URI parameters"; 12.1.2: "taken in reverse order".
#[test]
fn the_callee_reads_record_route_forwards_and_the_caller_backwards() {
    let mut forwards = uas(PROXIES);
    let bye = forwards.request(Method::Bye);
    assert_eq!(routes(&bye), ["<sip:p3.example;lr>", "<sip:p2.example;lr>", "<sip:p1.example;lr;x=y>"]);
    assert_eq!(bye.target, "sip:882@192.0.2.20:5062;transport=udp");
    assert_eq!(forwards.next_hop().to_string(), "sip:p3.example;lr");
    let backwards = uac(200, &format!("Contact: <sip:881@192.0.2.9>\r\n{PROXIES}"));
    assert_eq!(routes(&backwards.ack(7)), ["<sip:p1.example;lr;x=y>", "<sip:p2.example;lr>", "<sip:p3.example;lr>"]);
}

/// RFC 3261 12.2.1.1: the first route into the Request-URI, "stripping any parameters that are not allowed", the rest
/// into Route, the target last.
#[test]
fn a_strict_router_gets_itself_in_the_request_uri() {
    let mut dialog = uas("Record-Route: <sip:strict.example;method=INVITE?Subject=x>, <sip:p2.example;lr>\r\n");
    let bye = dialog.request(Method::Bye);
    assert_eq!(bye.target, "sip:strict.example");
    assert_eq!(routes(&bye), ["<sip:p2.example;lr>", "<sip:882@192.0.2.20:5062;transport=udp>"]);
    assert_eq!(uas("").next_hop().to_string(), "sip:882@192.0.2.20:5062;transport=udp");
}

/// RFC 3261 19.1.1: no header fields in a Request-URI.
#[test]
fn a_contact_with_header_fields_does_not_bring_them_into_the_request_uri() {
    let mut dialog = uac(200, "Contact: <sip:881@192.0.2.9?Replaces=x>\r\n");
    assert_eq!(dialog.request(Method::Bye).target, "sip:881@192.0.2.9");
}

/// RFC 3261 12.2.2.
#[test]
fn a_lower_number_is_out_of_order_and_acks_are_never() {
    let mut dialog = uas("");
    assert_eq!(dialog.receive(6, &Method::Info), Err(OutOfOrder));
    assert_eq!(dialog.receive(9, &Method::Info), Ok(()));
    assert_eq!(dialog.receive(8, &Method::Bye), Err(OutOfOrder));
    assert_eq!(dialog.receive(7, &Method::Ack), Ok(()), "the ACK of the INVITE came after the INFO");
    assert_eq!(dialog.receive(7, &Method::Cancel), Ok(()));
    assert_eq!(dialog.remote_cseq, Some(9));
    let mut dialog = uac(200, "");
    assert_eq!(dialog.receive(1, &Method::Bye), Ok(()), "the peer's first number may be any");
    assert_eq!(dialog.remote_cseq, Some(1));
}

/// RFC 3261 13.2.2.4: "the route set [...] MUST be recomputed based on the 2xx response".
#[test]
fn the_2xx_decides_the_route_set_of_an_early_dialog() {
    let mut dialog = uac(183, "Contact: <sip:early@192.0.2.9>\r\nRecord-Route: <sip:wrong.example;lr>\r\n");
    assert!(!dialog.confirmed);
    let (sent, _) = invite("");
    let (response, _) = answer(&sent, 200, Some("Far"), &format!("Contact: <sip:late@192.0.2.9>\r\n{PROXIES}"));
    assert_eq!(dialog.update_early(&response), Ok(()));
    assert!(dialog.confirmed);
    assert_eq!((dialog.remote_target.to_string().as_str(), dialog.route_set.len()), ("sip:late@192.0.2.9", 3));
}

/// RFC 3261 12.2: "a target refresh request [...] updates the remote target URI", never the route set.
#[test]
fn a_target_refresh_moves_the_target_and_only_that() {
    let mut dialog = uas(PROXIES);
    let before = dialog.route_set.clone();
    let mut headers = Headers::new();
    headers.push(HeaderName::RecordRoute, "<sip:other.example;lr>");
    dialog.refresh_target(&headers);
    assert_eq!(dialog.remote_target.to_string(), "sip:882@192.0.2.20:5062;transport=udp", "no Contact: it stays");
    headers.push(HeaderName::Contact, "<sip:882@192.0.2.77>");
    dialog.refresh_target(&headers);
    assert_eq!((dialog.remote_target.to_string().as_str(), dialog.route_set), ("sip:882@192.0.2.77", before));
}

/// RFC 3261 7.3.1 and 20.8: tags are compared without case, a Call-ID with it.
#[test]
fn a_message_finds_its_dialog() {
    let dialog = uas("");
    let (_, mut essentials) = invite("");
    assert_eq!(DialogKey::of_request(&essentials), None, "no To tag: no dialog");
    essentials.to.params.set("tag", Some("OURS"));
    essentials.from.params.set("tag", Some("theirs"));
    assert_eq!(DialogKey::of_request(&essentials), Some(dialog.key()));
    essentials.call_id = essentials.call_id.to_ascii_lowercase().into();
    assert_ne!(DialogKey::of_request(&essentials), Some(dialog.key()));
    let dialog = uac(180, "");
    let (sent, _) = invite("");
    let (_, essentials) = answer(&sent, 200, Some("far"), "");
    assert_eq!(DialogKey::of_response(&essentials), Some(dialog.key()));
    let (_, fork) = answer(&sent, 200, Some("other"), "");
    assert_ne!(DialogKey::of_response(&fork), Some(dialog.key()));
}

/// RFC 3261 12.1.1: "A UAS MUST be prepared to receive a request without a tag in the From field, in which case the tag
/// is considered to have a value of null."
#[test]
fn an_rfc_2543_peer_has_no_tag() {
    let (request, mut essentials) = invite("");
    essentials.from.params.remove("tag");
    let mut dialog = Dialog::uas(&request, &essentials, "ours").unwrap();
    assert_eq!(dialog.remote_tag, None);
    assert_eq!(
        dialog.request(Method::Bye).headers.text(HeaderName::To).as_deref(),
        Some("\"Fax, old\" <sip:882@192.0.2.1>")
    );
    essentials.to.params.set("tag", Some("ours"));
    assert_eq!(DialogKey::of_request(&essentials), Some(dialog.key()));
    let (sent, _) = invite("");
    let (response, essentials) = answer(&sent, 200, None, "Contact: <sip:881@192.0.2.9>\r\n");
    let dialog = Dialog::uac(&sent, &response, &essentials).unwrap();
    assert_eq!((DialogKey::of_response(&essentials), dialog.remote_tag.as_ref()), (Some(dialog.key()), None));
}

#[test]
fn what_cannot_be_reached_founds_no_dialog() {
    let (mut request, essentials) = invite("");
    request.headers.set(HeaderName::Contact, "*");
    assert_eq!(Dialog::uas(&request, &essentials, "ours"), Err(DialogError::NoContact));
    for routes in ["<sip:a".to_owned(), vec!["<sip:a;lr>"; 33].join(",")] {
        let (mut request, essentials) = invite("");
        request.headers.push(HeaderName::RecordRoute, routes);
        assert_eq!(Dialog::uas(&request, &essentials, "ours"), Err(DialogError::BadRecordRoute));
    }
    let dialog = uac(200, "");
    assert_eq!(dialog.remote_target.to_string(), "sip:881@192.0.2.1", "without a Contact, where we sent the INVITE");
    let (mut sent, _) = invite("");
    let (response, essentials) = answer(&sent, 200, Some("far"), "");
    sent.headers.set(HeaderName::From, "<sip:882@192.0.2.1>");
    assert_eq!(Dialog::uac(&sent, &response, &essentials), Err(DialogError::BadRequest));
}

/// RFC 3261 8.1.1.5: below 2^31.
#[test]
fn the_count_ends_where_the_rfc_ends_it() {
    let mut dialog = uas("");
    dialog.local_cseq = MAX_CSEQ;
    assert_eq!(dialog.request(Method::Bye).headers.text(HeaderName::CSeq).as_deref(), Some("2147483647 BYE"));
}

/// RFC 3261 19.1.1, table 1.
#[test]
fn no_header_field_and_no_method_gets_into_a_request_uri() {
    for (target, expected) in [
        ("sip:b@h?Route=%3Csip:x%3E", "sip:b@h"),
        ("sip:b@h;METHOD=BYE;transport=tcp?a=b&c=d", "sip:b@h;transport=tcp"),
        ("sip:b?c@h", "sip:b?c@h"),
        ("sip:b@h;x=y", "sip:b@h;x=y"),
    ] {
        let request = routed(Method::Options, target, &[]);
        assert_eq!(request.target, expected);
        let strict = routed(Method::Options, target, &[Bytes::from_static(b"<sip:proxy?x=y>")]);
        assert_eq!(strict.target, "sip:proxy");
        assert_eq!(strict.headers.text(HeaderName::Route).unwrap(), format!("<{expected}>"));
    }
}
