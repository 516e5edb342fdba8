//! Thousands of mutated messages: nothing panics, and what is printed is parsed to the same message again.

use super::*;
use crate::rng::Rng;
use crate::sip::header::{CSeq, Challenge, ContactValue, Credentials, NameAddr, OptionTags, Via};
use crate::sip::{Uri, route, validate};
use std::fmt::Display;

const CORPUS: [&str; 14] = [
    // A PAP2T calling.
    "INVITE sip:88567682@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5061;branch=z9hG4bK-ca5addb1\r\nFrom: \"Client\" <sip:pap2t-client@192.0.2.1>;tag=fa3bd1e5d1c3e5f1o1\r\n\
     To: <sip:88567682@192.0.2.1>\r\nCall-ID: 8a1c0a5d-7d7f1e2c@192.0.2.20\r\nCSeq: 101 INVITE\r\nMax-Forwards: 70\r\nContact: \"Client\" <sip:pap2t-client@192.0.2.20:5061>\r\n\
     Expires: 240\r\nUser-Agent: Linksys/PAP2T-3.1.15(LS)\r\nContent-Length: 27\r\nAllow: ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, REFER\r\nSupported: x-sipura\r\n\
     Content-Type: application/sdp\r\n\r\nv=0\r\nm=audio 16420 RTP/AVP 0",
    // A Cisco 7960 registering.
    "REGISTER sip:192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.130:5060;branch=z9hG4bK5ab98907\r\nFrom: <sip:1600@192.0.2.9>;tag=000e84c060a60002\r\nTo: <sip:1600@192.0.2.9>\r\n\
     Call-ID: 000e84c0-60a60002-1@192.0.2.130\r\nMax-Forwards: 70\r\nCSeq: 102 REGISTER\r\nUser-Agent: Cisco-CP7960G/8.0\r\n\
     Contact: <sip:1600@192.0.2.130:5060;user=phone;transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000e84c060a6>\";+u.sip!model.ccm.cisco.com=\"7\"\r\n\
     Authorization: Digest username=\"1600\",realm=\"asterisk\",uri=\"sip:192.0.2.9\",response=\"00112233445566778899aabbccddeeff\",nonce=\"1608794790/f4dc\",opaque=\"4cf0\",cnonce=\"61cd\",qop=auth,nc=00000001,algorithm=md5\r\n\
     Content-Length: 0\r\nExpires: 120\r\n\r\n",
    // A Grandstream asking for the source port.
    "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1733;rport\r\nFrom: <sip:100@192.0.2.1>;tag=1928\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: 1234-5060-1@BA.A.A.F\r\n\
     CSeq: 2000 OPTIONS\r\nMax-Forwards: 70\r\nUser-Agent: Grandstream HT801 1.0.3.2\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n",
    // Everything that the grammar allows.
    "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n\
     from   : \"J Rosen \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 3\r\n\
     cseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n\
     UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nRoute:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n\
     v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n\
     m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\nv=0",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;received=192.0.2.1;rport=5060;branch=z9hG4bK776asdhds;ttl=1;maddr=[2001:db8::1]\r\nVia: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]\r\n\
     To: Bob <sip:bob@biloxi.example.com>;tag=a6c85cf\r\nFrom: Alice <sip:alice@atlanta.example.com>;tag=1928301774\r\nCall-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n\
     Contact: <sip:bob@192.0.2.4>\r\nRecord-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n",
    "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnashds7\r\nTo: <sip:b@192.0.2.1>;tag=as37\r\nFrom: <sip:b@192.0.2.1>;tag=1\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n\
     WWW-Authenticate: Digest algorithm=MD5, realm=\"aste\\\"risk\", nonce=\"2f6a1b3c\", qop=\"auth,auth-int\", opaque=\"5ccc\", stale=TRUE\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 100 \r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nt: <sip:a@b>\r\nf: <sip:c@d>;tag=1\r\ni: y\r\nCSeq: 1 INVITE\r\nTimestamp: 54\r\nl: 0\r\n\r\n",
    "ACK sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP pc33.example.com;branch=z9hG4bK74b43\r\nMax-Forwards: 70\r\nRoute: <sip:ss1.example.com;lr>\r\nFrom: Alice <sip:alice@example.com>;tag=9fxced76sl\r\n\
     To: Bob <sip:bob@example.com>;tag=314159\r\nCall-ID: 3848276298220188511@example.com\r\nCSeq: 2 ACK\r\nContent-Length: 0\r\n\r\n",
    "NOTIFY sip:line1@192.0.2.20 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1f\nFrom: \"asterisk\" <sip:asterisk@192.0.2.1>;tag=as5\nTo: <sip:line1@192.0.2.20>\nCall-ID: 6e\nCSeq: 102 NOTIFY\n\
     Event: resync\nSubscription-State: terminated\nContact: <sip:asterisk@192.0.2.1>\nl: 0\n\n",
    "REFER sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK-r\r\nFrom: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:b@192.0.2.1>;tag=2\r\nCall-ID: z@z\r\nCSeq: 7 REFER\r\n\
     Refer-To: <sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>\r\nReferred-By: <sip:a@192.0.2.1>\r\nRequire: timer, replaces\r\nContact: *\r\n\r\n",
    "MESSAGE tel:+1-201-555-0123 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9\r\nFrom: sip:a@192.0.2.1;tag=1\r\nTo: <tel:+1-201-555-0123>\r\nCall-ID: m\r\nCSeq: 1 MESSAGE\r\nSubject: \u{20ac} (comment, \"x\")\r\n\r\nHallo",
    "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n\
     Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\nTo: \"BEL:\\\u{7} NUL:\\\u{0} DEL:\\\u{7f}\" <sip:x@example.com>\r\n\
     From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"\u{440}\u{430}\";tag=_token~1'+`*%!-.\r\n\
     Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\nCSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\nMax-Forwards: 255\r\nextensionHeader-!.%*+_`'~: \u{ef}\u{bb}\u{bf}x\r\nContent-Length: 0\r\n\r\n",
    "REGISTER sips:[2001:db8::10]:5070 SIP/2.0\r\nVia: SIP/2.0/TLS [2001:db8::9:1]:5061;branch=z9hG4bKas3;rport=1\r\nFrom: <sips:u@example.com>;tag=81x2\r\nTo: <sips:u@example.com>\r\nCall-ID: S\r\nCSeq: 98 REGISTER\r\n\
     Contact: <sips:caller@[::ffff:192.0.2.10]>;expires=280297596632815;q=0.7, \"Joe\" <sip:%00@h.example.com>;expires=0, sip:bare@h;q=1.000\r\nPath: <sip:p;lr>\r\nExpires: 99999999999\r\nl: 0\r\n\r\n",
    "SUBSCRIBE sip:%61lice@AtLanTa.CoM:5060;Transport=tcp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;x=\"a;b,c\\\"\";branch=z9hG4bKs, SIP/2.0/UDP b\r\nf: \"\" <sip:a@b>;tag=q\r\nt: <sip:a@b>\r\ni: s\r\nCSeq: 2147483647 SUBSCRIBE\r\n\
     m: <sip:a@192.0.2.9>\r\no: dialog;id=1\r\nAccept: a/b, c/d\r\nk: path,outbound\r\nProxy-Authorization: Basic QQ==\r\nProxy-Authenticate: Digest realm=\"r\",nonce=\"n\"\r\n\r\n",
];

