//! The guide's set-up, relayed: two lines of one adapter, one dials, the other's modem answers, or does not.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::PhoneEvent;

stories! {
    the_caller_hangs_up(SIP, GUIDE);
    the_callee_hangs_up(SIP, GUIDE);
    both_hang_up_at_once(SIP, GUIDE);
    the_callee_is_busy(SIP, GUIDE);
    nobody_picks_up(SIP, GUIDE);
    the_callee_refuses_while_ringing(SIP, GUIDE);
    sound_before_the_answer(SIP, GUIDE);
    an_invite_without_an_offer(SIP, GUIDE);
    a_registration_is_refreshed_in_mid_call(SIP, GUIDE);
    two_calls_at_once(SIP, "[default]\nexten => 1,1,Dial(SIP/isp)\nexten => 2,1,Dial(SIP/desk)\n");
    one_after_the_other(SIP, GUIDE);
    the_caller_never_acknowledges(SIP, GUIDE);
    the_caller_makes_up_a_tag_for_its_ack(SIP, GUIDE);
    the_callee_never_answers_the_bye(SIP, GUIDE);
}

fn the_caller_hangs_up(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", true);
    let then = world.now;
    world.phone("client").hangs_up();
    world.until(|w| !w.look("isp").has_call());
    if world.is_perfect() {
        assert!(world.saw("client", &PhoneEvent::Ringing));
        // One way to the exchange, one way to the other.
        assert_eq!(world.when("isp", &PhoneEvent::Ended).since(then), Duration::from_millis(20));
    }
}

fn the_callee_hangs_up(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", true);
    let then = world.now;
    world.phone("isp").hangs_up();
    world.until(|w| !w.look("client").has_call());
    if world.is_perfect() {
        assert_eq!(world.when("client", &PhoneEvent::Ended).since(then), Duration::from_millis(20));
    }
}

fn both_hang_up_at_once(world: &mut Testbed) {
    world.connect();
    world.phone("isp").hangs_up();
    world.phone("client").hangs_up();
    world.run(Duration::from_secs(1));
}

fn the_callee_is_busy(world: &mut Testbed) {
    world.phone("isp").habit(|habits| habits.refuse = Some(486));
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(486)));
}

fn nobody_picks_up(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.until(|w| !w.look("isp").has_call());
    world.until_over();
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "isp", &["CANCEL"]).len(), 1);
        assert!(world.has_line("Nobody picked up in 20000 ms"));
        assert!(world.saw("client", &PhoneEvent::Failed(480)), "{:?}", world.stations["client"].events);
    }
}

fn the_callee_refuses_while_ringing(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    world.phone("isp").refuses(486);
    world.until(|w| w.saw("client", &PhoneEvent::Failed(486)));
}

fn sound_before_the_answer(world: &mut Testbed) {
    world.phone("isp").habit(|habits| habits.auto_ring = false);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").sounds();
    world.run(Duration::from_secs(1));
    if world.is_perfect() {
        assert!(world.saw("client", &PhoneEvent::Progress));
        assert_eq!(world.sound_from("isp").map(|sound| sound.to), Some("client".to_owned()));
    }
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn an_invite_without_an_offer(world: &mut Testbed) {
    world.phone("client").habit(|habits| habits.offerless = true);
    world.connect();
    world.assert_agreed("client", "isp", true);
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "isp", &["INVITE sip"]).len(), 1, "nothing changed for the called line");
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_registration_is_refreshed_in_mid_call(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    let before = world.messages("exchange", "isp", &[]).len();
    world.phone("client").registers();
    let done = |w: &Testbed| w.count("client", &PhoneEvent::Registered { expires: 3600 }) == 2;
    world.until(done);
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "isp", &[]).len(), before);
    }
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn two_calls_at_once(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.phone("cisco").dials("2");
    world.until(|w| w.is_called("isp") && w.is_called("desk"));
    world.phone("desk").answers();
    world.phone("isp").answers();
    world.until(|w| ["client", "isp", "desk", "cisco"].iter().all(|name| w.is_talking(name)));
    world.assert_agreed("client", "isp", true);
    world.assert_agreed("cisco", "desk", true);
    world.phone("client").hangs_up();
    world.until(|w| !w.look("isp").has_call());
    world.assert_agreed("cisco", "desk", true);
    world.phone("desk").hangs_up();
    world.until_over();
}

fn one_after_the_other(world: &mut Testbed) {
    for _ in 0..3 {
        world.connect();
        world.phone("client").hangs_up();
        world.until_over();
    }
}

