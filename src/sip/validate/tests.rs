use super::*;
use crate::sip::Message;
use bytes::Bytes;

const LINES: [&str; 8] = [
    "Via: SIP/2.0/UDP 192.0.2.20:5061;branch=z9hG4bK-ca5addb1",
    "From: Client <sip:pap2t-client@192.0.2.1>;tag=fa3bo1",
    "To: <sip:88567682@192.0.2.1>",
    "Call-ID: 8a1c0a5d@192.0.2.20",
    "CSeq: 101 INVITE",
    "Max-Forwards: 70",
    "Contact: Client <sip:pap2t-client@192.0.2.20:5061>",
    "Content-Length: 0",
];

/// A good INVITE in which the line that begins like `line` is replaced by it, or `line` added.
fn with(line: &str) -> String {
    let name = line.split(':').next().unwrap_or_default();
    let mut lines: Vec<&str> = LINES.iter().copied().filter(|l| l.split(':').next() != Some(name)).collect();
    lines.push(line);
    format!("INVITE sip:88567682@192.0.2.1 SIP/2.0\r\n{}\r\n\r\n", lines.join("\r\n"))
}

fn without(name: &str) -> String {
    with(&format!("{name}: x")).replace(&format!("{name}: x\r\n"), "")
}

fn check(text: &str) -> Result<Essentials, Refusal> {
    match Message::parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Request(message)) => request(&message),
        other => panic!("{text}: {other:?}"),
    }
}

fn refused(text: &str) -> (u16, &'static str) {
    match check(text) {
        Err(refusal) => {
            assert!(refusal.via.is_some(), "no way to answer {text}");
            (refusal.status, refusal.reason)
        }
        Ok(_) => panic!("let through: {text}"),
    }
}

#[test]
fn a_good_invite() {
    let essentials = check(&with("Expires: 240")).unwrap();
    assert_eq!(
        (essentials.call_id.as_str(), essentials.cseq.number, essentials.max_forwards),
        ("8a1c0a5d@192.0.2.20", 101, Some(70))
    );
    assert_eq!((essentials.from.tag(), essentials.to.tag()), (Some("fa3bo1"), None));
    assert_eq!(essentials.via.port, Some(5061));
}

/// RFC 3261 8.1.1: "A valid SIP request formulated by a UAC MUST, at a minimum, contain the following header fields:
/// To, From, CSeq, Call-ID, Max-Forwards, and Via". An RFC 2543 device sends no Max-Forwards.
#[test]
fn what_a_request_must_have() {
    assert_eq!(refused(&without("To")), (400, "Missing To header"));
    assert_eq!(refused(&without("From")), (400, "Missing From header"));
    assert_eq!(refused(&without("Call-ID")), (400, "Missing Call-ID header"));
    assert_eq!(refused(&without("CSeq")), (400, "Missing CSeq header"));
    // RFC 3261 8.1.1.8.
    assert_eq!(refused(&without("Contact")), (400, "Missing Contact header"));
    assert_eq!(check(&without("Max-Forwards")).map(|e| e.max_forwards), Ok(None));
}

#[test]
fn nobody_to_answer() {
    assert_eq!(check(&without("Via")).map_err(|r| r.via), Err(None));
    assert_eq!(check(&with("Via: SIP/2.0/UDP")).map_err(|r| r.via), Err(None));
    assert_eq!(check(&with("Via: , SIP/2.0/UDP 192.0.2.1")).map_err(|r| r.via), Err(None));
}

