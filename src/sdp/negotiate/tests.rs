//! Offer and answer between real phones, rule by rule.

use super::super::tests::{BARE, CISCO, GATEWAY, HT801, PAP2T, SOFTPHONE, T38, local, parse, text};
use super::super::{Codec, MediaKind, agreed, own_answer, own_offer, payload_map};
use super::*;
use std::net::SocketAddr;

fn allow(codecs: &[Codec]) -> CodecList {
    CodecList::of(codecs)
}

const ULAW: [Codec; 1] = [Codec::Ulaw];

/// The answer of a callee with `codec` at `payload`.
fn answer(formats: &str, tail: &str) -> Sdp {
    parse(&format!(
        "v=0\r\no=b 5 5 IN IP4 192.168.1.30\r\ns=B\r\nc=IN IP4 192.168.1.30\r\nt=0 0\r\nm=audio 5004 RTP/AVP {formats}\r\n{tail}"
    ))
}

#[test]
fn a_pap2t_offer_loses_nothing_but_refused_codecs() {
    let offer = offer_from(&parse(PAP2T), &allow(&[Codec::Ulaw, Codec::Alaw]), &local()).unwrap();
    assert_eq!(
        text(&offer),
        "v=0\r\no=strowger 42 3 IN IP4 192.168.1.1\r\ns=-\r\nc=IN IP4 192.168.1.1\r\nt=0 0\r\n\
         m=audio 10000 RTP/AVP 0 8 100 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:100 NSE/8000\r\n\
         a=fmtp:100 192-193\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:30\r\na=sendrecv\r\n"
    );
}

#[test]
fn a_gateways_modem_lines_pass_and_its_rtcp_address_does_not() {
    let every = CodecList { entries: Codec::all().map(|codec| (codec, None)).collect() };
    let offer = text(&offer_from(&parse(GATEWAY), &every, &local()).unwrap());
    for line in GATEWAY.split("\r\n").filter(|line| line.starts_with("a=") && !line.starts_with("a=rtcp")) {
        assert!(offer.contains(&format!("\r\n{line}\r\n")), "{line}\n{offer}");
    }
    assert!(!offer.contains("10.0.0") && !offer.contains("a=rtcp"), "{offer}");
    assert_eq!(offer.matches("c=IN IP4 192.168.1.1\r\n").count(), 2);
    let elsewhere = LocalMedia { rtcp_port: Some(10009), ..local() };
    let offer = text(&offer_from(&parse(GATEWAY), &every, &elsewhere).unwrap());
    assert!(offer.contains("c=IN IP4 192.168.1.1\r\na=rtcp:10009\r\na=rtpmap:8"), "in its place: {offer}");
}

#[test]
fn lines_of_refused_codecs_go_whichever_way_they_are_written() {
    let offer = text(&offer_from(&parse(GATEWAY), &allow(&[Codec::Alaw]), &local()).unwrap());
    assert!(offer.contains("RTP/AVP 8 100 101\r\n") && !offer.contains(":96"), "{offer}");
    let cisco = text(&offer_from(&parse(CISCO), &allow(&[Codec::Alaw]), &local()).unwrap());
    assert!(cisco.contains("RTP/AVP 8 101\r\nc=IN IP4 192.168.1.1\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101"), "{cisco}");
    let opus = text(&offer_from(&parse(HT801), &CodecList::default(), &local()).unwrap());
    assert!(!opus.contains("opus") && opus.contains("RTP/AVP 0 8 101\r\n"), "{opus}");
}

#[test]
fn redundancy_goes_with_what_it_repeats() {
    let source = PAP2T
        .replace(" 100 101", " 100 101 121")
        .replace("a=ptime", "a=rtpmap:121 red/8000\r\na=fmtp:121 0/0\r\na=ptime");
    let kept = offer_from(&parse(&source), &allow(&ULAW), &local()).unwrap();
    assert!(text(&kept).contains("RTP/AVP 0 100 101 121\r\n"), "{kept:?}");
    let gone = offer_from(&parse(&source), &allow(&[Codec::Alaw]), &local()).unwrap();
    assert!(text(&gone).contains("RTP/AVP 8 100 101\r\n") && !text(&gone).contains("121"), "{gone:?}");
}

