//! Responses and behaviour the RFCs require in every case, collected from what other stacks got wrong: each test names
//! the sentence it stands for.

use crate::mutation::Spoiler;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, PhoneEvent};

const TICK: Duration = Duration::from_millis(50);

fn line(text: &str, name: &str) -> String {
    text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

fn direct() -> String {
    SIP.replace("directmedia=no", "directmedia=yes")
}

/// CANCEL against 200, and "the 487 to our own CANCEL must be ACKed even when the call object is gone; CANCEL keeps the
/// INVITE's branch and its To without tag" (RFC 3261 9.1, 17.1.1.3).
#[test]
fn a_487_is_acknowledged_when_the_call_is_long_gone() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp") && w.saw("client", &PhoneEvent::Ringing));
    // It answers the CANCEL late: until then it hears nothing.
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.phone("client").hangs_up();
    world.run(Duration::from_secs(20));
    assert!(world.channels().is_empty(), "the call is over");
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.until(|w| w.saw("isp", &PhoneEvent::Ended));
    world.run(TICK);
    let invite = world.texts("isp", &["INVITE sip:"]).remove(0);
    let cancel = world.texts("isp", &["CANCEL sip:"]).remove(0);
    let ack = world.texts("isp", &["ACK sip:"]).remove(0);
    for name in ["Via:", "To:", "From:", "Call-ID:"] {
        assert_eq!(line(&cancel, name), line(&invite, name));
    }
    assert!(!line(&cancel, "To:").contains("tag="));
    assert_eq!(line(&ack, "Via:"), line(&invite, "Via:"), "the ACK of a refusal is part of its INVITE");
    assert!(line(&ack, "To:").contains("tag="));
    world.assert_nothing_left();
}

/// Re-INVITE glare (RFC 3261 14.1): who owns the Call-ID waits 2.1 to 4 s, the other 0 to 2 s. We own that of the
/// called line's leg, and the caller that of its own. All in steps of 10 ms.
#[test]
fn the_waits_after_a_glare_are_unequal() {
    for (who, shortest, longest) in [("isp", 2100, 4000), ("client", 0, 2000)] {
        let mut world = Testbed::ready(&direct(), GUIDE);
        world.phone(who).habit(|habits| habits.refuse_reinvite = Some(491));
        world.connect();
        let before = if who == "isp" { 1 } else { 0 };
        world.until(|w| w.messages("exchange", who, &["INVITE sip"]).len() >= before + 8);
        let tries = world.messages("exchange", who, &["INVITE sip"]).split_off(before);
        for pair in tries.windows(2) {
            // 20 ms go by until the 491 is there.
            let wait = pair[1].since(pair[0]).as_millis() - 20;
            assert!((shortest..=longest).contains(&wait) && wait % 10 == 0, "{who}: {wait} ms");
        }
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// A refused re-INVITE (RFC 3261 14.1): the call goes on as it was, whoever's offer it was; 481 and 408 say that there
/// is none any more, and end it on both sides.
#[test]
fn a_refused_new_offer_keeps_the_call_unless_it_says_that_there_is_none() {
    for (status, ends) in
        [(488, false), (491, false), (500, false), (603, false), (404, false), (481, true), (408, true)]
    {
        for ours in [false, true] {
            let mut world = Testbed::ready(&if ours { direct() } else { SIP.to_owned() }, GUIDE);
            if ours {
                world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(status));
                world.connect();
            } else {
                world.connect();
                world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(status));
                world.phone("client").reoffers(Change::Hold);
            }
            world.run(Duration::from_secs(100));
            assert_eq!(world.channels().is_empty(), ends, "{status} to our own offer: {ours}");
            for name in ["client", "isp"] {
                assert_eq!(world.messages("exchange", name, &["BYE sip"]).len(), usize::from(ends), "{status} {name}");
            }
            if !ends {
                world.assert_connected("client", "isp", true);
                world.phone("client").hangs_up();
            }
            world.until_over();
            world.assert_nothing_left();
        }
    }
}