/// Each a case of RFC 4475, with its section.
#[test]
fn what_is_malformed_is_refused() {
    for (line, reason) in [
        ("Via: SIP/2.0/UDP 192.0.2.15;;,;,,", "Malformed Via header"), // 3.1.2.1
        ("Contact: \"Joe\" <sip:joe@example.org>;;;;", "Malformed Contact header"), // 3.1.2.1
        ("Content-Length: 9999", "Body Shorter Than Content-Length"),  // 3.1.2.2
        ("Content-Length: -999", "Malformed Content-Length header"),   // 3.1.2.3
        ("CSeq: 36893488147419103232 INVITE", "Malformed CSeq header"), // 3.1.2.4
        ("CSeq: 2147483648 INVITE", "Malformed CSeq header"),
        ("Max-Forwards: 300", "Malformed Max-Forwards header"), // 3.1.2.4
        ("Max-Forwards: x", "Malformed Max-Forwards header"),
        ("To: \"Mr. J. User <sip:j.user@example.com>", "Malformed To header"), // 3.1.2.6
        ("Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E", "Malformed Contact header"), // 3.1.2.13
        ("To: \"Watson, Thomas\" < sip:t.watson@example.org >", "Malformed To header"), // 3.1.2.14
        ("From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43", "Malformed From header"), // 3.1.2.15
        ("CSeq: 8 OPTIONS", "CSeq Method Mismatch"),                           // 3.1.2.17
        ("CSeq: 8 invite", "CSeq Method Mismatch"),
        ("Call-ID: a b", "Malformed Call-ID header"),
        ("Call-ID:", "Malformed Call-ID header"),
        ("Contact: *", "Malformed Contact header"),
        ("Contact: <tel:+15551234>", "Malformed Contact header"),
        ("Contact: <sip:a@b>, <sip:c@d>", "Duplicate Contact header"),
        ("To\u{1}: <sip:a@b>", "Malformed Header Line"),
        ("Via: SIP/2.0/UDP 192.0.2.20:5061;rport=99999", "Malformed Via header"),
    ] {
        assert_eq!(refused(&with(line)), (400, reason), "{line}");
    }
}

/// RFC 4475 3.3.8 and 3.3.9; RFC 3261 7.3.1.
#[test]
fn what_may_stand_once_stands_once() {
    for name in ["From", "t", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type", "Expires"] {
        let text = with("Content-Type: application/sdp").replace("Max-Forwards: 70", "Max-Forwards: 70\r\nExpires: 1");
        let line = format!("SIP/2.0\r\n{name}: 0\r\n");
        let (status, reason) = refused(&text.replacen("SIP/2.0\r\n", &line, 1));
        assert_eq!((status, reason.starts_with("Duplicate ")), (400, true), "{name}: {reason}");
    }
    assert!(
        check(&with("Via: SIP/2.0/UDP a\r\nVia: SIP/2.0/UDP b\r\nAllow: ACK\r\nAllow: BYE\r\nX-A: 1\r\nX-A: 2"))
            .is_ok()
    );
}

/// RFC 4475 3.1.2.7 to 3.1.2.11, 3.1.2.16, 3.3.2, 3.3.3; RFC 5118 4.2.
#[test]
fn request_lines() {
    for (line, status) in [
        ("INVITE <sip:user@example.com> SIP/2.0", 400),
        ("INVITE sip:user@example.com; lr SIP/2.0", 400),
        ("INVITE  sip:user@example.com  SIP/2.0", 400),
        ("INVITE sip:user@example.com SIP/2.0  ", 400),
        ("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0", 400),
        ("INVITE sip:2001:db8::10 SIP/2.0", 400),
        ("INVITE sip:user@example.com SIP/7.0", 505),
        ("INVITE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", 416),
        ("INVITE soap.beep://192.0.2.103:3002 SIP/2.0", 416),
    ] {
        let text = with("Expires: 1").replace("INVITE sip:88567682@192.0.2.1 SIP/2.0", line);
        assert_eq!(refused(&text).0, status, "{line}");
    }
    // The Via of another version is of that version, too.
    let other = with("Expires: 1").replace("SIP/2.0", "SIP/7.0");
    assert_eq!(refused(&other).0, 505);
}

#[test]
fn a_body_beyond_all_reason() {
    let with_body = |length: usize| with(&format!("Content-Length: {length}")) + &"x".repeat(length);
    assert!(check(&with_body(MAX_BODY)).is_ok());
    assert_eq!(refused(&with_body(MAX_BODY + 1)).0, 413);
}

/// What is unusual but legal, or harmless: RFC 4475 3.1.1.1, 3.1.2.12 (a date in another zone), and values that are
/// only checked where they are used.
#[test]
fn what_is_let_through() {
    for line in [
        "Date: Fri, 01 Jan 2010 16:00:00 EST",
        "Expires: 100000000000000000000",
        "From: caller<sip:caller@example.com>;tag=323",
        "From: sip:caller@example.com",
        "From: <http://www.example.com>;tag=3234233",
        "To: J\u{f6}rg O'Neil (home) <sip:j@example.com>",
        "Via: SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bK",
        "Authorization: NoOneKnowsThisScheme opaque-data=here",
        "Subject:",
    ] {
        assert!(check(&with(line)).is_ok(), "{line}");
    }
}

