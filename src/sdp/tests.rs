//! The module as a whole: descriptions of real phones, and mutated ones.

use super::*;
use std::net::{IpAddr, SocketAddr};

/// Linksys PAP2T, firmware 3.1.15(LS).
pub(super) const PAP2T: &str = "v=0\r\no=- 1234567 1234567 IN IP4 192.168.1.20\r\ns=-\r\nc=IN IP4 192.168.1.20\r\nt=0 0\r\n\
    m=audio 16420 RTP/AVP 0 2 4 8 18 96 97 98 100 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:2 G726-32/8000\r\n\
    a=rtpmap:4 G723/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:18 G729a/8000\r\na=rtpmap:96 G726-40/8000\r\n\
    a=rtpmap:97 G726-24/8000\r\na=rtpmap:98 G726-16/8000\r\na=rtpmap:100 NSE/8000\r\na=fmtp:100 192-193\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:30\r\na=sendrecv\r\n";

/// Grandstream HT801, firmware 1.0.3.2.
pub(super) const HT801: &str = "v=0\r\no=201 8000 8000 IN IP4 192.168.1.30\r\ns=SIP Call\r\nc=IN IP4 192.168.1.30\r\nt=0 0\r\n\
    m=audio 5004 RTP/AVP 0 8 4 18 2 97 123 101\r\na=sendrecv\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:4 G723/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n\
    a=rtpmap:2 G726-32/8000\r\na=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=20\r\na=rtpmap:123 opus/48000/2\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

/// Cisco 7975: `c=` after `m=`.
pub(super) const CISCO: &str = "v=0\r\no=Cisco-SIPUA 2521 0 IN IP4 192.168.1.40\r\ns=SIP Call\r\nt=0 0\r\n\
    m=audio 24598 RTP/AVP 0 8 18 9 116 101\r\nc=IN IP4 192.168.1.40\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:9 G722/8000\r\na=rtpmap:116 iLBC/8000\r\na=fmtp:116 mode=20\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n";

/// A gateway with Cisco's modem signalling, V.152 and an address for RTCP of its own.
pub(super) const GATEWAY: &str = "v=0\r\no=CiscoSystemsSIP-GW-UserAgent 7 1 IN IP4 10.0.0.9\r\ns=SIP Call\r\nc=IN IP4 10.0.0.9\r\n\
    t=0 0\r\nm=audio 18000 RTP/AVP 8 96 100 101\r\nc=IN IP4 10.0.0.9\r\na=rtcp:18009 IN IP4 10.0.0.10\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:96 PCMU/8000\r\na=gpmd:96 vbd=yes\r\na=rtpmap:100 X-NSE/8000\r\na=fmtp:100 192-194\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\na=silenceSupp:off - - - -\r\na=X-sqn:0\r\na=X-cap: 1 audio RTP/AVP 100\r\na=ptime:20\r\n";

/// A browser-like offer: video beside voice, keys, candidates.
pub(super) const SOFTPHONE: &str = "v=0\r\no=jane 9007199254740993 2 IN IP6 2001:db8::7\r\ns=-\r\nc=IN IP6 2001:db8::7\r\nt=0 0\r\n\
    a=group:BUNDLE 0 1\r\na=ice-lite\r\na=fingerprint:sha-256 AA:BB\r\nm=video 6000 RTP/AVP 34\r\na=rtpmap:34 H263/90000\r\n\
    m=audio 6002 RTP/AVP 111 0 101 13\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=ice-ufrag:ab\r\na=ice-pwd:secretword\r\na=candidate:1 1 UDP 1 192.168.1.7 6002 typ host\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:topsecretkey\r\na=setup:actpass\r\na=rtcp-mux\r\na=mid:1\r\na=sendrecv\r\n";

/// Bare line feeds, and no last line end.
pub(super) const BARE: &str =
    "v=0\no=John Doe 1 1 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000/2 RTP/AVP 8\na=sendonly";

/// A fax that asks for T.38 in mid-call.
pub(super) const T38: &str = "v=0\r\no=- 1 2 IN IP4 192.168.1.20\r\ns=-\r\nc=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n\
    m=image 16500 udptl t38\r\na=T38FaxVersion:0\r\n";

pub(super) const ALL: [&str; 7] = [PAP2T, HT801, CISCO, GATEWAY, SOFTPHONE, BARE, T38];

