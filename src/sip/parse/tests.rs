use super::*;

mod mutation;

fn parse(text: &str) -> Result<Message, Unframed> {
    Message::parse(&Bytes::copy_from_slice(text.as_bytes()))
}

fn request(text: &str) -> Request {
    match parse(text) {
        Ok(Message::Request(request)) => request,
        other => panic!("{text}: {other:?}"),
    }
}

fn value(text: &str, name: HeaderName) -> String {
    request(&format!("OPTIONS sip:a SIP/2.0\r\n{text}\r\n\r\n")).headers.text(name).unwrap().into_owned()
}

#[test]
fn a_request_and_a_response() {
    let request = request("OPTIONS sip:881@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.9\r\nl: 3\r\n\r\nabcdef");
    assert_eq!((request.method, request.target.as_ref()), (Method::Options, &b"sip:881@192.0.2.1"[..]));
    assert_eq!(request.headers.text(HeaderName::Via).as_deref(), Some("SIP/2.0/UDP 192.0.2.9"));
    // RFC 3261 18.3: "If there are additional bytes in the transport packet beyond the end of the body, they MUST be
    // discarded."
    assert_eq!((request.body.as_ref(), request.flaw), (&b"abc"[..], None));
}

/// RFC 3261 25.1: the reason phrase may be empty, and any UTF-8 (RFC 4475 3.1.1.12 and 3.1.1.13).
#[test]
fn status_lines() {
    for (line, status, reason) in [
        ("SIP/2.0 180 Ringing", 180, "Ringing"),
        ("SIP/2.0 100 ", 100, ""),
        ("SIP/2.0 100", 100, ""),
        ("sip/2.0 699 \u{418}", 699, "\u{418}"),
    ] {
        match parse(&format!("{line}\r\nTo: x\r\n\r\n")) {
            Ok(Message::Response(response)) => {
                assert_eq!((response.status, response.reason_text().as_ref()), (status, reason));
            }
            other => panic!("{other:?}"),
        }
    }
    let bad = [
        "SIP/2.0 4294967301 big",
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0 20 x",
        "SIP/2.0  200 x",
        "SIP/3.0 200 x",
        "SIP/2.0",
        "SIP/",
        "SIP/2.0 -12 x",
    ];
    for line in bad {
        assert_eq!(parse(&format!("{line}\r\n\r\n")), Err(Unframed::BadStartLine), "{line}");
    }
}

#[test]
fn what_is_not_sip() {
    for (text, reason) in [
        ("", Unframed::Empty),
        ("\r\n\r\n", Unframed::KeepAlive),
        ("\0\0\0\0", Unframed::KeepAlive),
        ("\r\n \t\0", Unframed::KeepAlive),
        ("GET / HTTP/1.1\r\n\r\n", Unframed::NotSip),
        ("OPTIONS sip:a\r\n\r\n", Unframed::NotSip),
        ("hello", Unframed::NotSip),
        ("\0\u{1}\0\u{8}!\u{12}\u{a4}B", Unframed::NotSip),
        ("INVITE SIP/2.0\r\n\r\n", Unframed::BadStartLine),
        (" INVITE sip:a SIP/2.0\r\n\r\n", Unframed::BadStartLine),
    ] {
        assert_eq!(parse(text), Err(reason), "{text:?}");
    }
    let mut names: Vec<&str> = Unframed::ALL.iter().map(|reason| reason.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Unframed::ALL.len());
}

#[test]
fn the_largest_datagram() {
    let head = "OPTIONS sip:a SIP/2.0\r\nSubject: ";
    let fits = format!("{head}{}\r\n\r\n", "x".repeat(MAX_DATAGRAM - head.len() - 4));
    assert_eq!((fits.len(), request(&fits).flaw), (MAX_DATAGRAM, None));
    assert_eq!(parse(&format!("{fits}x")), Err(Unframed::TooLarge));
}

/// RFC 3261 7.5: CRLFs before the start line are ignored.
#[test]
fn leading_line_ends_are_skipped() {
    assert_eq!(request("\r\n\r\n\nOPTIONS sip:a SIP/2.0\r\n\r\n").flaw, None);
}

/// RFC 4475 3.1.2.8, 3.1.2.9, 3.1.2.10, 3.1.2.16, and what is no token.
#[test]
fn request_lines_that_require_a_refusal() {
    for (line, target, flaw) in [
        ("OPTIONS  sip:a  SIP/2.0", "sip:a", Flaw::StartLineSpace),
        ("OPTIONS sip:a SIP/2.0  ", "sip:a", Flaw::StartLineSpace),
        ("OPTIONS sip:a; lr SIP/2.0", "sip:a; lr", Flaw::StartLineSpace),
        ("OPTIONS\tsip:a\tSIP/2.0", "sip:a", Flaw::StartLineSpace),
        ("OPTIONS sip:a SIP/7.0", "sip:a", Flaw::Version),
        ("OPTIONS  sip:a SIP/2", "sip:a", Flaw::Version),
        ("OPT[ONS sip:a SIP/2.0", "sip:a", Flaw::Method),
    ] {
        let request = request(&format!("{line}\r\nTo: x\r\n\r\n"));
        assert_eq!((request.target.as_ref(), request.flaw), (target.as_bytes(), Some(flaw)), "{line}");
    }
    assert_eq!(request("options sip:a sip/2.0\r\n\r\n").flaw, None);
}