#[test]
fn keys_candidates_and_other_media_stay_behind() {
    let offer = text(&offer_from(&parse(SOFTPHONE), &allow(&ULAW), &local()).unwrap());
    assert_eq!(
        offer,
        "v=0\r\no=strowger 42 3 IN IP4 192.168.1.1\r\ns=-\r\nc=IN IP4 192.168.1.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 0 101 13\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=mid:1\r\na=sendrecv\r\n"
    );
}

#[test]
fn untouched_lines_keep_their_ends() {
    let offer = text(&offer_from(&parse(BARE), &allow(&[Codec::Alaw]), &local()).unwrap());
    assert_eq!(
        offer,
        "v=0\no=strowger 42 3 IN IP4 192.168.1.1\r\ns=x\nc=IN IP4 192.168.1.1\r\nt=0 0\nm=audio 10000 RTP/AVP 8\r\na=sendonly\r\n"
    );
}

#[test]
fn an_offer_without_address_gets_one() {
    let source = PAP2T.replace("c=IN IP4 192.168.1.20\r\n", "").replace("a=rtpmap:0", "i=line one\r\na=rtpmap:0");
    let offer = text(&offer_from(&parse(&source), &allow(&ULAW), &local()).unwrap());
    assert!(offer.contains("0 100 101\r\ni=line one\r\nc=IN IP4 192.168.1.1\r\na=rtpmap:0"), "{offer}");
}

#[test]
fn the_old_hold_stays_a_hold() {
    let held = parse(&PAP2T.replace("c=IN IP4 192.168.1.20", "c=IN IP4 0.0.0.0"));
    let offer = offer_from(&held, &allow(&ULAW), &local()).unwrap();
    assert!(offer.is_hold() && offer.rtp_addr().is_none(), "{offer:?}");
    assert!(readdress(&held, &local()).is_hold());
}

#[test]
fn no_common_codec_says_what_each_side_has() {
    let error = offer_from(&parse(CISCO), &allow(&[Codec::Gsm]), &local()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no codec in common: offered PCMU, PCMA, G729, G722, iLBC; allowed gsm (see allow= of both peers)"
    );
    let keys_only = parse(&CISCO.replace("RTP/AVP 0 8 18 9 116 101", "RTP/AVP 101"));
    assert!(offer_from(&keys_only, &CodecList::default(), &local()).is_err(), "key presses alone are no call");
    let fax = offer_from(&parse(T38), &CodecList::default(), &local()).unwrap_err();
    assert_eq!(fax.offered, Vec::<String>::new());
    assert!(fax.to_string().starts_with("no voice stream to agree on"));
}

#[test]
fn an_answer_passes_as_it_came() {
    let received = "a=rtpmap:0 PCMU/8000\r\na=rtpmap:100 NSE/8000\r\na=fmtp:100 192-193\r\na=ptime:30\r\na=X-more:1\r\na=sendrecv\r\n";
    let sent = answer_from(&parse(PAP2T), &answer("0 100", received), &allow(&ULAW), &local()).unwrap();
    assert_eq!(
        text(&sent),
        format!(
            "v=0\r\no=strowger 42 3 IN IP4 192.168.1.1\r\ns=B\r\nc=IN IP4 192.168.1.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 0 100\r\n{received}"
        )
    );
}

#[test]
fn an_answer_keeps_the_numbers_of_the_offer() {
    // The callee renumbers iLBC 97 to 105 and key presses 101 to 97.
    let received = answer(
        "105 97",
        "a=rtpmap:105 iLBC/8000\r\na=fmtp:105 mode=30\r\na=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-11\r\n",
    );
    let sent = answer_from(&parse(HT801), &received, &allow(&[Codec::Ilbc]), &local()).unwrap();
    assert!(
        text(&sent).ends_with(
            "m=audio 10000 RTP/AVP 97 101\r\na=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=30\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-11\r\n"
        ),
        "{sent:?}"
    );
    let to_callee = payload_map(&sent, &received);
    assert_eq!((to_callee[97], to_callee[101], to_callee[0]), (105, 97, 0));
    let offered = offer_from(&parse(HT801), &allow(&[Codec::Ilbc]), &local()).unwrap();
    let to_caller = payload_map(&offered, &parse(HT801));
    assert_eq!((to_caller[97], to_caller[101]), (97, 101));
}