pub(super) fn parse(text: &str) -> Sdp {
    match Sdp::parse(text.as_bytes()) {
        Ok(sdp) => sdp,
        Err(error) => panic!("{error}\n{text}"),
    }
}

pub(super) fn text(sdp: &Sdp) -> String {
    String::from_utf8(sdp.to_bytes()).unwrap()
}

pub(super) fn local() -> LocalMedia {
    LocalMedia {
        user: "strowger".into(),
        session_name: "strowger".into(),
        id: 42,
        version: 3,
        addr: "192.168.1.1".parse().unwrap(),
        media_addr: "192.168.1.1".parse().unwrap(),
        rtp_port: 10000,
        rtcp_port: None,
        secondary: Vec::new(),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn unedited_descriptions_print_as_they_came() {
    for source in ALL {
        assert_eq!(text(&parse(source)), source);
    }
    let odd = b"\r\nv=0 \no=- 1 1 IN IP4 h.example\r\ns=caf\xe9 \xff\r\n\r\nt=0 0\nm=audio 5 RTP/AVP\r\n\n";
    assert_eq!(Sdp::parse(odd).unwrap().to_bytes(), odd);
}

#[test]
fn a_pap2t_is_understood() {
    let sdp = parse(PAP2T);
    let audio = sdp.audio().unwrap();
    let codecs: Vec<_> = audio.formats.iter().map(|format| format.codec).collect();
    assert_eq!(
        codecs,
        [
            Some(Codec::Ulaw),
            Some(Codec::G726),
            Some(Codec::G723),
            Some(Codec::Alaw),
            Some(Codec::G729),
            None,
            None,
            None,
            None,
            None
        ]
    );
    assert_eq!(audio.formats[8].encoding, "NSE");
    assert_eq!(audio.formats[8].fmtp.as_deref(), Some("192-193"));
    assert_eq!((audio.ptime, audio.direction), (Some(30), Direction::SendRecv));
    assert_eq!(sdp.rtp_addr(), Some("192.168.1.20:16420".parse::<SocketAddr>().unwrap()));
    assert_eq!(sdp.rtcp_addr(), Some("192.168.1.20:16421".parse::<SocketAddr>().unwrap()));
    assert_eq!(
        sdp.origin(),
        Origin { user: "-".into(), id: "1234567".into(), version: "1234567".into(), addr: Some(ip("192.168.1.20")) }
    );
    assert!(!sdp.is_hold() && !sdp.has(MediaKind::Image) && !sdp.has(MediaKind::Video));
}

#[test]
fn addresses_are_found_where_devices_put_them() {
    assert_eq!(parse(CISCO).rtp_addr(), "192.168.1.40:24598".parse().ok());
    assert_eq!(parse(GATEWAY).rtcp_addr(), "10.0.0.10:18009".parse().ok());
    assert_eq!(parse(SOFTPHONE).rtp_addr(), "[2001:db8::7]:6002".parse().ok());
    assert_eq!(parse(SOFTPHONE).audio().unwrap().index, 1);
    assert_eq!(parse(BARE).origin().user, "John Doe");
    for (line, user) in [("o= 7 8 IN IP4 10.0.0.1 ", ""), ("o=a b  7  8 IN  IP4 10.0.0.1", "a b")] {
        let origin = parse(&format!("v=0\r\n{line}\r\n")).origin();
        let expected = Origin { user: user.into(), id: "7".into(), version: "8".into(), addr: Some(ip("10.0.0.1")) };
        assert_eq!(origin, expected, "{line}");
    }
    assert_eq!(parse(BARE).audio().unwrap().port, 4000);
    let rtcp = parse(&PAP2T.replace("a=sendrecv", "a=rtcp:16999"));
    assert_eq!(rtcp.rtcp_addr(), "192.168.1.20:16999".parse().ok());
}

#[test]
fn nothing_is_sent_to_an_address_nobody_speaks_at() {
    for addr in ["0.0.0.0", "224.2.1.1/127", "255.255.255.255", "phone.example", "192.168.1.256", ""] {
        let sdp = parse(&PAP2T.replace("c=IN IP4 192.168.1.20", &format!("c=IN IP4 {addr}")));
        assert_eq!((sdp.rtp_addr(), sdp.rtcp_addr()), (None, None), "{addr}");
    }
    assert_eq!(parse(&PAP2T.replace("c=IN IP4 192.168.1.20\r\n", "")).rtp_addr(), None);
    assert_eq!(parse(&PAP2T.replace("16420", "0")).audio(), None);
    let last = parse(&PAP2T.replace("16420", "65535"));
    assert_eq!((last.rtp_addr().map(|addr| addr.port()), last.rtcp_addr()), (Some(65535), None));
}

#[test]
fn hold_is_seen_in_its_three_forms() {
    for (line, held) in [("sendonly", true), ("inactive", true), ("recvonly", false), ("sendrecv", false)] {
        assert_eq!(parse(&PAP2T.replace("sendrecv", line)).is_hold(), held, "{line}");
    }
    assert!(parse(&PAP2T.replace("c=IN IP4 192.168.1.20", "c=IN IP4 0.0.0.0")).is_hold());
    let of_all = PAP2T.replace("a=sendrecv\r\n", "").replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n");
    assert!(parse(&of_all).is_hold(), "the whole description's direction");
    assert!(!parse(T38).is_hold());
}

#[test]
fn fax_and_video_are_seen() {
    assert!(parse(T38).has(MediaKind::Image));
    assert_eq!(parse(T38).audio(), None);
    assert!(parse(SOFTPHONE).has(MediaKind::Video));
    assert!(!parse(&SOFTPHONE.replace("m=video 6000", "m=video 0")).has(MediaKind::Video));
}

#[test]
fn what_cannot_be_passed_on_is_refused_by_line() {
    let error = |text: &str| Sdp::parse(text.as_bytes()).unwrap_err();
    let start = "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n";
    assert_eq!(error(""), SdpError::NoVersion);
    assert_eq!(error("v=1\r\no=- 1 1 IN IP4 1.2.3.4\r\n"), SdpError::NoVersion);
    assert_eq!(error("v=0\r\ns=-\r\n"), SdpError::NoOrigin);
    assert_eq!(error("v=0\r\no=- 1 IN IP4 1.2.3.4\r\n"), SdpError::BadOrigin { line: 2 });
    assert_eq!(error(&format!("{start}hello\r\n")), SdpError::NotALine { line: 3 });
    assert_eq!(error(&format!("{start}s=a\rb\r\n")), SdpError::BadByte { line: 3 });
    assert_eq!(error(&format!("{start}s=a\0\r\n")), SdpError::BadByte { line: 3 });
    for media in
        ["audio", "audio 1", "audio x RTP/AVP 0", "audio 65536 RTP/AVP 0", "audio -1 RTP/AVP 0", "audio +1 RTP/AVP 0"]
    {
        assert_eq!(error(&format!("{start}t=0 0\r\nm={media}\r\n")), SdpError::BadMedia { line: 4 }, "{media}");
    }
    assert_eq!(
        error("v=0\r\no=- 1\r\n").to_string(),
        "SDP line 2: o= needs user, id, version, network type, address type and address"
    );
}

#[test]
fn bounds_hold() {
    let start = "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n".to_owned();
    let try_it = |tail: String| Sdp::parse(format!("{start}{tail}").as_bytes()).err();
    assert_eq!(try_it("m=audio 4 RTP/AVP 0\r\n".repeat(16)), None);
    assert_eq!(try_it("m=audio 4 RTP/AVP 0\r\n".repeat(17)), Some(SdpError::TooManyMedia { line: 19 }));
    assert_eq!(try_it(format!("m=audio 4 RTP/AVP{}\r\n", " 0".repeat(64))), None);
    let formats = try_it(format!("m=audio 4 RTP/AVP{}\r\n", " 0".repeat(65)));
    assert_eq!(formats, Some(SdpError::TooManyFormats { line: 3 }));
    assert_eq!(try_it("a=x\r\n".repeat(510)), None);
    assert_eq!(try_it("a=x\r\n".repeat(511)), Some(SdpError::TooManyLines));
    assert!(matches!(try_it("x".repeat(MAX)), Some(SdpError::TooLarge { .. })));
    const MAX: usize = description::MAX_SIZE;
}

#[test]
fn payload_types_out_of_range_are_no_formats() {
    let sdp = parse(&PAP2T.replace("RTP/AVP 0 2", "RTP/AVP 4294967296 128 -1 0 0 2"));
    let payloads: Vec<_> = sdp.audio().unwrap().formats.iter().map(|format| format.payload).collect();
    assert_eq!(payloads, [0, 2, 4, 8, 18, 96, 97, 98, 100, 101]);
    let offer = offer_from(&sdp, &CodecList::of(&[Codec::Ulaw]), &local()).unwrap();
    assert!(text(&offer).contains("RTP/AVP 0 100 101\r\n"), "{offer:?}");
}

#[test]
fn keys_are_not_shown() {
    let shown = format!("{:?}", parse(&SOFTPHONE.replace("t=0 0", "k=clear:topsecretkey\r\nt=0 0")));
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("a=crypto:..."));
}

/// Flips, cuts, repeats and mixes; every step afterwards must return, and what we print can be parsed.
#[test]
fn mutated_descriptions_are_read_or_refused() {
    let count = std::env::var("STROWGER_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000u64);
    let mut rng = crate::rng::Rng::from_number(0x5d9);
    let mut other = parse(HT801);
    let (mut read, mut offers, mut answers) = (0u64, 0u64, 0u64);
    for round in 0..count {
        let bytes = mutant(&mut rng);
        let Ok(sdp) = Sdp::parse(&bytes) else { continue };
        read += 1;
        assert_eq!(sdp.to_bytes(), bytes, "round {round}");
        views(&sdp);
        let allow = match rng.below(3) {
            0 => CodecList::default(),
            1 => CodecList::of(&[Codec::G729, Codec::Alaw]),
            _ => CodecList { entries: Codec::all().map(|codec| (codec, Some(20))).collect() },
        };
        let (offered, answered) = exercise(&sdp, &other, &allow);
        exercise_secondary_media(&sdp, &other, &allow);
        offers += u64::from(offered);
        answers += u64::from(answered);
        other = sdp;
    }
    assert!(read > count / 4, "only {read} of {count} could be read: the mutations are too wild to test anything");
    assert!(offers > count / 20 && answers > count / 20, "{offers} offers, {answers} answers of {count}");
}

fn mutant(rng: &mut crate::rng::Rng) -> Vec<u8> {
    const WORDS: [&str; 14] = [
        "0.0.0.0",
        " ",
        "\r\n",
        "4294967296",
        "255",
        "m=audio 7 RTP/AVP 0\r\n",
        "a=rtpmap:",
        "a=fmtp:101 0/0\r\n",
        "red/8000",
        ":",
        "/",
        "a=ptime:0\r\n",
        "IN IP6 ::1",
        "=",
    ];
    let pick = |rng: &mut crate::rng::Rng| ALL[rng.below(ALL.len() as u64) as usize].as_bytes();
    let mut bytes = pick(rng).to_vec();
    for _ in 0..1 + rng.below(3) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        let to = (at + rng.below(12) as usize).min(bytes.len());
        match rng.below(7) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = rng.bits() as u8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..to)),
            3 => drop(bytes.splice(at..to, WORDS[rng.below(14) as usize].bytes())),
            4 => drop(bytes.splice(at..at, WORDS[rng.below(14) as usize].bytes())),
            5 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = b'0' + rng.below(10) as u8),
            _ => {
                let tail = pick(rng);
                bytes.truncate(at);
                bytes.extend_from_slice(&tail[at.min(tail.len())..]);
            }
        }
    }
    bytes
}