/// The same INVITE by two ways (RFC 3261 8.2.2.2): the second is a 482, and there is one call.
#[test]
fn a_merged_request_is_482() {
    let neighbour = "[neighbour]\ntype=friend\nhost=192.0.2.30\ninsecure=port,invite\ncontext=default\n";
    let mut world = Testbed::ready(&format!("{SIP}{neighbour}"), GUIDE);
    let invite = |branch: &str| {
        let sdp =
            "v=0\r\no=- 7 7 IN IP4 192.0.2.30\r\ns=-\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n";
        format!(
            "INVITE sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-{branch}\r\n\
             From: <sip:neighbour@192.0.2.30>;tag=n\r\nTo: <sip:1@192.0.2.1>\r\nCall-ID: merged\r\nCSeq: 1 INVITE\r\n\
             Max-Forwards: 70\r\nContact: <sip:neighbour@192.0.2.30>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
    };
    world.inject("desk", &invite("one"));
    world.run(TICK);
    world.inject("desk", &invite("two"));
    world.run(TICK);
    let merged = world.texts("desk", &["SIP/2.0 482"]);
    assert!(merged.len() == 1 && merged[0].contains("z9hG4bK-two"), "{merged:?}");
    assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), 1);
    assert!(world.is_called("isp"));
    // The first is known all the while: it is a retransmission.
    world.inject("desk", &invite("one"));
    world.run(TICK);
    assert_eq!(world.texts("desk", &["SIP/2.0 482"]).len(), 1);
    world.phone("isp").refuses(486);
    world.run(TICK);
    let via = "Via: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-one";
    let busy = world.texts("desk", &["SIP/2.0 486"]).remove(0);
    let (from, to) = (line(&busy, "From:"), line(&busy, "To:"));
    world.inject(
        "desk",
        &format!("ACK sip:1@192.0.2.1 SIP/2.0\r\n{via}\r\n{from}\r\n{to}\r\nCall-ID: merged\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"),
    );
    world.assert_nothing_left();
}

/// A target refresh (RFC 3261 12.2): whoever re-INVITEs from another Contact is reached there from then on.
#[test]
fn a_new_contact_in_a_new_offer_is_followed() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.relay("192.0.2.20:5062", "client");
    world.rewrite("client", "<sip:client@192.0.2.20:5060>", "<sip:client@192.0.2.20:5062>");
    world.phone("client").reoffers(Change::MovePort(20_000));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.phone("isp").reoffers(Change::Hold);
    world.until(|w| w.saw("isp", &PhoneEvent::RenegotiationAccepted));
    world.phone("isp").hangs_up();
    world.until_over();
    assert_eq!(world.texts_at("192.0.2.20:5062", &["INVITE sip:client@192.0.2.20:5062"]).len(), 1);
    assert_eq!(world.texts_at("192.0.2.20:5062", &["BYE sip:client@192.0.2.20:5062"]).len(), 1);
    world.assert_nothing_left();
}

/// CVE-2021-41158: a telephone that challenges what we send it learns no digest of our own realm, neither for an INVITE nor
/// in mid-call nor for a BYE: it could be used against us. For a realm of its own it learns what it knows, its own
/// password's digest, and we do not try for ever (AST-2020-002).
#[test]
fn who_challenges_us_learns_nothing() {
    for (status, name) in [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")] {
        for realm in ["asterisk", "provider.example"] {
            let mut world = Testbed::ready(&direct(), GUIDE);
            let challenge = format!("{name}: Digest realm=\"{realm}\",nonce=\"abc\",algorithm=MD5");
            for start in ["SIP/2.0 401", "SIP/2.0 407"] {
                world.add_to("isp", start, &challenge);
            }
            world.phone("isp").habit(|habits| habits.refuse = Some(status));
            world.phone("client").dials("1");
            world.until_over();
            let times = if realm == "asterisk" { 1 } else { 2 };
            assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), times);
            world.phone("isp").habit(|habits| {
                habits.refuse = None;
                habits.refuse_reinvite = Some(status);
            });
            world.connect();
            world.run(Duration::from_secs(5));
            world.phone("client").hangs_up();
            world.until_over();
            let learns = world.texts("isp", &[]).iter().any(|text| text.contains("Authorization"));
            assert_eq!(learns, realm != "asterisk", "{status} {realm}");
            world.assert_nothing_left();
        }
    }
}

