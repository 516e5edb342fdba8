//! INVITEs as real and odd senders write them, one by one, from a neighbouring exchange: what is taken, what of it goes
//! on to the telephone that is called, and what is refused with which status.

use crate::network::Quality;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, PhoneEvent};

const TICK: Duration = Duration::from_millis(50);
const VOICE: &str = "m=audio 5004 RTP/AVP 0\r\n";

/// What an INVITE says; the rest is as usual.
struct Invite {
    target: &'static str,
    to: &'static str,
    from: &'static str,
    contact: &'static str,
    headers: String,
    body: String,
}

impl Invite {
    fn usual() -> Invite {
        Invite {
            target: "sip:1@192.0.2.1",
            to: "<sip:1@192.0.2.1>",
            from: "<sip:neighbour@192.0.2.30>",
            contact: "<sip:neighbour@192.0.2.30>",
            headers: "Content-Type: application/sdp\r\n".into(),
            body: sdp("c=IN IP4 192.0.2.30\r\n", VOICE),
        }
    }

    fn offering(body: String) -> Invite {
        Invite { body, ..Invite::usual() }
    }

    /// Sends it; the called telephone answers if it is called.
    fn sent(&self) -> Outcome {
        let neighbour = "[neighbour]\ntype=friend\nhost=192.0.2.30\ninsecure=port,invite\ncontext=default\n";
        let mut world = Testbed::ready(&format!("{SIP}{neighbour}"), GUIDE);
        let Invite { target, to, from, contact, headers, body } = self;
        world.inject(
            "desk",
            &format!(
                "INVITE {target} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-odd\r\nFrom: {from};tag=n\r\n\
                 To: {to}\r\nCall-ID: odd\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: {contact}\r\n{headers}\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        world.run(TICK);
        if world.is_called("isp") {
            world.phone("isp").answers();
            world.run(TICK);
        }
        let mut answers =
            world.texts("desk", &["SIP/2.0 "]).into_iter().filter(|text| text.contains("Call-ID: odd\r\n"));
        let last = answers.rfind(|text| !text.starts_with("SIP/2.0 1")).unwrap_or_default();
        let called = world.texts("isp", &["INVITE "]).into_iter().next_back().unwrap_or_default();
        Outcome { status: last[8..11].parse().unwrap(), answer: last, called, world }
    }
}

struct Outcome {
    status: u16,
    answer: String,
    called: String,
    world: Testbed,
}

fn sdp(connection: &str, media: &str) -> String {
    format!("v=0\r\no=- 7 7 IN IP4 192.0.2.30\r\ns=-\r\n{connection}t=0 0\r\n{media}")
}

fn media_lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("m=")).collect()
}

/// Without an address of the internet there is nowhere to send to: 488 (RFC 3261 13.3.1.3), before anything rings.
#[test]
fn an_offer_that_names_no_address_is_488() {
    for connection in [
        "c=XX IP4 192.0.2.30\r\n",
        "c=IN IP5 192.0.2.30\r\n",
        "c=IN IP4 notanaddress\r\n",
        "c=IN IP4 192.0.2.256\r\n",
        "c=IN IP4 192.0.2.2x\r\n",
        "c=IN IP4\r\n",
        "c=\r\n",
        "",
    ] {
        let Outcome { status, called, .. } = Invite::offering(sdp(connection, VOICE)).sent();
        assert_eq!((status, called.as_str()), (488, ""), "{connection:?}");
    }
    for media in ["m=audio 70000 RTP/AVP 0\r\n", "m=audio x RTP/AVP 0\r\n", "m=audio\r\n"] {
        let outcome = Invite::offering(sdp("c=IN IP4 192.0.2.30\r\n", media)).sent();
        assert_eq!(outcome.status, 488, "{media:?}");
        assert!(outcome.world.has_line("its media description cannot be read: SDP line 6: m= needs"), "{media:?}");
    }
    for connection in ["c=IN IP4 192.0.2.30\r\n", "c=in ip4 192.0.2.30\r\n", "c=IN IP4 media.example.com\r\n"] {
        assert_eq!(Invite::offering(sdp(connection, VOICE)).sent().status, 200, "{connection:?}");
    }
    let own = sdp("", &format!("{VOICE}c=IN IP4 192.0.2.30\r\n"));
    assert_eq!(Invite::offering(own).sent().status, 200, "a medium may have its own");
}