fn views(sdp: &Sdp) {
    let _ = (
        sdp.origin(),
        sdp.rtcp_addr(),
        sdp.is_hold(),
        sdp.has(MediaKind::Image),
        sdp.has(MediaKind::Video),
        format!("{sdp:?}"),
    );
    if let Some(addr) = sdp.rtp_addr() {
        assert!(addr.port() != 0 && !addr.ip().is_unspecified() && !addr.ip().is_multicast());
    }
    if let Some(audio) = sdp.audio() {
        assert!(audio.formats.len() <= description::MAX_FORMATS);
        assert!(audio.formats.iter().all(|format| format.payload < 128));
    }
}

/// Every function that makes a description from two; the result can be parsed and has no address but ours.
fn exercise(sdp: &Sdp, other: &Sdp, allow: &CodecList) -> (bool, bool) {
    let ours = local();
    let mut made = vec![readdress(sdp, &ours)];
    let offer = offer_from(sdp, allow, &ours);
    let answer = answer_from(sdp, other, allow, &ours);
    let own = own_answer(sdp, allow, &ours, Some(20));
    let outcome = (offer.is_ok(), answer.is_ok());
    assert_eq!(offer.is_ok(), own.is_ok(), "{sdp:?}");
    if let Some(agreed) = own.as_ref().ok().and_then(|own| agreed(sdp, own)) {
        made.extend(offer_of_agreed(sdp, &agreed, allow, &ours));
    } else {
        assert!(own.is_err(), "an answer of ours agrees with its offer: {sdp:?}");
    }
    for answer in [&answer, &own].into_iter().flatten() {
        assert_eq!(answer.media.len(), sdp.media.len());
        assert!(agreed(sdp, answer).is_some(), "{sdp:?} {answer:?}");
    }
    if let Ok(offer) = &offer {
        let map = payload_map(offer, other);
        assert!(map.iter().all(|payload| *payload < 128));
    }
    made.extend([offer, answer, own].into_iter().flatten());
    for sdp in made {
        let again = Sdp::parse(&sdp.to_bytes()).unwrap_or_else(|error| panic!("{error}: {sdp:?}"));
        assert_eq!(again, sdp);
        assert_eq!(again.origin().id, "42");
        assert!(again.rtp_addr().is_none_or(|addr| addr == SocketAddr::new(ours.media_addr, ours.rtp_port)), "{sdp:?}");
        assert!(again.rtcp_addr().is_none_or(|addr| addr == SocketAddr::new(ours.media_addr, ours.rtp_port + 1)));
        let bytes = String::from_utf8_lossy(&sdp.to_bytes()).to_lowercase();
        assert!(!bytes.contains("\na=candidate:") && !bytes.contains("\na=crypto:"), "{sdp:?}");
    }
    outcome
}