/// A re-INVITE of the caller's with this description, by hand: with the number after all it has sent itself.
fn offers(world: &mut Testbed, number: u32, sdp: &str) -> String {
    let ok = world.texts("client", &["200 OK", "102 INVITE"]).remove(0);
    let [from, to, call_id] = ["From:", "To:", "Call-ID:"].map(|name| line(&ok, name));
    let message = |method: &str, branch: &str, sdp: &str| {
        format!(
            "{method} sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-{branch}{number}\r\n{from}\r\n{to}\r\n\
             {call_id}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\nContact: <sip:client@192.0.2.20:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
    };
    world.inject("client", &message("INVITE", "offer", sdp));
    world.run(Duration::from_millis(100));
    world.inject("client", &message("ACK", "ack", ""));
    world.run(TICK);
    let answers = world.texts("client", &["SIP/2.0 2", &format!("{number} INVITE")]);
    answers.into_iter().next().unwrap_or_default()
}

fn described(session: &str, address: &str, media: &str) -> String {
    format!("v=0\r\no=- 7 7 IN IP4 192.0.2.20\r\ns=-\r\n{address}t=0 0\r\n{session}m=audio 16420 RTP/AVP 0\r\n{media}")
}

/// Hold in all its spellings (RFC 3264 8.4 and before): by direction or by address, for the whole description or for
/// the medium alone.
#[test]
fn hold_in_every_spelling_and_back() {
    const HERE: &str = "c=IN IP4 192.0.2.20\r\n";
    const NOWHERE: &str = "c=IN IP4 0.0.0.0\r\n";
    let spellings = [
        (described("", HERE, "a=sendonly\r\n"), true),
        (described("", HERE, "a=inactive\r\n"), true),
        (described("", HERE, "a=recvonly\r\n"), false),
        (described("a=sendonly\r\n", HERE, ""), true),
        (described("a=inactive\r\n", HERE, ""), true),
        (described("a=recvonly\r\n", HERE, ""), false),
        (described("a=sendrecv\r\n", HERE, "a=inactive\r\n"), true),
        (described("a=inactive\r\n", HERE, "a=sendrecv\r\n"), false),
        (described("", NOWHERE, ""), true),
        (described("", NOWHERE, "a=sendrecv\r\n"), true),
        (described("", NOWHERE, "a=inactive\r\n"), true),
        (described("", "", NOWHERE), true),
        (described("", HERE, NOWHERE), true),
        (described("", NOWHERE, HERE), false),
    ];
    for sip in [SIP.to_owned(), direct()] {
        let mut world = Testbed::ready(&sip, GUIDE);
        world.connect();
        world.run(Duration::from_secs(1));
        let mut number = 200;
        for (spelling, held) in &spellings {
            let answer = offers(&mut world, number, spelling);
            assert!(answer.starts_with("SIP/2.0 200"), "{spelling}");
            assert_eq!(world.look("isp").media().is_none(), *held, "{spelling}");
            let listens = !spelling.contains("recvonly");
            assert!(listens || answer.contains("a=sendonly"), "{spelling}\n{answer}");
            let answer = offers(&mut world, number + 1, &described("", HERE, "a=sendrecv\r\n"));
            assert!(answer.starts_with("SIP/2.0 200") && !answer.contains("only\r\n"), "{answer}");
            assert!(world.look("isp").media().is_some(), "resumed after {spelling}");
            number += 2;
        }
        world.phone("isp").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// SDP that lies: media never goes to the exchange itself, where an echo or a second call would send it round and
/// round, nor to nobody or everybody.
#[test]
fn media_is_never_sent_to_where_nobody_or_the_exchange_itself_is() {
    let echo = "[default]\nexten => 1,1,Answer()\nexten => 1,2,Echo()\n";
    let mut world = Testbed::ready(SIP, echo);
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    world.run(TICK);
    let own = world.media.streams.values().next().unwrap().rtp;
    for (number, address, port) in [
        (200, "192.0.2.1", own.port()),
        (201, "0.0.0.0", 5004),
        (202, "255.255.255.255", 5004),
        (203, "224.2.1.1/127", 5004),
        (204, "somewhere.example", 5004),
    ] {
        let sdp = described("", &format!("c=IN IP4 {address}\r\n"), "").replace("16420", &port.to_string());
        offers(&mut world, number, &sdp);
        let remote = world.media.streams.values().next().unwrap().remote.and_then(|remote| remote.rtp);
        assert!(remote.is_none() || remote == "192.0.2.20:16420".parse().ok(), "{address}: {remote:?}");
        assert!(world.look("client").has_call());
    }
    // Its reports, too: two lines that each name their own would have one go round for ever.
    let here = "c=IN IP4 192.0.2.20\r\n";
    let elsewhere = "192.0.2.20:16420".parse().ok();
    for (number, rtp, rtcp, address) in [
        (300, 16420, own.port() + 1, "192.0.2.1"),
        (301, 16420, own.port(), "192.0.2.1"),
        (302, own.port() + 1, 16421, "192.0.2.20"),
    ] {
        let at = if rtp == 16420 { here } else { "c=IN IP4 192.0.2.1\r\n" };
        let sdp = described("", at, &format!("a=rtcp:{rtcp} IN IP4 {address}\r\n"));
        offers(&mut world, number, &sdp.replace("16420", &rtp.to_string()));
        let remote = world.media.streams.values().next().unwrap().remote.unwrap();
        let theirs = format!("192.0.2.20:{rtcp}").parse().ok().filter(|_| address == "192.0.2.20");
        assert_eq!((remote.rtp, remote.rtcp), (elsewhere.filter(|_| rtp == 16420), theirs), "{sdp}");
    }
    let sdp = described("", here, "a=rtcp:17000\r\n");
    offers(&mut world, 303, &sdp);
    let remote = world.media.streams.values().next().unwrap().remote.unwrap();
    assert_eq!(
        (remote.rtp, remote.rtcp),
        (elsewhere, "192.0.2.20:17000".parse().ok()),
        "reports go where they are wanted"
    );
    world.phone("client").hangs_up();
    world.run(Duration::from_secs(1));
    // Its BYE has a number that was used by hand: 500. The console ends the call.
    for channel in world.channels() {
        let (_, effects) = world.switch.hang_up(crate::testbed::at(world.now), &channel);
        world.execute(effects);
    }
    world.until_over();
    world.assert_nothing_left();
}

/// The advisories of other exchanges, each as the request that broke one: it is answered once, with what is owed, or
/// not at all; and a call goes through afterwards.
#[test]
fn what_broke_others_is_answered_as_it_is_owed() {
    let neighbour = "[neighbour]\ntype=friend\nhost=192.0.2.30\ninsecure=port,invite\ncontext=default\n";
    let mut world = Testbed::ready(&format!("{SIP}{neighbour}"), GUIDE);
    world.spoiler = Some(Spoiler::none());
    let multipart = "--b\r\nContent-Type: application/sdp\r\nContent-Length: 0\r\n\r\n\r\n--b--\r\n";
    let contact = "Contact: <sip:neighbour@192.0.2.30>";
    let long = |length: usize| "a".repeat(length);
    let cases: Vec<(&str, String, String, &[u16])> = vec![
        // AST-2017-002: a CSeq of 5 kB; a Via without branch.
        ("OPTIONS", format!("CSeq: 1 {}", long(5_000)), String::new(), &[400]),
        // AST-2017-003: a part of no length, which describes nothing.
        ("INVITE", format!("{contact}\r\nContent-Type: multipart/mixed;boundary=b"), multipart.into(), &[488]),
        // AST-2016-009: To with a control character is not To; there is no other.
        ("INVITE", format!("{contact}\r\nTo\u{1}: <sip:other@192.0.2.1>"), String::new(), &[400]),
        // AST-2017-009: numbers beyond all bounds.
        ("REGISTER", "Expires: 99999999999999999999".into(), String::new(), &[401, 400]),
        ("OPTIONS", "CSeq: 99999999999999999999 OPTIONS".into(), String::new(), &[400]),
        ("OPTIONS", "Max-Forwards: 99999999999".into(), String::new(), &[200, 400]),
        ("INVITE", format!("{contact};q=99999999999;expires=-1"), String::new(), &[100, 400]),
        // AST-2017-014: nowhere to reach the caller.
        ("INVITE", String::new(), String::new(), &[400]),
        ("SUBSCRIBE", String::new(), String::new(), &[401, 400, 489]),
        // AST-2018-004: more Accept lines than anybody needs.
        ("SUBSCRIBE", format!("{contact}\r\n{}", "Accept: a/b\r\n".repeat(60).trim_end()), String::new(), &[401, 489]),
        // GHSA-589g-qgf8-m6mx: a body nobody asked for.
        (
            "NOTIFY",
            "Content-Type: application/simple-message-summary".into(),
            "Voice-Message: 1/1\r\n".repeat(99),
            &[200, 401],
        ),
        // AST-2008-003: an empty From is nobody.
        ("REGISTER", "From: <>;tag=x".into(), String::new(), &[400, 401, 403]),
        ("REGISTER", "From: ;tag=x".into(), String::new(), &[400]),
        // CVE-2021-37624: a message with somebody else's From.
        ("MESSAGE", "From: <sip:desk@192.0.2.1>;tag=x".into(), "boo".into(), &[401, 405]),
    ];
    for (number, (method, lines, body, owed)) in cases.into_iter().enumerate() {
        let own = |name: &str, text: String| if lines.contains(&format!("{name}:")) { String::new() } else { text };
        let to = own("To\u{1}", "To: <sip:1@192.0.2.1>\r\n".into());
        let from = own("From", "From: <sip:neighbour@192.0.2.30>;tag=n\r\n".into());
        let cseq = own("CSeq", format!("CSeq: 1 {method}\r\n"));
        let hops = own("Max-Forwards", "Max-Forwards: 70\r\n".into());
        let lines = if lines.is_empty() { lines } else { format!("{lines}\r\n") };
        let text = format!(
            "{method} sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-broke{number}\r\n{from}{to}\
             Call-ID: broke{number}\r\n{cseq}{hops}{lines}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        world.inject("desk", &text);
        world.run(Duration::from_millis(5));
        let sent = world.texts("desk", &["SIP/2.0"]);
        let answers: Vec<&String> =
            sent.iter().filter(|it| it.contains(&format!("Call-ID: broke{number}\r\n"))).collect();
        let statuses: Vec<u16> = answers.iter().map(|text| text[8..11].parse().unwrap()).collect();
        assert!(statuses.iter().all(|status| owed.contains(status)), "{statuses:?} to {text}");
        assert_eq!(statuses.len(), 1, "{text}");
    }
    // AST-2016-004: a URI of any length.
    for length in [1, 60, 255, 256, 257, 1_000, 4_095, 4_096, 8_191, 16_000, 32_000, 60_000] {
        let text = format!(
            "REGISTER sip:{} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-long{length}\r\nFrom: <sip:desk@192.0.2.1>;tag=x\r\n\
             To: <sip:desk@192.0.2.1>\r\nCall-ID: long{length}\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            long(length)
        );
        world.inject("desk", &text);
        world.run(Duration::from_millis(5));
        let sent = world.texts("desk", &["SIP/2.0"]);
        let answers: Vec<&String> =
            sent.iter().filter(|it| it.contains(&format!("Call-ID: long{length}\r\n"))).collect();
        // An answer of more than twice the bytes is not sent to a stranger.
        assert!(answers.len() == 1 || (length < 60 && answers.is_empty()), "{length}");
        for answer in answers {
            assert!(["401", "414", "400", "404"].contains(&&answer[8..11]), "{length}: {answer}");
            assert!(answer.len() <= 2 * text.len(), "{length}");
        }
    }
    // What was refused is never acknowledged here, and what rings is given up.
    for channel in world.channels() {
        let (_, effects) = world.switch.hang_up(crate::testbed::at(world.now), &channel);
        world.execute(effects);
    }
    world.run(Duration::from_secs(40));
    world.connect();
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_new_offer_that_is_redirected_changes_nothing() {
    for status in [300, 301, 302, 305, 380] {
        for who in ["client", "isp"] {
            let mut world = Testbed::ready(SIP, GUIDE);
            world.connect();
            world.run(Duration::from_secs(1));
            let other = if who == "client" { "isp" } else { "client" };
            world.add_to(other, "SIP/2.0 30", "Contact: <sip:201@192.0.2.1>");
            world.phone(other).habit(|habits| habits.refuse_reinvite = Some(status));
            world.phone(who).reoffers(Change::Hold);
            world.run(Duration::from_secs(2));
            assert!(world.is_talking("client") && world.is_talking("isp"), "{status} {who}");
            world.phone(who).hangs_up();
            world.until_over();
            assert!(world.settles(), "{status} {who}");
        }
    }
}