#[test]
fn the_corpus_itself_is_good() {
    for text in CORPUS {
        match parse(text) {
            Ok(Message::Request(request)) => assert_eq!(request.flaw, None, "{text}"),
            Ok(Message::Response(response)) => assert!(validate::response(&response).is_ok(), "{text}"),
            Err(reason) => panic!("{reason}: {text}"),
        }
    }
}

#[test]
fn mutated_messages_never_panic_and_print_stably() {
    let rounds = std::env::var("STROWGER_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(50_000u64);
    let mut rng = Rng::from_number(0x5349_5032);
    let mut framed = 0u64;
    for _ in 0..rounds {
        let mut bytes = pick(&mut rng).to_vec();
        for _ in 0..=rng.below(4) {
            mutate(&mut bytes, &mut rng);
        }
        framed += u64::from(probe(&bytes));
    }
    // If nearly everything were refused at once, the test would test nothing.
    assert!(framed > rounds / 2, "{framed} of {rounds} were framed");
}

fn pick(rng: &mut Rng) -> &'static [u8] {
    CORPUS[rng.below(CORPUS.len() as u64) as usize].as_bytes()
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const ODD: [&[u8]; 16] = [
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n ",
        b"\"",
        b"<",
        b">",
        b";",
        b",",
        b"%",
        b"\\",
        b"\xff\xfe",
        b"99999999999999999999",
        b"SIP/2.0",
    ];
    let length = bytes.len() as u64;
    let at = rng.below(length + 1) as usize;
    match rng.below(7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        1 => {
            let other = pick(rng);
            let from = rng.below(other.len() as u64) as usize;
            let until = (from + rng.below(80) as usize).min(other.len());
            bytes.splice(at..at, other[from..until].iter().copied());
        }
        2 if rng.below(4) == 0 => bytes.truncate(at),
        3 => {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
            let twice = rng.below(lines.len().max(1) as u64) as usize;
            *bytes = lines
                .iter()
                .enumerate()
                .flat_map(|(n, line)| [*line].repeat(1 + usize::from(n == twice)))
                .flatten()
                .copied()
                .collect();
        }
        4 => {
            let odd = ODD[rng.below(ODD.len() as u64) as usize];
            bytes.splice(at..at, odd.iter().copied());
        }
        5 => {
            let until = (at + rng.below(12) as usize).min(bytes.len());
            bytes.drain(at..until);
        }
        _ if at < bytes.len() => bytes[at] = rng.bits() as u8,
        _ => {}
    }
}

