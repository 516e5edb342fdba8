//! Requests that meet each other, as random scripts found them and as other stacks got them wrong.

use crate::stories::stories;
use crate::testbed::{GUIDE, Hand, SIP, Testbed};
use std::time::Duration;
use strowger::sdp::{Codec, Direction};
use strowger::sim::{Change, PhoneEvent};
use strowger::sip::method::Method;

stories! {
    a_key_is_pressed_while_an_offer_is_carried(SIP, GUIDE);
    the_callee_leaves_while_the_callers_offer_is_carried(SIP, ON);
    the_callee_leaves_while_the_direct_callers_offer_is_carried(SIP.replace("directmedia=no", "directmedia=yes"), ON);
    the_callee_hangs_up_on_a_caller_it_holds(SIP, ON);
    the_callee_hangs_up_on_a_direct_caller_it_holds(SIP.replace("directmedia=no", "directmedia=yes"), ON);
    the_caller_holds_while_it_rings(SIP, PROMPT);
    the_caller_holds_while_it_rings_and_wants_direct_media(SIP.replace("directmedia=no", "directmedia=yes"), PROMPT);
    the_caller_changes_its_codec_while_it_rings(SIP, PROMPT);
    the_callee_wants_fax_while_it_is_led_back(SIP.replace("directmedia=no", "directmedia=yes"), GUIDE);
    the_callee_asks_for_an_offer_while_it_is_led_back(SIP.replace("directmedia=no", "directmedia=yes"), GUIDE);
}

/// The exchange answers before it dials.
const PROMPT: &str = "[default]\nexten => _X!,1,Answer()\nexten => _X!,2,Dial(SIP/isp,20)\n";

/// The program goes on to another line when the first hangs up.
const ON: &str = "[default]\nexten => _X!,1,Dial(SIP/isp,20,g)\nexten => _X!,2,Dial(SIP/desk,20)\n";