/// pyVoIP 1.6.8: its ACK has the INVITE's branch, Call-ID and CSeq, and a To tag that nobody gave it.
fn the_caller_makes_up_a_tag_for_its_ack(world: &mut Testbed) {
    world.phone("client").habit(|habits| habits.never_acks = true);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    let invite = world.sent_by("client", &["INVITE sip:"]).pop().unwrap();
    let line = |name: &str| invite.lines().find(|line| line.starts_with(name)).unwrap();
    let [via, from, to] = ["Via: ", "From: ", "To: "].map(line);
    let [call_id, cseq] = ["Call-ID: ", "CSeq: "].map(line);
    let ack = |to: &str, via: &str| {
        format!(
            "ACK sip:1@192.0.2.1 SIP/2.0\r\n{via}\r\n{from}\r\n{to};tag=made-up\r\n{call_id}\r\n{}\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            cseq.replace("INVITE", "ACK")
        )
    };
    let before = world.messages("exchange", "client", &["200 OK", "INVITE"]).len();
    // Neither tag nor branch is right: whose it is, nobody can say.
    world.inject("client", &ack(to, &via.replace("branch=", "branch=z9hG4bK-other")));
    world.run(Duration::from_secs(2));
    assert!(world.messages("exchange", "client", &["200 OK", "INVITE"]).len() > before, "the 200 is repeated");
    world.inject("client", &ack(to, via));
    world.run(Duration::from_millis(20));
    let before = world.messages("exchange", "client", &["200 OK", "INVITE"]).len();
    world.run(Duration::from_secs(40));
    assert_eq!(world.messages("exchange", "client", &["200 OK", "INVITE"]).len(), before, "it was acknowledged");
    assert!(world.is_talking("client") && world.is_talking("isp"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_caller_never_acknowledges(world: &mut Testbed) {
    world.phone("client").habit(|habits| habits.never_acks = true);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    let then = world.messages("exchange", "client", &["200 OK", "INVITE"])[0];
    world.until_over();
    if world.is_perfect() {
        let oks = world.messages("exchange", "client", &["200 OK", "INVITE"]);
        let after: Vec<u128> = oks.iter().map(|at| at.since(then).as_millis()).collect();
        assert_eq!(after, [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        for phone in ["client", "isp"] {
            let byes = world.messages("exchange", phone, &["BYE sip"]);
            assert_eq!(byes.iter().map(|at| at.since(then).as_secs_f64()).collect::<Vec<_>>(), [32.0], "{phone}");
        }
        assert!(world.has_line("no ACK from"));
    }
}

fn the_callee_never_answers_the_bye(world: &mut Testbed) {
    world.connect();
    world.phone("isp").habit(|habits| habits.loses_bye = true);
    world.phone("client").hangs_up();
    world.run(Duration::from_secs(40));
    assert_eq!(world.switch.counts().0, 0);
    // It hangs up by itself in the end, and is told that there is no such call.
    world.phone("isp").hangs_up();
}

#[test]
fn an_unknown_number_is_404() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.phone("client").dials("nobody");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(404)));
    world.assert_nothing_left();
}

#[test]
fn no_ports_are_a_503_for_either_side() {
    for ports in [0, 1] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.media.ports = ports;
        world.phone("client").dials("1");
        world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
        assert!(world.has_line("no RTP ports"));
        world.assert_nothing_left();
    }
}

#[test]
fn the_console_hangs_up() {
    for which in [0, 1] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.connect();
        let name = world.channels()[which].clone();
        let (_, effects) = world.switch.hang_up(crate::testbed::at(world.now), &name);
        world.execute(effects);
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn the_console_hangs_up_what_rings() {
    for which in [0, 1] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.phone("client").dials("1");
        world.until(|w| w.saw("client", &PhoneEvent::Ringing));
        let name = world.channels()[which].clone();
        let (_, effects) = world.switch.hang_up(crate::testbed::at(world.now), &name);
        world.execute(effects);
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn it_stops_gracefully() {
    use strowger::pbx::switch::Stopping;
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    let effects = world.switch.stop(crate::testbed::at(world.now), Stopping::Gracefully);
    world.execute(effects);
    world.phone("desk").dials("1");
    world.until(|w| w.saw("desk", &PhoneEvent::Failed(503)));
    world.assert_agreed("client", "isp", true);
    assert!(!world.switch.is_stopped());
    world.phone("client").hangs_up();
    world.until(|w| w.switch.is_stopped());
    world.assert_nothing_left();
}

#[test]
fn it_stops_now() {
    use strowger::pbx::switch::Stopping;
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    let effects = world.switch.stop(crate::testbed::at(world.now), Stopping::Now);
    world.execute(effects);
    // Both heard their BYE, but the exchange has not heard so yet: one that was lost it would have to send again.
    world.until_over();
    assert!(!world.switch.is_stopped());
    world.run(std::time::Duration::from_millis(10));
    assert!(world.switch.is_stopped());
    world.assert_nothing_left();
}

/// RFC 5621: the offer and the answer may each be one of several parts; the others are passed over when they may be.
#[test]
fn a_call_whose_descriptions_come_in_parts() {
    let picture = "Content-Type: image/png\r\nContent-Disposition: icon;handling=optional\r\n\r\nnot really";
    let mut world = Testbed::ready(SIP, GUIDE);
    world.wraps("client", picture, "");
    world.wraps("isp", "", picture);
    world.connect();
    world.assert_connected("client", "isp", true);
    let invite = &world.texts("isp", &["INVITE"])[0];
    assert!(invite.contains("Content-Type: application/sdp\r\n") && !invite.contains("not really"), "{invite}");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_call_with_a_part_that_must_be_understood_and_is_not_is_415() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.wraps("client", "Content-Type: application/isup\r\n\r\nx", "");
    world.phone("client").dials("88567682");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(415)));
    let answer = &world.texts("client", &["415"])[0];
    assert!(answer.contains("\r\nAccept: application/sdp, multipart/mixed\r\n"), "{answer}");
    assert!(world.has_line("is of no use here (415, 'multipart/mixed;boundary=part')"), "{:?}", world.lines);
    world.assert_nothing_left();
}

/// AST-2017-003, and a body that never ends.
#[test]
fn a_call_whose_parts_cannot_be_told_apart_is_400() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.wraps("client", "", "");
    world.rewrite("client", "--part--", "--par---");
    world.phone("client").dials("88567682");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(400)));
    assert!(world.texts("client", &["400 Bad Multipart Body: parts without an end"]).len() == 1);
    world.assert_nothing_left();
}