/// RFC 3264 6: of two voice streams the first with a codec that is known and allowed, in its place; the other is
/// rejected. The called telephone hears of the one alone.
#[test]
fn of_two_voice_streams_the_usable_one_is_taken() {
    let connection = "c=IN IP4 192.0.2.30\r\n";
    for (media, answered) in [
        (
            "m=audio 5002 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\nm=audio 5004 RTP/AVP 0\r\n",
            ["m=audio 0 RTP/AVP 97", "m=audio PORT RTP/AVP 0"],
        ),
        ("m=audio 5002 RTP/AVP 4\r\nm=audio 5004 RTP/AVP 0\r\n", ["m=audio 0 RTP/AVP 4", "m=audio PORT RTP/AVP 0"]),
        ("m=audio 5004 RTP/AVP 0\r\nm=audio 5006 RTP/AVP 0\r\n", ["m=audio PORT RTP/AVP 0", "m=audio 0 RTP/AVP 0"]),
    ] {
        let Outcome { status, answer, called, .. } = Invite::offering(sdp(connection, media)).sent();
        assert_eq!(status, 200, "{media}");
        let lines = media_lines(&answer);
        assert_eq!(lines.len(), 2, "{answer}");
        for (line, expected) in lines.iter().zip(answered) {
            match expected.split_once("PORT") {
                Some((before, behind)) => {
                    assert!(line.starts_with(before) && line.ends_with(behind) && !line.contains(" 0 RTP"), "{answer}");
                }
                None => assert_eq!(*line, expected, "{answer}"),
            }
        }
        assert_eq!(media_lines(&called).len(), 1, "{called}");
    }
    let neither = "m=audio 5002 RTP/AVP 4\r\nm=audio 5004 RTP/AVP 9\r\n";
    assert_eq!(Invite::offering(sdp(connection, neither)).sent().status, 488);
}

/// RFC 3261 20.11, RFC 5621: what is optional is passed over, however it is written; what is not, or is another word,
/// is 415.
#[test]
fn what_a_sender_calls_optional_is_passed_over() {
    let voice = format!("Content-Type: application/sdp\r\n\r\n{}", sdp("c=IN IP4 192.0.2.30\r\n", VOICE));
    let text = |disposition: &str| format!("Content-Type: text/plain\r\n{disposition}\r\nIt is me.");
    for (disposition, status) in [
        ("Content-Disposition: render;handling=optional\r\n", 200),
        ("Content-Disposition: render; handling = \"optional\"\r\n", 200),
        ("content-disposition: RENDER ;\thandling=Optional\r\n", 200),
        ("Content-Disposition: render;\r\n handling=optional\r\n", 200),
        ("Content-Disposition: render;handling=required\r\n", 415),
        ("Content-Disposition: render;handling=whatever\r\n", 415),
        ("Content-Disposition: render;x=\"handling=optional\"\r\n", 415),
        ("Content-Disposition: render\r\n", 415),
        ("", 415),
    ] {
        for (before, behind) in [(text(disposition), voice.clone()), (voice.clone(), text(disposition))] {
            let invite = Invite {
                headers: "Content-Type: multipart/mixed;boundary=b\r\n".into(),
                ..Invite::offering(format!("--b\r\n{before}\r\n--b\r\n{behind}\r\n--b--\r\n"))
            };
            assert_eq!(invite.sent().status, status, "{disposition:?}");
        }
    }
    let alternative = Invite {
        headers: "Content-Type: multipart/alternative;boundary=b\r\n".into(),
        ..Invite::offering(format!("--b\r\n{}\r\n--b\r\n{voice}\r\n--b--\r\n", text("")))
    };
    assert_eq!(alternative.sent().status, 200, "of alternatives the one that is understood");
    // By itself: as if there were no offer.
    let alone = Invite {
        headers: "Content-Type: text/plain\r\nContent-Disposition: render; handling=\"optional\"\r\n".into(),
        ..Invite::offering("It is me.".into())
    };
    assert_eq!(alone.sent().status, 200);
}