/// The same with ports for all secondary media.
fn exercise_secondary_media(sdp: &Sdp, other: &Sdp, allow: &CodecList) {
    let at = SocketAddr::new(local().media_addr, 10_020);
    let ours = LocalMedia { secondary: MediaKind::ALL.into_iter().map(|extra| (extra, at)).collect(), ..local() };
    let offer = reoffer_from(sdp, allow, &ours, other);
    let answer = answer_from(sdp, other, allow, &ours);
    if let Ok(offer) = &offer {
        assert!(offer.media_lines() >= other.media_lines(), "{sdp:?} {other:?}");
    }
    if let Ok(answer) = &answer {
        assert_eq!(answer.media_lines(), sdp.media_lines());
    }
    for made in [offer, answer, Ok(readdress(sdp, &ours))].into_iter().flatten() {
        let again = Sdp::parse(&made.to_bytes()).unwrap_or_else(|error| panic!("{error}: {made:?}"));
        assert_eq!(again, made);
        for extra in MediaKind::ALL {
            assert!(again.secondary_addr(extra).is_none_or(|addr| addr == at), "{made:?}");
            assert!(again.secondary_rtcp_addr(extra).is_none_or(|addr| addr.port() == at.port() + 1), "{made:?}");
        }
    }
}

#[test]
fn an_offer_says_where_to_send() {
    let check =
        |text: &str| Sdp::parse(format!("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n{text}").as_bytes()).unwrap().check_offer();
    let bad = |line| Err(SdpError::BadConnection { line });
    assert_eq!(check("c=IN IP4 1.2.3.4\r\nm=audio 4 RTP/AVP 0\r\n"), Ok(()));
    assert_eq!(check("m=audio 4 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"), Ok(()));
    assert_eq!(check("m=audio 0 RTP/AVP 0\r\n"), Ok(()), "a rejected medium needs none");
    assert_eq!(check("c=IN IP4 224.1.2.3/127\r\n"), Ok(()));
    assert_eq!(check("m=audio 4 RTP/AVP 0\r\n"), Err(SdpError::NoConnection));
    let two = "m=audio 4 RTP/AVP 0\r\nc=IN IP4 1.2.3.4\r\nm=video 6 RTP/AVP 31\r\n";
    assert_eq!(check(two), Err(SdpError::NoConnection));
    for wrong in
        ["XX IP4 1.2.3.4", "IN IP5 1.2.3.4", "IN IP4 here", "IN IP4 1.2.3", "IN IP4 a..b", "IN IP6 ::x", "IN IP4", ""]
    {
        assert_eq!(check(&format!("s=-\r\nc={wrong}\r\nm=audio 4 RTP/AVP 0\r\n")), bad(4), "{wrong}");
        assert_eq!(check(&format!("m=audio 4 RTP/AVP 0\r\nc={wrong}\r\n")), bad(4), "{wrong}");
    }
}