/// The ACK has the number of its INVITE (RFC 3261 13.2.2.4), whatever the phone sent since: an INFO in between cost the
/// call, 32 s later.
fn a_key_is_pressed_while_an_offer_is_carried(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("isp").reoffers(Change::MovePort(20_000));
    world.run(Duration::from_millis(15));
    world.phone("isp").presses('5');
    // On a bad network the INFO may overtake the INVITE, which then comes out of order (RFC 3261 12.2.2), on its way to the
    // exchange or on to the other line.
    let done = |w: &Testbed| {
        let events = &w.stations["isp"].events;
        events
            .iter()
            .any(|(_, event)| matches!(event, PhoneEvent::RenegotiationAccepted | PhoneEvent::RenegotiationRefused(_)))
    };
    world.until(done);
    world.run(Duration::from_secs(40));
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

/// The same before the answer: the caller says something (INFO, UPDATE, OPTIONS) in its early dialog.
#[test]
fn a_caller_that_speaks_before_the_answer_keeps_its_call() {
    for method in ["INFO", "UPDATE", "OPTIONS"] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.phone("client").dials("88567682");
        world.until(|w| w.is_called("isp") && w.saw("client", &PhoneEvent::Ringing));
        let ringing = world.texts("client", &["180"]).remove(0);
        let [from, to, call_id] = ["From: ", "To: ", "Call-ID: "]
            .map(|name| ringing.lines().find(|line| line.starts_with(name)).unwrap().to_owned());
        world.inject(
            "client",
            &format!(
                "{method} sip:88567682@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-early\r\n{from}\r\n\
                 {to}\r\n{call_id}\r\nCSeq: 103 {method}\r\nMax-Forwards: 70\r\nContact: <sip:client@192.0.2.20:5060>\r\n\
                 Content-Length: 0\r\n\r\n"
            ),
        );
        world.run(Duration::from_millis(100));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        world.run(Duration::from_secs(40));
        assert_eq!(world.messages("exchange", "client", &["200 OK", "INVITE"]).len(), 1, "{method}");
        world.assert_connected("client", "isp", true);
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// The offer was for a line that is gone: the exchange answers it itself, and the next line is told what it said.
fn the_callee_leaves_while_the_callers_offer_is_carried(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_secs(1));
    world.phone("isp").hangs_up();
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted) && w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk"));
    world.run(Duration::from_secs(20));
    assert_eq!(world.look("desk").media(), None, "it is held");
    world.phone("client").reoffers(Change::Resume);
    world.until(|w| w.look("desk").media().is_some());
    let relayed = world.sound_from("client").is_none_or(|sound| sound.relayed);
    world.assert_agreed("client", "desk", relayed);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_callee_leaves_while_the_direct_callers_offer_is_carried(world: &mut Testbed) {
    the_callee_leaves_while_the_callers_offer_is_carried(world);
}

/// The called line was offered what the caller had said before: once it answers, it is told the rest.
fn the_caller_holds_while_it_rings(world: &mut Testbed) {
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("client").reoffers(Change::Hold);
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp"));
    world.until(|w| w.look("isp").media().is_none());
    world.run(Duration::from_secs(20));
    world.phone("client").reoffers(Change::Resume);
    world.until(|w| w.look("isp").media().is_some());
    world.run(Duration::from_secs(20));
    let relayed = world.sound_from("client").is_some_and(|sound| sound.relayed);
    world.assert_agreed("client", "isp", relayed);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_caller_holds_while_it_rings_and_wants_direct_media(world: &mut Testbed) {
    the_caller_holds_while_it_rings(world);
}

fn the_caller_changes_its_codec_while_it_rings(world: &mut Testbed) {
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("client").reoffers(Change::Codec(Codec::Alaw));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp"));
    world.assert_agreed("client", "isp", true);
    assert_eq!((world.look("client").payload_type(), world.look("isp").payload_type()), (Some(8), Some(8)));
    world.phone("client").hangs_up();
    world.until_over();
}

/// The caller refuses direct media, and the callee, which knows its address already, is busy with a re-INVITE of its
/// own when it is to be led back to the relay: it is led back after that.
fn the_callee_asks_for_an_offer_while_it_is_led_back(world: &mut Testbed) {
    led_back(world, |hand| hand.reoffers(Change::NoSdp), &PhoneEvent::RenegotiationAccepted);
}

/// The same with an offer that is refused at once.
fn the_callee_wants_fax_while_it_is_led_back(world: &mut Testbed) {
    led_back(world, |hand| hand.updates(Some(Change::T38)), &PhoneEvent::RenegotiationRefused(488));
}

fn led_back(world: &mut Testbed, act: fn(Hand), told: &PhoneEvent) {
    world.phone("client").habit(|habits| habits.refuse_reinvite = Some(603));
    world.connect();
    world.until(|w| !w.messages("exchange", "client", &["INVITE sip"]).is_empty());
    world.run(Duration::from_millis(25));
    act(world.phone("isp"));
    world.until(|w| w.saw("isp", told));
    world.run(Duration::from_secs(20));
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

/// Nobody holds the caller any more: it is told so, and the next line hears it.
fn the_callee_hangs_up_on_a_caller_it_holds(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(2));
    for direction in [Direction::SendOnly, Direction::Inactive] {
        let before = world.count("isp", &PhoneEvent::RenegotiationAccepted);
        world.phone("isp").reoffers(Change::Direction(direction));
        world.until(|w| w.count("isp", &PhoneEvent::RenegotiationAccepted) > before);
    }
    world.phone("isp").hangs_up();
    world.until(|w| w.is_called("desk") && w.look("client").media().is_some());
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk"));
    world.run(Duration::from_secs(20));
    let relayed = world.sound_from("client").is_some_and(|sound| sound.relayed);
    world.assert_agreed("client", "desk", relayed);
    // Called when the caller had not said yet that it sends again, and told so afterwards; one of them may be for
    // direct media.
    assert!(!world.is_perfect() || world.messages("exchange", "desk", &["INVITE sip"]).len() == 2);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_callee_hangs_up_on_a_direct_caller_it_holds(world: &mut Testbed) {
    the_callee_hangs_up_on_a_caller_it_holds(world);
}

/// The other side has hung up, and a caller whose ACK is lost knows nothing of that yet: what it asks for within its call is
/// answered, or its transactions would stay for ever.
#[test]
fn who_has_not_acknowledged_a_call_that_is_over_is_answered() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.loses("client", "ACK");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.phone("isp").hangs_up();
    world.run(Duration::from_secs(1));
    assert!(world.is_talking("client") && world.channels().is_empty());
    world.phone("client").texts_in_call("are you there?");
    world.phone("client").presses('5');
    world
        .phone("client")
        .requests(Method::Refer, &[("Refer-To", "<sip:1@192.0.2.1>"), ("Contact", "<sip:client@192.0.2.20>")]);
    world.run(Duration::from_secs(1));
    for method in ["MESSAGE", "INFO", "REFER"] {
        assert_eq!(world.messages("exchange", "client", &["481", method]).len(), 1, "{method}");
    }
    world.loses_nothing();
    world.until_over();
    world.assert_nothing_left();
}