/// RFC 3966: a telephone number where an address stands is dialled, and is who calls.
#[test]
fn a_tel_uri_is_its_number() {
    for (target, number) in [
        ("tel:1", "1"),
        ("tel:+1-201-555-0123", "+12015550123"),
        ("tel:863-1234;phone-context=example.com", "8631234"),
        ("TEL:(201)555.01;phone-context=+1", "20155501"),
    ] {
        let to = "<tel:+49-89-555>";
        let plan = Invite { target, to, from: "Anna <tel:+1-201-555-9999>", ..Invite::usual() };
        let Outcome { status, answer, called, world } = plan.sent();
        // The guide's dialplan takes numbers that begin with a digit.
        if number.starts_with('+') {
            assert_eq!(status, 404, "{target}");
            assert!(world.has_line(number), "{target}: {:?}", world.lines);
            continue;
        }
        assert_eq!(status, 200, "{target}: {answer}");
        assert!(world.has_line(&format!("[{number}@default:1]")), "{target}: {:?}", world.lines);
        assert!(answer.contains("\r\nTo: <tel:+49-89-555>;tag="), "{answer}");
        let from = called.lines().find(|line| line.starts_with("From:")).unwrap_or_default();
        assert!(from.contains("Anna") && from.contains("<sip:+12015559999@"), "{called}");
    }
}