/// Parses, validates, reads every field, prints; returns whether it could be framed.
fn probe(bytes: &[u8]) -> bool {
    let Ok(message) = Message::parse(&Bytes::copy_from_slice(bytes)) else { return false };
    let printed = message.to_bytes();
    match Message::parse(&printed) {
        Ok(again) => assert_eq!(again.to_bytes(), printed, "{:?}", Bytes::copy_from_slice(bytes)),
        // The one thing printing adds to a full-sized datagram or list of header fields is the Content-Length.
        Err(reason) => assert_eq!(reason, Unframed::TooLarge),
    }
    touch(message.headers());
    match message {
        Message::Request(mut request) => {
            if let Ok(uri) = request.uri() {
                stable(&uri, |text| Uri::parse(text).ok());
                assert!(uri.equivalent(&uri), "{uri}");
                uri.sip().and_then(|uri| uri.user_text());
            }
            let source = "192.0.2.130:51098".parse().unwrap();
            if let Ok(essentials) = validate::request(&request) {
                route::response_target(&essentials.via, source, false);
                route::stamp_via(&mut request.headers, source, false);
                let stamped = validate::request(&request).unwrap();
                assert_eq!((stamped.via.received, &stamped.via.branch), (Some(source.ip()), &essentials.via.branch));
                assert_eq!(stamped.via.rport, essentials.via.rport.map(|_| Some(source.port())));
            }
            let response = super::super::Response::for_request(&request, 400, Some("as1"));
            assert!(Message::parse(&response.to_bytes()).is_ok());
        }
        Message::Response(response) => {
            let _ = validate::response(&response);
        }
    }
    true
}

fn touch(headers: &Headers) {
    for value in headers.values(HeaderName::Via) {
        Via::parse(&value).iter().for_each(|via| stable(via, |text| Via::parse(text).ok()));
    }
    for name in [
        HeaderName::From,
        HeaderName::To,
        HeaderName::Route,
        HeaderName::RecordRoute,
        HeaderName::ReferTo,
        HeaderName::Path,
    ] {
        for value in headers.values(name) {
            NameAddr::parse(&value).iter().for_each(|address| stable(address, |text| NameAddr::parse(text).ok()));
        }
    }
    for value in headers.values(HeaderName::Contact) {
        if let Ok(contact) = ContactValue::parse(&value) {
            stable(&contact, |text| ContactValue::parse(text).ok());
            assert!(contact.q() <= 1000);
            contact.expires();
        }
    }
    for value in headers.values(HeaderName::CSeq) {
        CSeq::parse(&value).iter().for_each(|cseq| stable(cseq, |text| CSeq::parse(text).ok()));
    }
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        for value in headers.values(name) {
            Credentials::parse(&value).iter().for_each(|found| stable(found, |text| Credentials::parse(text).ok()));
        }
    }
    for name in [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate] {
        for value in headers.values(name) {
            Challenge::parse(&value).iter().for_each(|found| stable(found, |text| Challenge::parse(text).ok()));
        }
    }
    OptionTags::from_headers(headers, HeaderName::Supported).unknown(&["timer"]);
}

/// What is printed can be parsed, and prints the same again.
fn stable<T: Display>(value: &T, parse: impl Fn(&[u8]) -> Option<T>) {
    let printed = value.to_string();
    let again = parse(printed.as_bytes()).unwrap_or_else(|| panic!("{printed:?} does not read back"));
    assert_eq!(again.to_string(), printed);
}