#[test]
fn a_static_codec_offered_under_another_number_gets_its_name() {
    let offer = parse(&GATEWAY.replace("AVP 8 96", "AVP 96"));
    let sent = answer_from(&offer, &answer("0", ""), &allow(&ULAW), &local()).unwrap();
    assert!(text(&sent).ends_with("RTP/AVP 96\r\na=rtpmap:96 PCMU/8000\r\n"), "{sent:?}");
    assert_eq!(payload_map(&sent, &answer("0", ""))[96], 0);
}

#[test]
fn an_answer_that_leaves_out_names_is_understood_by_the_offer() {
    let sent = answer_from(&parse(PAP2T), &answer("0 100 101", ""), &allow(&ULAW), &local()).unwrap();
    assert!(text(&sent).contains("RTP/AVP 0 100 101\r\n"), "{sent:?}");
    assert_eq!(agreed(&parse(PAP2T), &sent).unwrap().telephone_event, Some(101));
}

#[test]
fn what_was_not_offered_is_not_answered() {
    let received = answer("8 0 101 13", "a=rtpmap:101 telephone-event/8000\r\n");
    let only_pcmu = parse(&PAP2T.replace("AVP 0 2 4 8 18 96 97 98 100 101", "AVP 0"));
    let sent = answer_from(&only_pcmu, &received, &CodecList::default(), &local()).unwrap();
    assert!(text(&sent).ends_with("RTP/AVP 0\r\n"), "{sent:?}");
    let refused = answer_from(&only_pcmu, &answer("8", ""), &CodecList::default(), &local()).unwrap_err();
    assert_eq!(refused.offered, ["PCMA"]);
    assert!(
        answer_from(&parse(PAP2T), &received, &allow(&[Codec::G729]), &local()).is_err(),
        "nor what is not allowed"
    );
}

#[test]
fn every_offered_medium_is_answered_in_its_place() {
    let sent = answer_from(&parse(SOFTPHONE), &answer("0", ""), &allow(&ULAW), &local()).unwrap();
    assert!(text(&sent).ends_with("t=0 0\r\nm=video 0 RTP/AVP 34\r\nm=audio 10000 RTP/AVP 0\r\n"), "{sent:?}");
    let two_voices = parse(&format!("{HT801}m=audio 7000 RTP/AVP 0\r\n"));
    let sent = answer_from(&two_voices, &answer("0", ""), &allow(&ULAW), &local()).unwrap();
    assert!(text(&sent).ends_with("m=audio 10000 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\n"), "{sent:?}");
}

#[test]
fn a_later_offer_keeps_the_media_lines_of_the_earlier() {
    let offer = offer_from(&parse(PAP2T), &allow(&ULAW), &local()).unwrap();
    let aligned = align_media(offer.clone(), &parse(SOFTPHONE));
    assert!(text(&aligned).contains("m=video 0 RTP/AVP 34\r\nm=audio 10000 RTP/AVP 0 100 101\r\n"), "{aligned:?}");
    assert_eq!(align_media(offer.clone(), &parse(PAP2T)), offer);
}