/// RFC 3261 19.1.1: what a Contact says beside the address never gets into a Request-URI.
#[test]
fn header_fields_of_a_contact_stay_out_of_the_request_uri() {
    let odd = "<sip:b@192.0.2.30;method=INVITE;x=y?Route=%3Csip:192.0.2.66%3E&Subject=z>";
    let Outcome { status, answer, mut world, .. } = Invite { contact: odd, ..Invite::usual() }.sent();
    assert_eq!(status, 200);
    let to = answer.lines().find(|line| line.starts_with("To:")).unwrap();
    world.inject(
        "desk",
        &format!(
            "ACK sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.30:5060;branch=z9hG4bK-ack\r\n{to}\r\n\
             From: <sip:neighbour@192.0.2.30>;tag=n\r\nCall-ID: odd\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ),
    );
    world.run(TICK);
    world.phone("isp").hangs_up();
    world.run(TICK);
    let bye = world.texts("desk", &["BYE "]).remove(0);
    assert!(bye.starts_with("BYE sip:b@192.0.2.30;x=y SIP/2.0\r\n") && !bye.contains("192.0.2.66"), "{bye}");

    // Registered so, and called; and sent on to such a place.
    for redirected in [false, true] {
        let sip = SIP.replacen("[general]\n", "[general]\npromiscredir=yes\n", 1);
        let mut world = Testbed::new(&sip, GUIDE, Quality::PERFECT, 1);
        let contact = if redirected { "sip:desk@192.0.2.30" } else { "sip:isp@192.0.2.20:5061" };
        if redirected {
            world.add_to("isp", "SIP/2.0 302", "Contact: <sip:desk@192.0.2.30?Route=%3Csip:192.0.2.66%3E>");
            world.phone("isp").habit(|habits| habits.refuse = Some(302));
        } else {
            world.rewrite_head("isp", "@192.0.2.20:5061>", "@192.0.2.20:5061?Route=%3Csip:192.0.2.66%3E>");
        }
        world.register_all();
        world.phone("client").dials("1");
        let callee = if redirected { "desk" } else { "isp" };
        world.until(|w| w.is_called(callee));
        let invite = world.texts(callee, &["INVITE "]).remove(0);
        assert!(invite.starts_with(&format!("INVITE {contact}")), "{invite}");
        assert!(!invite.contains("Route") && !invite.lines().next().unwrap_or_default().contains('?'), "{invite}");
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// In the 200, in the answer to a new offer, in the ACK, in the 183: none of them can be refused.
#[test]
fn an_answer_counts_whatever_stands_beside_it() {
    for (who, offerless) in [("isp", false), ("client", true)] {
        for part in [
            "Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n\r\nhello",
            "Content-Type: text/plain\r\n\r\nhello",
            "Content-Type: application/isup;version=ansi88\r\nContent-Disposition: signal;handling=required\r\n\r\nx",
        ] {
            let mut world = Testbed::ready(SIP, GUIDE);
            world.phone("client").habit(|habits| habits.offerless = offerless);
            world.wraps(who, part, part);
            world.phone("client").dials("1");
            world.until(|w| w.is_called("isp"));
            world.run(Duration::from_millis(200));
            if who == "isp" {
                world.phone("isp").sounds();
                world.run(Duration::from_millis(200));
                assert!(world.saw("client", &PhoneEvent::Progress), "{part}");
            }
            world.phone("isp").answers();
            world.run(Duration::from_secs(2));
            assert!(world.is_talking("client") && world.is_talking("isp"), "{who} {part}");
            world.assert_connected("client", "isp", true);
            let other = if who == "client" { "isp" } else { "client" };
            world.phone(other).reoffers(Change::Hold);
            world.run(Duration::from_secs(2));
            assert!(world.saw(other, &PhoneEvent::RenegotiationAccepted), "{who} {part}");
            world.phone(other).hangs_up();
            world.until_over();
            assert!(world.settles());
        }
    }
}

#[test]
fn new_offers_that_name_no_address_are_488() {
    for who in ["isp", "client"] {
        for line in ["c=XX IP4 192.0.2.20", "c=IN IP5 192.0.2.20"] {
            for update in [false, true] {
                let mut world = Testbed::ready(SIP, GUIDE);
                world.connect();
                world.run(Duration::from_secs(1));
                world.rewrite_head(who, "c=IN IP4 192.0.2.20", line);
                match update {
                    true => world.phone(who).updates(Some(Change::MovePort(20_000))),
                    false => world.phone(who).reoffers(Change::MovePort(20_000)),
                }
                world.run(Duration::from_secs(2));
                assert!(world.saw(who, &PhoneEvent::RenegotiationRefused(488)), "{who} {line} {update}");
                world.phone(who).hangs_up();
                world.until_over();
                assert!(world.settles());
            }
        }
    }
}

#[test]
fn header_fields_of_a_contact_stay_out_in_every_message_that_names_one() {
    for who in ["client", "isp"] {
        let mut world = Testbed::new(SIP, GUIDE, Quality::PERFECT, 1);
        let place = world.look(who).config().sip;
        world.rewrite_head(
            who,
            &format!("Contact: <sip:{who}@{place}>"),
            &format!("Contact: <sip:{who}@{place};method=INVITE?Route=%3Csip:203.0.113.9%3E&Subject=x>"),
        );
        world.register_all();
        world.connect();
        world.run(Duration::from_secs(1));
        let other = if who == "client" { "isp" } else { "client" };
        world.phone(other).reoffers(Change::Hold);
        world.run(Duration::from_secs(1));
        assert!(world.saw(other, &PhoneEvent::RenegotiationAccepted));
        world.phone(other).hangs_up();
        world.until_over();
        for text in world.texts(who, &["sip:"]) {
            let first = text.lines().next().unwrap();
            assert!(!first.contains('?') && !first.contains("method="), "{first}");
        }
        assert!(world.settles());
    }
}