/// RFC 3261 7.3.1: names in any case or compact, blanks before the colon, folded lines equal to one blank.
#[test]
fn header_lines() {
    assert_eq!(value("TO :\tx \t", HeaderName::To), "x");
    assert_eq!(value("t:x", HeaderName::To), "x");
    assert_eq!(value("Subject: a\r\n  b \r\n\t\r\n c", HeaderName::Subject), "a b c");
    assert_eq!(value("Subject:\r\n a", HeaderName::Subject), "a");
    assert_eq!(value("Subject:", HeaderName::Subject), "");
    assert_eq!(value("Subject: a:b", HeaderName::Subject), "a:b");
    assert_eq!(value("Subject: a\nTo: y", HeaderName::To), "y");
    assert_eq!(value("X-Odd: 1", HeaderName::from_static("x-ODD")), "1");
    let latin1 = Message::parse(&Bytes::from_static(b"OPTIONS sip:a SIP/2.0\r\nSubject: J\xfcrgen\r\n\r\n")).unwrap();
    assert_eq!(latin1.headers().get(HeaderName::Subject).map(|v| v.as_ref()), Some(&b"J\xfcrgen"[..]));
    assert_eq!(latin1.headers().text(HeaderName::Subject).as_deref(), Some("Jürgen"));
}

#[test]
fn values_are_slices_of_the_datagram() {
    let datagram = Bytes::from("OPTIONS sip:a SIP/2.0\r\nSubject: abc\r\n\r\nbody");
    let message = Message::parse(&datagram).unwrap();
    let inside = datagram.as_ptr_range();
    assert!(inside.contains(&message.headers().get(HeaderName::Subject).unwrap().as_ptr()));
    assert!(inside.contains(&message.body().as_ptr()));
}

/// A name with a control character before its colon was taken for `To` by some parsers and not by others
/// (AST-2016-009): it is not a header field.
#[test]
fn lines_that_are_no_header_field() {
    for line in [
        "To\u{1}: x",
        "To\u{0}: x",
        "To\u{b}: x",
        "To x",
        ": x",
        "To x: y",
        "To\r: x",
        "\u{e9}: x",
        "Subject: a\rTo: x",
    ] {
        let request = request(&format!("OPTIONS sip:a SIP/2.0\r\nFrom: y\r\n{line}\r\n\r\n"));
        assert_eq!((request.flaw, request.headers.len()), (Some(Flaw::HeaderLine), 1), "{line:?}");
    }
    let folded_into_nothing = request("OPTIONS sip:a SIP/2.0\r\n To: x\r\nFrom: y\r\n\r\n");
    assert_eq!((folded_into_nothing.flaw, folded_into_nothing.headers.len()), (Some(Flaw::HeaderLine), 1));
}

#[test]
fn as_many_header_fields_as_we_keep() {
    let with = |count: usize| request(&format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", "Accept: a/b\r\n".repeat(count)));
    assert_eq!((with(256).flaw, with(256).headers.len()), (None, 256));
    assert_eq!((with(257).flaw, with(5_000).headers.len()), (Some(Flaw::TooManyHeaders), 256));
}

#[test]
fn header_fields_without_an_end() {
    assert_eq!(request("OPTIONS sip:a SIP/2.0\r\nTo: x\r\n").flaw, Some(Flaw::NoEmptyLine));
    assert_eq!(request("OPTIONS sip:a SIP/2.0\r\nTo: x").headers.text(HeaderName::To).as_deref(), Some("x"));
    assert_eq!(request("OPTIONS sip:a SIP/2.0").flaw, Some(Flaw::NoEmptyLine));
}

/// RFC 3261 18.3: without Content-Length the body is the rest; the required response to a truncated request is 400, and
/// a truncated response is discarded.
#[test]
fn bodies() {
    let with = |length: &str| request(&format!("OPTIONS sip:a SIP/2.0\r\n{length}\r\n\r\nabcd"));
    for (length, body, flaw) in [
        ("To: x", "abcd", None),
        ("l: 4", "abcd", None),
        ("Content-Length: 0", "", None),
        ("Content-Length: 0002", "ab", None),
        ("Content-Length: 5", "abcd", Some(Flaw::BodyTruncated)),
        ("Content-Length: -999", "abcd", Some(Flaw::ContentLength)),
        ("Content-Length: 99999999999999999999", "abcd", Some(Flaw::ContentLength)),
        ("Content-Length:", "abcd", Some(Flaw::ContentLength)),
        ("Content-Length: 4294967295", "abcd", Some(Flaw::BodyTruncated)),
    ] {
        assert_eq!((with(length).body.as_ref(), with(length).flaw), (body.as_bytes(), flaw), "{length}");
    }
    assert_eq!(parse("SIP/2.0 200 OK\r\nl: 5\r\n\r\nabcd"), Err(Unframed::BodyTruncated));
}
