//! New offers of which the other line need not know, since the exchange relays the sound: it answers them alone. The
//! other line here takes no re-INVITE at all.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::net::SocketAddr;
use std::time::Duration;
use strowger::sdp::{Codec, Sdp};
use strowger::sim::{Change, PhoneEvent};

/// What the two agreed on beside PCMU.
const KEYS: &str = "a=rtpmap:100 NSE/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

/// A relayed call whose lines have agreed on PCMU, and of which the called one refuses every re-INVITE.
fn stubborn(who: &str) -> Testbed {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone(who).habit(|habits| habits.refuse_reinvite = Some(488));
    world
}

fn asked(world: &Testbed, who: &str) -> usize {
    world.messages("exchange", who, &["INVITE sip"]).len() + world.messages("exchange", who, &["UPDATE sip"]).len()
}

fn end(mut world: Testbed) {
    // The caller's own requests are numbered lower than those by hand.
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// A re-INVITE or UPDATE of the caller's by hand; the response to it.
fn offers(world: &mut Testbed, method: &str, number: u32, sdp: &str) -> String {
    let ok = world.texts("client", &["200 OK", "102 INVITE"]).remove(0);
    let line = |name: &str| ok.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let [from, to, call_id] = ["From:", "To:", "Call-ID:"].map(line);
    let message = |method: &str, branch: &str, sdp: &str| {
        format!(
            "{method} sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-{branch}{number}\r\n{from}\r\n{to}\r\n\
             {call_id}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\nContact: <sip:client@192.0.2.20:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
    };
    world.inject("client", &message(method, "offer", sdp));
    world.run(Duration::from_millis(200));
    if method == "INVITE" {
        world.inject("client", &message("ACK", "ack", ""));
        world.run(Duration::from_millis(200));
    }
    world.texts("client", &[&format!("{number} {method}")]).into_iter().next_back().unwrap_or_default()
}

fn described(version: u32, address: &str, port: u16, formats: &str, lines: &str) -> String {
    format!(
        "v=0\r\no=- 7 {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP {formats}\r\n{lines}"
    )
}

#[test]
fn a_line_that_moves_its_port_is_followed_whatever_the_other_thinks_of_it() {
    for (who, other) in [("client", "isp"), ("isp", "client")] {
        for update in [false, true] {
            let mut world = stubborn(other);
            let before = asked(&world, other);
            for port in [20_000, 20_002, 20_004] {
                let accepted = world.count(who, &PhoneEvent::RenegotiationAccepted);
                match update {
                    true => world.phone(who).updates(Some(Change::MovePort(port))),
                    false => world.phone(who).reoffers(Change::MovePort(port)),
                }
                world.until(|w| w.count(who, &PhoneEvent::RenegotiationAccepted) > accepted);
                world.assert_agreed("client", "isp", true);
                assert_eq!(world.look(who).rtp().port(), port);
            }
            assert_eq!(asked(&world, other), before, "{other} is left alone");
            assert!(!world.has_line("its new offer is refused"));
            end(world);
        }
    }
}

/// Another address of the telephone's, its RTCP elsewhere, codecs left out that were not in use, codecs added, other
/// numbers for the same, a medium that is refused as it was.
#[test]
fn what_the_other_line_need_not_know_is_answered_without_it() {
    for method in ["INVITE", "UPDATE"] {
        let mut world = stubborn("isp");
        let before = asked(&world, "isp");
        let target = world.look("client").media().unwrap();
        let renumbered = "a=rtpmap:97 PCMU/8000\r\na=rtpmap:98 NSE/8000\r\na=rtpmap:99 telephone-event/8000\r\n";
        for (number, (address, port, formats, lines)) in (200..).zip([
            ("192.0.2.20", 17_000, "0 100 101", KEYS.to_owned()),
            ("192.0.2.77", 17_000, "0 100 101", KEYS.to_owned()),
            ("192.0.2.77", 17_002, "0 100 101", format!("{KEYS}a=rtcp:9999\r\na=rtcp-mux\r\n")),
            ("192.0.2.77", 17_002, "0 8 18 101 100", KEYS.to_owned()),
            ("192.0.2.77", 17_004, "97 99 98", renumbered.to_owned()),
            ("192.0.2.77", 17_004, "0 100 101", format!("{KEYS}m=video 0 RTP/AVP 31\r\n")),
        ]) {
            let answer = offers(&mut world, method, number, &described(number, address, port, formats, &lines));
            assert!(answer.starts_with("SIP/2.0 200"), "{formats}: {answer}");
            let body = answer.split_once("\r\n\r\n").unwrap().1;
            let answered = Sdp::parse(body.as_bytes()).unwrap();
            assert_eq!(answered.rtp_addr(), Some(target), "{answer}");
            let audio = answered.audio().unwrap();
            assert_eq!(audio.formats[0].codec, Some(Codec::Ulaw), "{answer}");
            assert_eq!(audio.formats[0].payload.to_string(), formats.split(' ').next().unwrap());
            assert!(audio.formats.iter().all(|format| format.codec.is_none_or(|codec| codec == Codec::Ulaw)));
            assert!(!answer.contains("mux"), "{answer}");
            assert_eq!(body.matches("m=").count(), 1 + lines.matches("m=").count(), "{answer}");
            // Both ways, each under its own number.
            let (isp, exchange) = (world.look("isp").rtp(), world.look("isp").media().unwrap());
            let phone: SocketAddr = format!("{address}:{port}").parse().unwrap();
            let payload = audio.formats[0].payload;
            assert_eq!(world.media.forward(isp, exchange, 0), Some((target, phone, payload)), "{formats}");
            assert_eq!(world.media.forward(phone, target, payload).map(|to| (to.1, to.2)), Some((isp, 0)), "{formats}");
        }
        assert_eq!(asked(&world, "isp"), before, "it is left alone");
        end(world);
    }
}

/// It should know of these, and is asked; it refuses, and what both can do goes on where the line is now.
#[test]
fn what_the_other_line_refuses_to_know_does_not_cost_the_sound() {
    let mut world = stubborn("isp");
    for (number, (port, lines)) in (200..).zip([
        (17_000, format!("{KEYS}a=silenceSupp:off - - - -\r\n")),
        (17_002, format!("{KEYS}a=X-odd:1\r\n")),
        (17_004, format!("{KEYS}a=fmtp:0 mode=2\r\n")),
        (17_006, "a=rtpmap:101 telephone-event/8000\r\n".to_owned()),
    ]) {
        let before = asked(&world, "isp");
        let answer = offers(&mut world, "INVITE", number, &described(number, "192.0.2.20", port, "0 101", &lines));
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        assert_eq!(asked(&world, "isp"), before + 1, "{lines}");
        let (isp, exchange) = (world.look("isp").rtp(), world.look("isp").media().unwrap());
        let to = world.media.forward(isp, exchange, 0).map(|to| to.1.port());
        assert_eq!(to, Some(port), "{lines}");
    }
    end(world);
}

/// Hold, a codec that was not agreed on, and another medium are the other line's business; also when the port moves, too.
#[test]
fn what_the_other_line_must_know_is_refused_with_it() {
    let mut world = stubborn("isp");
    for (number, (formats, lines)) in (200..).zip([
        ("0 101", "a=sendonly\r\n"),
        ("0", "a=inactive\r\n"),
        ("8", ""),
        ("0", "m=image 17002 udptl t38\r\n"),
    ]) {
        let sdp = described(number, "192.0.2.20", 17_000, formats, lines);
        let answer = offers(&mut world, "INVITE", number, &sdp);
        assert!(answer.starts_with("SIP/2.0 488"), "{formats} {lines}: {answer}");
    }
    world.assert_connected("client", "isp", true);
    end(world);
}

/// Where the lines send to each other directly, the other one must know where to.
#[test]
fn with_direct_media_the_other_line_is_told() {
    let mut world = Testbed::ready(&SIP.replace("directmedia=no", "directmedia=yes"), GUIDE);
    world.connect();
    world.assert_agreed("client", "isp", false);
    let before = asked(&world, "isp");
    world.phone("client").reoffers(Change::MovePort(20_000));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.assert_agreed("client", "isp", false);
    assert!(asked(&world, "isp") > before);
    end(world);
}

/// A port of IPv4 reaches no IPv6 address: the offer is refused at once, and the sound stays where it is.
#[test]
fn another_family_of_addresses_is_refused() {
    let mut world = stubborn("isp");
    world.phone("isp").habit(|habits| habits.refuse_reinvite = None);
    let before = asked(&world, "isp");
    let sdp =
        "v=0\r\no=- 7 9 IN IP6 2001:db8::7\r\ns=-\r\nc=IN IP6 2001:db8::7\r\nt=0 0\r\nm=audio 17000 RTP/AVP 0\r\n";
    let answer = offers(&mut world, "INVITE", 200, sdp);
    assert!(answer.starts_with("SIP/2.0 488"), "{answer}");
    assert!(world.has_line("at an address of the other family"));
    assert_eq!(asked(&world, "isp"), before);
    world.assert_connected("client", "isp", true);
    end(world);
}
