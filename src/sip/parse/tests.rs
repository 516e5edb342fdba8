use super::*;

fn parse(text: &str) -> Result<Message, Unframed> {
    Message::parse(&Bytes::copy_from_slice(text.as_bytes()))
}

fn request(text: &str) -> Request {
    match parse(text) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_and_a_response() {
    let request = request("OPTIONS sip:881@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.9\r\nl: 3\r\n\r\nabcdef");
    assert_eq!((request.method, request.target.as_ref()), (Method::Options, &b"sip:881@192.0.2.1"[..]));
    assert_eq!(request.headers.text(HeaderName::Via).as_deref(), Some("SIP/2.0/UDP 192.0.2.9"));
    // RFC 3261 18.3: "Any extra bytes beyond the end of the body MUST be discarded."
    assert_eq!((request.body.as_ref(), request.flaw), (&b"abc"[..], None));
    match parse("SIP/2.0 180 Ringing\r\nTo: x\r\n\r\n") {
        Ok(Message::Response(response)) => {
            assert_eq!((response.status, response.reason_text().as_ref()), (180, "Ringing"))
        }
        other => panic!("{other:?}"),
    }
}