/// A keep-alive NOTIFY of an ATA has no Contact; a REGISTER may have none or several, if they can be parsed.
#[test]
fn a_contact_is_needed_only_where_it_is() {
    let method = |method: &str, contact: &str| {
        check(&with(contact).replace("INVITE", method)).map(|_| ()).map_err(|refusal| refusal.reason)
    };
    assert_eq!(method("NOTIFY", "Contact: "), Ok(()));
    for nothing in ["Contact: ", "Contact: ,", "Contact: , ,", "Contact: ;expires=0", "Contact: <>"] {
        assert_eq!(method("REGISTER", nothing), Err("Malformed Contact header"), "{nothing:?}");
    }
    assert_eq!(method("REGISTER", "Subject: no Contact"), Ok(()));
    assert_eq!(method("REGISTER", "Contact: *"), Ok(()));
    assert_eq!(method("REGISTER", "Contact: <sip:a@b>, <name:John_Smith>"), Ok(()));
    assert_eq!(method("REGISTER", "Contact: <sip:a@b>, <"), Err("Malformed Contact header"));
    assert_eq!(method("SUBSCRIBE", "Contact: "), Err("Missing Contact header"));
}

/// RFC 3261 8.1.3.3 and 18.1.2; RFC 4475 3.1.2.5.
#[test]
fn responses_are_used_or_dropped() {
    let answer = |text: String| match Message::parse(&Bytes::from(
        text.replace("INVITE sip:88567682@192.0.2.1 SIP/2.0", "SIP/2.0 200 OK"),
    )) {
        Ok(Message::Response(message)) => response(&message).map(|e| e.cseq.number),
        Ok(Message::Request(message)) => panic!("{message:?}"),
        Err(reason) => Err(reason),
    };
    assert_eq!(answer(with("Server: x")), Ok(101));
    assert_eq!(answer(without("Contact")), Ok(101));
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        assert_eq!(answer(without(name)), Err(Unframed::MissingHeader), "{name}");
    }
    assert_eq!(answer(with("CSeq: 9292394834772304023312 OPTIONS")), Err(Unframed::BadHeader));
    assert_eq!(answer(with("no colon")), Err(Unframed::BadHeader));
    assert_eq!(answer(with("f: <sip:a@b>")), Err(Unframed::DuplicateHeader));
    assert_eq!(answer(with("Content-Length: 5")), Err(Unframed::BodyTruncated));
    assert_eq!(answer(with("Content-Length: x")), Err(Unframed::BadHeader));
}

/// RFC 3261 8.1.1.8: a request that may create a dialog needs a Contact, and no other does.
#[test]
fn a_contact_is_needed_by_what_the_table_says_begins_a_dialog() {
    for (_, name, rules) in crate::sip::method::TABLE {
        let text = without("Contact").replace("INVITE", name);
        let missing = matches!(check(&text), Err(refusal) if refusal.reason == "Missing Contact header");
        assert_eq!(missing, rules.creates_dialog, "{name}");
    }
}

/// RFC 3966: a number may stand where an address stands; but a registrar is named by its domain, and what it binds by
/// an address (RFC 3261 10.2).
#[test]
fn telephone_numbers_are_addresses_but_for_a_registrar() {
    let to = |method: &str, target: &str, to: &str| {
        let text = with(&format!("To: {to}")).replace("INVITE", method);
        let first = text.lines().next().unwrap().to_owned();
        check(&text.replacen(&first, &format!("{method} {target} SIP/2.0"), 1))
            .map(|_| ())
            .map_err(|refusal| (refusal.status, refusal.reason))
    };
    let usual = "sip:881@192.0.2.1";
    for (method, target, number) in [
        ("INVITE", "tel:+1-201-555-0123", "<tel:+1-201-555-0123>"),
        ("INVITE", "TEL:7042;phone-context=example.com", "tel:7042;phone-context=example.com"),
        ("OPTIONS", "tel:*43", "<sip:a@b>"),
        ("INVITE", usual, "<tel:+49-89-1>"),
    ] {
        assert_eq!(to(method, target, number), Ok(()), "{method} {target} {number}");
    }
    for target in ["tel:anna", "tel:+", "tel:;phone-context=x"] {
        assert_eq!(to("INVITE", target, "<sip:a@b>"), Err((400, "Malformed Request-URI")), "{target}");
    }
    assert_eq!(to("INVITE", "mailto:a@b", "<sip:a@b>"), Err((416, "Unsupported URI Scheme")));
    assert_eq!(to("REGISTER", "tel:+1", "<sip:a@b>"), Err((416, "Unsupported URI Scheme")));
    assert_eq!(to("REGISTER", "sip:192.0.2.1", "<tel:101>"), Err((400, "To Must Be A SIP URI")));
}