#[test]
fn directions_are_carried_and_never_wider_than_offered() {
    let directions =
        [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")];
    for (offered, proper) in directions {
        let offer = parse(&PAP2T.replace("sendrecv", offered));
        let passed = offer_from(&offer, &allow(&ULAW), &local()).unwrap();
        assert_eq!(passed.audio().unwrap().direction.name(), offered);
        for received in ["", &format!("a={proper}\r\n"), "a=sendrecv\r\n"] {
            let sent = answer_from(&offer, &answer("0", received), &allow(&ULAW), &local()).unwrap();
            assert_eq!(sent.audio().unwrap().direction.name(), proper, "{received}");
            assert!(sent.lines().filter(|line| Direction::of_line(line).is_some()).count() <= 1);
        }
        let own = own_answer(&offer, &allow(&ULAW), &local(), None).unwrap();
        assert_eq!(own.audio().unwrap().direction.name(), proper);
    }
    let sent = answer_from(&parse(PAP2T), &answer("0", "a=inactive\r\n"), &allow(&ULAW), &local()).unwrap();
    assert_eq!(sent.audio().unwrap().direction, Direction::Inactive);
}

/// linphone lists key presses at each clock that it knows, the fastest first.
#[test]
fn our_own_answer_takes_key_presses_at_the_clock_of_the_sound() {
    let offer = HT801.replace(" 101\r\n", " 99 101\r\na=rtpmap:99 telephone-event/48000\r\n");
    assert_ne!(offer, HT801);
    let own = own_answer(&parse(&offer), &allow(&[Codec::Alaw]), &local(), None).unwrap();
    assert!(text(&own).contains("RTP/AVP 8 101\r\n"), "{}", text(&own));
}

#[test]
fn our_own_answer_takes_the_first_codec_we_allow() {
    let own = own_answer(&parse(HT801), &allow(&[Codec::G729, Codec::Alaw]), &local(), None).unwrap();
    assert_eq!(
        text(&own),
        "v=0\r\no=strowger 42 3 IN IP4 192.168.1.1\r\ns=strowger\r\nc=IN IP4 192.168.1.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 8 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    let quiet = text(&own_answer(&parse(GATEWAY), &CodecList::default(), &local(), None).unwrap());
    assert!(quiet.contains("a=silenceSupp:off - - - -\r\n"), "{quiet}");
    let beside_video = own_answer(&parse(SOFTPHONE), &allow(&ULAW), &local(), Some(20)).unwrap();
    assert!(text(&beside_video).contains("m=video 0 RTP/AVP 34\r\nm=audio 10000 RTP/AVP 0 101\r\n"));
    assert_eq!(beside_video.audio().unwrap().ptime, Some(20));
    let framed = CodecList { entries: vec![(Codec::Ulaw, Some(40))] };
    let ptime = |offer: &str| own_answer(&parse(offer), &framed, &local(), Some(20)).unwrap().audio().unwrap().ptime;
    assert_eq!((ptime(SOFTPHONE), ptime(PAP2T)), (Some(40), Some(30)), "the offer's wish comes first");
    assert!(own_answer(&parse(T38), &CodecList::default(), &local(), None).is_err());
}

#[test]
fn our_own_offer_lists_what_is_allowed() {
    let codecs = CodecList { entries: vec![(Codec::Alaw, Some(30)), (Codec::Ilbc, None), (Codec::Ulaw, None)] };
    let offer =
        own_offer(&codecs, &LocalMedia { user: "a b\r\n".into(), session_name: String::new(), ..local() }).unwrap();
    assert_eq!(
        text(&offer),
        "v=0\r\no=ab 42 3 IN IP4 192.168.1.1\r\ns=-\r\nc=IN IP4 192.168.1.1\r\nt=0 0\r\nm=audio 10000 RTP/AVP 8 96 0 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:96 iLBC/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-16\r\na=ptime:30\r\na=sendrecv\r\n"
    );
    assert!(own_offer(&CodecList { entries: vec![] }, &local()).is_err());
}

#[test]
fn a_prompt_uses_what_was_agreed() {
    let offer = parse(PAP2T);
    let own = own_answer(&offer, &CodecList::default(), &local(), None).unwrap();
    let found = agreed(&offer, &own).unwrap();
    assert_eq!(
        found,
        Agreed { codec: Codec::Ulaw, to_answerer: 0, to_offerer: 0, ptime: Some(30), telephone_event: Some(101) }
    );
    let renumbered = answer("105 97", "a=rtpmap:105 iLBC/8000\r\na=rtpmap:97 telephone-event/8000\r\na=ptime:60\r\n");
    let found = agreed(&parse(HT801), &renumbered).unwrap();
    assert_eq!(
        (found.to_answerer, found.to_offerer, found.ptime, found.telephone_event),
        (105, 97, Some(60), Some(101))
    );
    assert_eq!(agreed(&offer, &answer("3", "")), None);
}

#[test]
fn after_a_prompt_only_what_is_in_use_is_offered_on() {
    let offer = parse(GATEWAY);
    let own = own_answer(&offer, &allow(&[Codec::Alaw]), &local(), None).unwrap();
    let found = agreed(&offer, &own).unwrap();
    let next = offer_of_agreed(&offer, &found, &CodecList::default(), &local()).unwrap();
    assert!(text(&next).contains("m=audio 10000 RTP/AVP 8 101\r\n") && !text(&next).contains("X-NSE"), "{next:?}");
    assert_eq!(next.audio().unwrap().ptime, Some(20));
    let longer = Agreed { ptime: Some(60), telephone_event: None, ..found };
    let next = offer_of_agreed(&offer, &longer, &CodecList::default(), &local()).unwrap();
    assert!(text(&next).contains("RTP/AVP 8\r\n") && text(&next).matches("a=ptime:60\r\n").count() == 1, "{next:?}");
    let error = offer_of_agreed(&offer, &found, &allow(&ULAW), &local()).unwrap_err();
    assert_eq!((error.offered, error.allowed), (vec!["PCMA".to_owned()], vec!["ulaw".to_owned()]));
}

#[test]
fn media_moves_to_the_other_telephone_and_back() {
    let sent = offer_from(&parse(PAP2T), &allow(&ULAW), &local()).unwrap();
    let direct = LocalMedia { media_addr: "192.168.1.30".parse().unwrap(), rtp_port: 5004, version: 4, ..local() };
    let moved = readdress(&sent, &direct);
    let expected = text(&sent)
        .replace("42 3 IN", "42 4 IN")
        .replace("c=IN IP4 192.168.1.1\r\n", "c=IN IP4 192.168.1.30\r\n")
        .replace("m=audio 10000", "m=audio 5004");
    assert_eq!(text(&moved), expected);
    assert_eq!(readdress(&moved, &local()), sent);
    let two = text(&readdress(&parse(SOFTPHONE), &local()));
    assert!(two.contains("m=video 0 RTP/AVP 34\r\nm=audio 10000 RTP/AVP 111 0 101 13\r\n"), "{two}");
}

#[test]
fn a_refresh_is_distinguished_from_a_change() {
    let old = offer_from(&parse(PAP2T), &allow(&ULAW), &local()).unwrap();
    assert!(same_media(
        &old,
        &offer_from(&parse(PAP2T), &allow(&ULAW), &LocalMedia { version: 9, ..local() }).unwrap()
    ));
    assert!(same_media(&parse(BARE), &parse(&BARE.replace('\n', "\r\n"))));
    for changed in [
        PAP2T.replace("sendrecv", "sendonly"),
        PAP2T.replace("16420", "16422"),
        PAP2T.replace("o=- 1234567", "o=- 7654321"),
    ] {
        assert!(!same_media(&parse(PAP2T), &parse(&changed)), "{changed}");
    }
}

/// The exchange with ports for everything.
fn wide() -> LocalMedia {
    let secondary = MediaKind::ALL.into_iter().zip([10_020u16, 10_030, 10_040]);
    LocalMedia {
        secondary: secondary.map(|(extra, port)| (extra, SocketAddr::new(local().media_addr, port))).collect(),
        ..local()
    }
}

/// A camera beside the voice, with every kind of line it may have.
const CAMERA: &str = "v=0\r\no=- 9 9 IN IP4 192.168.1.50\r\ns=-\r\nc=IN IP4 192.168.1.50\r\nb=AS:384\r\nt=0 0\r\n\
    m=video 7000/2 RTP/AVP 97 98 34\r\ni=front door\r\nb=AS:256\r\na=rtcp:7009 IN IP4 192.168.1.51\r\na=rtpmap:97 H264/90000\r\n\
    a=fmtp:97 profile-level-id=42801f;packetization-mode=1\r\na=rtpmap:98 VP8/90000\r\na=rtcp-fb:98 nack\r\na=setup:actpass\r\n\
    a=X-odd: 1\r\na=sendonly\r\nm=audio 7010 RTP/AVP 0 8\r\nm=application 7020 RTP/AVP 100\r\na=rtpmap:100 H224/4800\r\n";

#[test]
fn video_passes_line_for_line_with_our_port() {
    let offer = offer_from(&parse(CAMERA), &allow(&ULAW), &wide()).unwrap();
    assert_eq!(
        text(&offer),
        "v=0\r\no=strowger 42 3 IN IP4 192.168.1.1\r\ns=-\r\nc=IN IP4 192.168.1.1\r\nb=AS:384\r\nt=0 0\r\n\
         m=video 10020 RTP/AVP 97 98 34\r\ni=front door\r\nb=AS:256\r\na=rtpmap:97 H264/90000\r\n\
         a=fmtp:97 profile-level-id=42801f;packetization-mode=1\r\na=rtpmap:98 VP8/90000\r\na=rtcp-fb:98 nack\r\n\
         a=X-odd: 1\r\na=sendonly\r\nm=audio 10000 RTP/AVP 0\r\n"
    );
    let received = "v=0\r\no=b 5 5 IN IP4 192.168.1.30\r\ns=B\r\nt=0 0\r\nm=video 6000 RTP/AVP 34\r\nc=IN IP4 192.168.1.30\r\n\
        a=recvonly\r\nm=audio 6010 RTP/AVP 0\r\nc=IN IP4 192.168.1.30\r\n";
    let sent = answer_from(&parse(CAMERA), &parse(received), &allow(&ULAW), &wide()).unwrap();
    assert!(
        text(&sent).ends_with(
            "m=video 10020 RTP/AVP 34\r\nc=IN IP4 192.168.1.1\r\na=recvonly\r\nm=audio 10000 RTP/AVP 0\r\n\
             c=IN IP4 192.168.1.1\r\nm=application 0 RTP/AVP 100\r\n"
        ),
        "{sent:?}"
    );
    let without_port = answer_from(&parse(CAMERA), &parse(received), &allow(&ULAW), &local()).unwrap();
    assert!(
        text(&without_port).contains("m=video 0 RTP/AVP 97 98 34\r\nm=audio 10000 RTP/AVP 0\r\n"),
        "no port, no video: {without_port:?}"
    );
}

#[test]
fn an_address_of_its_own_is_written_where_the_session_has_another() {
    let apart = LocalMedia { secondary: vec![(MediaKind::Video, "192.168.2.1:10020".parse().unwrap())], ..local() };
    let offer = offer_from(&parse(CAMERA), &allow(&ULAW), &apart).unwrap();
    assert!(
        text(&offer).contains("m=video 10020 RTP/AVP 97 98 34\r\ni=front door\r\nc=IN IP4 192.168.2.1\r\n"),
        "{offer:?}"
    );
    assert_eq!(offer.rtp_addr(), "192.168.1.1:10000".parse().ok());
}

#[test]
fn what_is_no_such_medium_is_carried_by_nobody() {
    for line in [
        "m=application 9 TCP/MSRP *",
        "m=message 7394 TCP/MSRP *",
        "m=video 9 RTP/SAVP 97",
        "m=video 9 RTP/AVPF 97",
        "m=video 9 UDP/TLS/RTP/SAVPF 97",
        "m=text 9 TCP/RTP/AVP 98",
        "m=image 9 tcp t38",
        "m=image 9 udptl t37",
        "m=image 9 udptl",
        "m=audio 9 RTP/SAVP 0",
        "m=unheard 9 of 1",
    ] {
        let alone =
            parse(&format!("v=0\r\no=- 1 1 IN IP4 192.168.1.9\r\ns=-\r\nc=IN IP4 192.168.1.9\r\nt=0 0\r\n{line}\r\n"));
        assert!(offer_from(&alone, &CodecList::default(), &wide()).is_err(), "{line}");
        assert!(reoffer_from(&alone, &CodecList::default(), &wide(), &parse(PAP2T)).is_err(), "{line}");
        let beside = parse(&format!("{PAP2T}{line}\r\n"));
        let offer = offer_from(&beside, &allow(&ULAW), &wide()).unwrap();
        assert_eq!(offer, offer_from(&parse(PAP2T), &allow(&ULAW), &wide()).unwrap(), "{line}");
        let sent = text(&answer_from(&beside, &answer("0", ""), &allow(&ULAW), &wide()).unwrap());
        assert!(
            sent.lines().last().is_some_and(|last| last.starts_with(&line.replace(" 9 ", " 0 ").replace("7394", "0"))),
            "{sent}"
        );
    }
}

#[test]
fn the_second_of_a_kind_is_refused() {
    let two = parse(&format!("{CAMERA}m=video 7030 RTP/AVP 99\r\n"));
    let offer = offer_from(&two, &allow(&ULAW), &wide()).unwrap();
    assert_eq!(text(&offer).matches("m=video").count(), 1);
    let sent = answer_from(&two, &offer_from(&two, &allow(&ULAW), &wide()).unwrap(), &allow(&ULAW), &wide()).unwrap();
    assert!(text(&sent).ends_with("m=video 0 RTP/AVP 99\r\n"), "{sent:?}");
}

/// Voice with port 0 and fax beside it: each line of the description sent before stays in its place.
#[test]
fn fax_beside_silenced_voice_comes_behind_it() {
    let before = offer_from(&parse(PAP2T), &allow(&ULAW), &local()).unwrap();
    let offer = reoffer_from(&parse(T38), &allow(&ULAW), &wide(), &before).unwrap();
    assert_eq!(
        text(&offer),
        "v=0\r\no=strowger 42 3 IN IP4 192.168.1.1\r\ns=-\r\nc=IN IP4 192.168.1.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 0 100 101\r\n\
         m=image 10040 udptl t38\r\na=T38FaxVersion:0\r\n"
    );
    // The other leg began with a video that was refused.
    let before = answer_from(&parse(CAMERA), &answer("0", ""), &allow(&ULAW), &local()).unwrap();
    let offer = text(&reoffer_from(&parse(T38), &allow(&ULAW), &wide(), &before).unwrap());
    let media: Vec<&str> = offer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        media,
        ["m=video 0 RTP/AVP 97 98 34", "m=audio 0 RTP/AVP 0", "m=application 0 RTP/AVP 100", "m=image 10040 udptl t38"]
    );
    assert!(reoffer_from(&parse(T38), &allow(&ULAW), &local(), &before).is_err(), "no port: nothing is left of it");
    let sent = answer_from(&parse(T38), &parse(&T38.replace("16500", "4000")), &allow(&ULAW), &wide()).unwrap();
    assert!(
        text(&sent).contains("m=audio 0 RTP/AVP 0\r\nm=image 10040 udptl t38\r\na=T38FaxVersion:0\r\n"),
        "{sent:?}"
    );
    for useless in [T38.replace("16500", "0"), PAP2T.to_owned()] {
        assert!(answer_from(&parse(T38), &parse(&useless), &allow(&ULAW), &wide()).is_err(), "{useless}");
    }
}

/// RFC 3264 section 8.3.3, both ways; and the number of lines does not grow with each change.
#[test]
fn fax_alone_takes_the_place_of_voice() {
    let alone = parse(&T38.replace("m=audio 0 RTP/AVP 0\r\n", ""));
    let voice = offer_from(&parse(PAP2T), &allow(&ULAW), &local()).unwrap();
    let fax = reoffer_from(&alone, &allow(&ULAW), &wide(), &voice).unwrap();
    assert!(text(&fax).ends_with("t=0 0\r\nm=image 10040 udptl t38\r\na=T38FaxVersion:0\r\n"), "{fax:?}");
    let back = reoffer_from(&parse(PAP2T), &allow(&ULAW), &local(), &fax).unwrap();
    assert_eq!(back, voice);
    // The other form afterwards: the fax then keeps a line of its own.
    let beside = reoffer_from(&parse(T38), &allow(&ULAW), &wide(), &back).unwrap();
    let again = reoffer_from(&alone, &allow(&ULAW), &wide(), &beside).unwrap();
    let back = text(&reoffer_from(&parse(PAP2T), &allow(&ULAW), &local(), &again).unwrap());
    assert!(
        back.contains("m=audio 10000 RTP/AVP 0 100 101\r\n") && back.ends_with("m=image 0 udptl t38\r\n"),
        "{back}"
    );
}

#[test]
fn sixteen_lines_are_all_there_can_be() {
    let crowd = |number: usize| parse(&format!("{PAP2T}{}", "m=unheard 9 of 1\r\n".repeat(number)));
    let sent = |number| answer_from(&crowd(number), &answer("0", ""), &allow(&ULAW), &local()).unwrap();
    assert!(reoffer_from(&parse(T38), &allow(&ULAW), &wide(), &sent(14)).is_ok());
    assert!(reoffer_from(&parse(T38), &allow(&ULAW), &wide(), &sent(15)).is_err());
}

#[test]
fn media_beside_voice_are_sent_nowhere_that_voice_is_not() {
    for addr in ["0.0.0.0", "224.2.1.1/127", "255.255.255.255", "phone.example", "192.168.1.256", ""] {
        let sdp = parse(&CAMERA.replace("c=IN IP4 192.168.1.50", &format!("c=IN IP4 {addr}")));
        assert_eq!(
            (sdp.secondary_addr(MediaKind::Video), sdp.secondary_rtcp_addr(MediaKind::Video)),
            (None, None),
            "{addr}"
        );
    }
    let sdp = parse(CAMERA);
    assert_eq!(sdp.secondary_addr(MediaKind::Video), "192.168.1.50:7000".parse().ok());
    assert_eq!(sdp.secondary_rtcp_addr(MediaKind::Video), "192.168.1.51:7009".parse().ok());
    let last = parse(&T38.replace("16500", "65535"));
    assert_eq!(last.secondary_addr(MediaKind::Image).map(|addr| addr.port()), Some(65535));
    assert_eq!(parse(T38).secondary_rtcp_addr(MediaKind::Image), None);
    assert_eq!(sdp.secondary_media().collect::<Vec<_>>(), [MediaKind::Video]);
}
