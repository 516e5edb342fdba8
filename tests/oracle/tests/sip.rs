//! SIP and RTP: what rsip and rtp accept rightly, strowger accepts with the same meaning, over generated messages.

use bytes::Bytes;
use rsip::prelude::{HasHeaders, HeadersExt, UntypedHeader};
use strowger::rng::Rng;
use strowger::rtp::header::Header;
use strowger::sip::header::{CSeq, HeaderName, NameAddr};
use strowger::sip::message::Message;
use webrtc_util::marshal::Unmarshal;

const ROUNDS: u64 = 50_000;

fn pick<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[usize::try_from(rng.below(u64::try_from(of.len()).unwrap())).unwrap()]
}

/// A message that is right by RFC 3261 25, put together by chance.
fn generated(rng: &mut Rng) -> String {
    let method = pick(rng, &["INVITE", "REGISTER", "OPTIONS", "BYE", "ACK", "CANCEL", "NOTIFY", "UPDATE"]);
    let host = pick(rng, &["192.0.2.1", "example.com", "[2001:db8::9]", "a-b.example"]);
    let user = pick(rng, &["alice", "88567682", "a%20b", "+49301234", "x_y-z.w"]);
    let port = pick(rng, &["", ":5060", ":5070"]);
    let start = match rng.below(4) {
        0 => format!(
            "SIP/2.0 {} {}",
            pick(rng, &["100", "180", "200", "404", "486"]),
            pick(rng, &["OK", "So it is", "-"])
        ),
        _ => format!("{method} sip:{user}@{host}{port} SIP/2.0"),
    };
    let name = pick(rng, &["", "Alice ", "\"Al \\\"x\\\" ice\" ", "\"\" "]);
    let tag = format!(";tag={}", rng.hex(8));
    let via = pick(rng, &["Via", "v", "VIA"]);
    let call_id = pick(rng, &["Call-ID", "i"]);
    let body = pick(rng, &["", "v=0\r\n", "any bytes at all"]);
    format!(
        "{start}\r\n{via}: SIP/2.0/UDP {host}{port};branch=z9hG4bK{}\r\nMax-Forwards: {}\r\nFrom: {name}<sip:{user}@{host}>{tag}\r\n\
         To: <sip:{user}@{host}>\r\n{call_id}: {}@{host}\r\nCSeq: {} {method}\r\nContent-Length: {}\r\n\r\n{body}",
        rng.hex(8),
        rng.below(256),
        rng.hex(12),
        rng.below(1 << 31),
        body.len()
    )
}

fn header<'a>(theirs: &'a rsip::SipMessage, name: &str) -> Option<&'a rsip::Header> {
    theirs.headers().iter().find(|header| header.to_string().to_ascii_lowercase().starts_with(&format!("{name}:")))
}

fn value(header: &rsip::Header) -> String {
    header.to_string().split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// Start line, header fields and body, field by field.
#[test]
fn rsip_and_we_read_the_same_out_of_generated_messages() {
    let mut rng = Rng::from_number(3261);
    let mut read = 0;
    for _ in 0..ROUNDS {
        let text = generated(&mut rng);
        let ours = Message::parse(&Bytes::from(text.clone())).unwrap_or_else(|why| panic!("{why}:\n{text}"));
        let Ok(theirs) = rsip::SipMessage::try_from(text.as_bytes()) else { continue };
        read += 1;
        let (headers, body) = match (&ours, &theirs) {
            (Message::Request(ours), rsip::SipMessage::Request(theirs)) => {
                assert_eq!(String::from_utf8_lossy(ours.method.as_bytes()), theirs.method.to_string(), "{text}");
                (&ours.headers, &ours.body)
            }
            (Message::Response(ours), rsip::SipMessage::Response(theirs)) => {
                assert_eq!(ours.status, theirs.status_code.code(), "{text}");
                (&ours.headers, &ours.body)
            }
            _ => panic!("one takes it for a request, the other for a response:\n{text}"),
        };
        assert_eq!(body.as_ref(), theirs.body(), "{text}");
        for (name, key) in [("from", HeaderName::From), ("to", HeaderName::To), ("cseq", HeaderName::CSeq)] {
            let theirs = header(&theirs, name).map(value).unwrap_or_default();
            assert_eq!(headers.text(key).unwrap_or_default(), theirs, "{text}");
        }
        // It does not know the short name `i`, which RFC 3261 20.8 gives Call-ID.
        if let Ok(id) = theirs.call_id_header() {
            assert_eq!(headers.text(HeaderName::CallId).unwrap_or_default(), id.value(), "{text}");
        }
        let cseq = CSeq::parse(headers.get(HeaderName::CSeq).unwrap()).unwrap();
        if let Ok(seq) = theirs.cseq_header().and_then(|header| header.seq()) {
            assert_eq!(cseq.number, seq, "{text}");
        }
        let from = NameAddr::parse(headers.get(HeaderName::From).unwrap()).unwrap();
        if let Ok(tag) = theirs.from_header().map_err(|_| ()).and_then(|header| header.tag().map_err(|_| ())) {
            assert_eq!(from.tag(), tag.as_ref().map(|tag| tag.value()), "{text}");
        }
    }
    assert!(read > usize::try_from(ROUNDS).unwrap() / 2, "rsip reads only {read} of them");
}

/// Version, marker, type, sequence, time, source and payload of random packets; those with header extensions are left
/// out, for there the crate panics (see `proofs.rs`).
#[test]
fn rtp_and_we_read_the_same_header() {
    let mut rng = Rng::from_number(3550);
    let (mut both, mut neither) = (0, 0);
    for _ in 0..ROUNDS {
        let length = usize::try_from(rng.below(60)).unwrap();
        let mut packet: Vec<u8> = (0..length).map(|_| u8::try_from(rng.below(256)).unwrap()).collect();
        if let Some(first) = packet.first_mut() {
            // Version 2, no extension, no padding; any number of contributing sources.
            *first = 0x80 | (*first & 0x0f);
        }
        let theirs = rtp::header::Header::unmarshal(&mut packet.as_slice());
        match (Header::read(&packet), theirs) {
            (Ok(ours), Ok(theirs)) => {
                both += 1;
                assert_eq!(
                    (ours.marker, ours.payload_type, ours.sequence, ours.timestamp, ours.ssrc),
                    (theirs.marker, theirs.payload_type, theirs.sequence_number, theirs.timestamp, theirs.ssrc),
                    "{packet:02x?}"
                );
            }
            (Err(_), Err(_)) => neither += 1,
            (ours, theirs) => panic!("{ours:?} and {theirs:?} of {packet:02x?}"),
        }
    }
    assert!(both > 10_000 && neither > 1_000, "{both} read by both, {neither} by neither");
}
