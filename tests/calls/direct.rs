//! Direct media, and new offers in mid-call: hold, resume, another port, fax, refresh, from either side, on either way.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sdp::{Codec, Direction};
use strowger::sim::{Change, PhoneEvent};

/// Everybody wants direct media.
fn direct() -> String {
    SIP.replace("directmedia=no", "directmedia=yes")
}

stories! {
    both_send_to_each_other(direct(), GUIDE);
    direct_media_without_an_offer_in_the_invite(direct(), GUIDE);
    the_callee_refuses_direct_media(direct(), GUIDE);
    the_caller_refuses_direct_media(direct(), GUIDE);
    the_callee_answers_from_a_new_port(direct(), GUIDE);
    the_caller_answers_from_a_new_port(direct(), GUIDE);
    both_answer_from_new_ports(direct(), GUIDE);
    the_callee_offers_at_the_same_time(direct(), GUIDE);
    the_caller_offers_at_the_same_time(direct(), GUIDE);
    they_hang_up_while_media_is_redirected(direct(), GUIDE);
    hold_and_resume_relayed(SIP, GUIDE);
    hold_and_resume_direct(direct(), GUIDE);
    every_direction_relayed(SIP, GUIDE);
    every_direction_direct(direct(), GUIDE);
    hold_by_address(SIP, "[default]\nexten => _X!,1,Dial(SIP/cisco,20)\n");
    a_phone_moves_its_port_relayed(SIP, GUIDE);
    a_phone_moves_its_port_direct(direct(), GUIDE);
    another_codec(SIP, GUIDE);
    both_offer_at_once(SIP, GUIDE);
    both_offer_at_once_direct(direct(), GUIDE);
    fax_is_refused_and_the_call_goes_on(SIP, GUIDE);
    fax_is_refused_and_the_direct_call_goes_on(direct(), GUIDE);
    a_refresh_changes_nothing(SIP, GUIDE);
    an_offer_is_asked_for_in_mid_call(SIP, GUIDE);
    an_update_right_after_the_connection(SIP, GUIDE);
    an_update_with_an_offer(SIP, GUIDE);
    a_refused_offer_leaves_all_as_it_was(SIP, GUIDE);
}

fn both_send_to_each_other(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", false);
    let then = world.now;
    world.phone("client").hangs_up();
    world.until(|w| !w.look("isp").has_call());
    if world.is_perfect() {
        assert!(world.has_line("media will flow directly between them"));
        assert_eq!(world.when("isp", &PhoneEvent::Ended).since(then), Duration::from_millis(20));
    }
}

fn direct_media_without_an_offer_in_the_invite(world: &mut Testbed) {
    world.phone("client").habit(|habits| habits.offerless = true);
    world.connect();
    world.assert_agreed("client", "isp", false);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn the_callee_refuses_direct_media(world: &mut Testbed) {
    world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(488));
    world.connect();
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    if world.is_perfect() {
        assert!(world.has_line("refused direct media (488)"));
        assert_eq!(world.messages("exchange", "client", &["INVITE sip"]).len(), 0);
    }
}

fn the_caller_refuses_direct_media(world: &mut Testbed) {
    world.phone("client").habit(|habits| habits.refuse_reinvite = Some(488));
    world.connect();
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
    if world.is_perfect() {
        // Called, told the caller's address, led back.
        assert_eq!(world.messages("exchange", "isp", &["INVITE sip"]).len(), 3);
    }
}

fn the_callee_answers_from_a_new_port(world: &mut Testbed) {
    world.phone("isp").habit(|habits| habits.new_port_on_reinvite = true);
    world.connect();
    world.assert_agreed("client", "isp", false);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_caller_answers_from_a_new_port(world: &mut Testbed) {
    world.phone("client").habit(|habits| habits.new_port_on_reinvite = true);
    world.connect();
    world.assert_agreed("client", "isp", false);
    world.phone("client").hangs_up();
    world.until_over();
}

/// They could chase each other for ever; the exchange leads them back to the relay instead.
fn both_answer_from_new_ports(world: &mut Testbed) {
    for name in ["client", "isp"] {
        world.phone(name).habit(|habits| habits.new_port_on_reinvite = true);
    }
    world.connect();
    world.run(Duration::from_secs(10));
    assert!(world.messages("exchange", "isp", &["INVITE sip"]).len() < 30);
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_callee_offers_at_the_same_time(world: &mut Testbed) {
    world.connect();
    // The exchange's offer to it is on its way when this one's begins.
    world.run(Duration::from_millis(5));
    world.phone("isp").reoffers(Change::MovePort(20_000));
    world.until(|w| !w.saw("isp", &PhoneEvent::Ended) && w.saw("isp", &PhoneEvent::RenegotiationAccepted));
    world.run(Duration::from_secs(10));
    if world.is_perfect() {
        assert_eq!(world.messages("isp", "exchange", &["491", "INVITE"]).len(), 1);
        assert_eq!(world.messages("exchange", "isp", &["491", "INVITE"]).len(), 1);
    }
    world.assert_agreed("client", "isp", false);
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_caller_offers_at_the_same_time(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_millis(25));
    world.phone("client").reoffers(Change::MovePort(20_000));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.run(Duration::from_secs(10));
    world.assert_agreed("client", "isp", false);
    world.phone("client").hangs_up();
    world.until_over();
}

fn they_hang_up_while_media_is_redirected(world: &mut Testbed) {
    let after = world.seed() % 8 * 9;
    world.connect();
    world.run(Duration::from_millis(after));
    world.phone("isp").hangs_up();
    world.until_over();
}

fn hold_and_resume(world: &mut Testbed, relayed: bool) {
    world.connect();
    world.assert_agreed("client", "isp", relayed);
    for (who, other) in [("client", "isp"), ("isp", "client")] {
        world.phone(who).reoffers(Change::Hold);
        world.until(|w| w.look(other).media().is_none());
        assert_eq!(world.sound_from(other), None);
        world.run(Duration::from_secs(20));
        world.phone(who).reoffers(Change::Resume);
        world.until(|w| w.look(other).media().is_some());
        world.assert_agreed("client", "isp", relayed);
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn hold_and_resume_relayed(world: &mut Testbed) {
    hold_and_resume(world, true);
}

fn hold_and_resume_direct(world: &mut Testbed) {
    hold_and_resume(world, false);
}

/// RFC 3264 8.4 and its kin: `sendonly`, `inactive`, `recvonly`, each from either side, and back.
fn every_direction(world: &mut Testbed, relayed: bool) {
    world.connect();
    world.assert_agreed("client", "isp", relayed);
    for (who, other) in [("client", "isp"), ("isp", "client")] {
        for (direction, sends, hears) in [
            (Direction::SendOnly, true, false),
            (Direction::RecvOnly, false, true),
            (Direction::Inactive, false, false),
        ] {
            let before = world.count(who, &PhoneEvent::RenegotiationAccepted);
            world.phone(who).reoffers(Change::Direction(direction));
            world.until(|w| w.count(who, &PhoneEvent::RenegotiationAccepted) > before);
            world.run(Duration::from_secs(20));
            let sound = |w: &Testbed| (w.look(who).media().is_some(), w.look(other).media().is_some());
            assert_eq!(sound(world), (sends, hears), "{who} says {direction:?}");
            world.phone(who).reoffers(Change::Resume);
            world.until(|w| sound(w) == (true, true));
            world.assert_agreed("client", "isp", relayed);
        }
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn every_direction_relayed(world: &mut Testbed) {
    every_direction(world, true);
}

fn every_direction_direct(world: &mut Testbed) {
    every_direction(world, false);
}

/// The Cisco's way: `c=IN IP4 0.0.0.0` with `sendrecv`.
fn hold_by_address(world: &mut Testbed) {
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("cisco"));
    for _ in 0..2 {
        world.phone("cisco").reoffers(Change::Hold);
        world.until(|w| w.look("client").media().is_none());
        assert_eq!(world.sound_from("client"), None);
        world.run(Duration::from_secs(20));
        world.phone("cisco").reoffers(Change::Resume);
        world.until(|w| w.look("client").media().is_some());
        world.assert_agreed("client", "cisco", true);
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn moves(world: &mut Testbed, relayed: bool) {
    world.connect();
    world.assert_agreed("client", "isp", relayed);
    for (who, port) in [("client", 20_000), ("isp", 20_002), ("client", 20_004)] {
        let before = world.count(who, &PhoneEvent::RenegotiationAccepted);
        world.phone(who).reoffers(Change::MovePort(port));
        world.until(|w| w.count(who, &PhoneEvent::RenegotiationAccepted) > before);
        world.assert_agreed("client", "isp", relayed);
        assert_eq!(world.look(who).rtp().port(), port);
    }
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_phone_moves_its_port_relayed(world: &mut Testbed) {
    moves(world, true);
}

fn a_phone_moves_its_port_direct(world: &mut Testbed) {
    moves(world, false);
}

fn another_codec(world: &mut Testbed) {
    world.connect();
    world.phone("client").reoffers(Change::Codec(Codec::Alaw));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.assert_agreed("client", "isp", true);
    assert_eq!((world.look("client").payload_type(), world.look("isp").payload_type()), (Some(8), Some(8)));
    // What was still under way in the old codec, and what nobody agreed to, passes as it came.
    for (from, number) in ["client", "isp"].into_iter().flat_map(|name| (0..128).map(move |number| (name, number))) {
        let (source, target) = (world.look(from).rtp(), world.look(from).media().unwrap());
        let passed = world.media.forward(source, target, number);
        assert_eq!(passed.map(|(_, _, number)| number), Some(number), "{from} with payload type {number}");
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn both_offer(world: &mut Testbed, relayed: bool) {
    world.connect();
    world.assert_agreed("client", "isp", relayed);
    world.phone("client").reoffers(Change::MovePort(20_000));
    world.phone("isp").reoffers(Change::MovePort(20_002));
    let done = |w: &Testbed| ["client", "isp"].iter().all(|name| w.saw(name, &PhoneEvent::RenegotiationAccepted));
    world.until(done);
    world.assert_agreed("client", "isp", relayed);
    assert_eq!((world.look("client").rtp().port(), world.look("isp").rtp().port()), (20_000, 20_002));
    world.phone("client").hangs_up();
    world.until_over();
}

fn both_offer_at_once(world: &mut Testbed) {
    both_offer(world, true);
}

fn both_offer_at_once_direct(world: &mut Testbed) {
    both_offer(world, false);
}

fn fax(world: &mut Testbed, relayed: bool) {
    world.connect();
    world.assert_agreed("client", "isp", relayed);
    for who in ["isp", "client"] {
        world.phone(who).reoffers(Change::T38);
        world.until(|w| w.saw(who, &PhoneEvent::RenegotiationRefused(488)));
        world.assert_agreed("client", "isp", relayed);
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn fax_is_refused_and_the_call_goes_on(world: &mut Testbed) {
    fax(world, true);
}

fn fax_is_refused_and_the_direct_call_goes_on(world: &mut Testbed) {
    fax(world, false);
}

fn a_refresh_changes_nothing(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    let before = world.messages("exchange", "isp", &["INVITE sip"]).len();
    world.phone("client").reoffers(Change::Refresh);
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.assert_agreed("client", "isp", true);
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "isp", &["INVITE sip"]).len(), before, "the other side is left alone");
    }
    world.phone("client").hangs_up();
    world.until_over();
}

fn an_offer_is_asked_for_in_mid_call(world: &mut Testbed) {
    world.connect();
    for who in ["client", "isp"] {
        world.phone(who).reoffers(Change::NoSdp);
        world.until(|w| w.saw(who, &PhoneEvent::RenegotiationAccepted));
        world.assert_agreed("client", "isp", true);
    }
    world.phone("client").hangs_up();
    world.until_over();
}

/// D-Modem and its like.
fn an_update_right_after_the_connection(world: &mut Testbed) {
    world.connect();
    world.phone("client").updates(None);
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn an_update_with_an_offer(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("client").updates(Some(Change::MovePort(20_000)));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.assert_agreed("client", "isp", true);
    assert_eq!(world.look("client").rtp().port(), 20_000);
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_refused_offer_leaves_all_as_it_was(world: &mut Testbed) {
    world.connect();
    world.phone("isp").habit(|habits| habits.refuse_reinvite = Some(488));
    world.phone("client").reoffers(Change::Codec(Codec::Alaw));
    world.until(|w| w.saw("client", &PhoneEvent::RenegotiationRefused(488)));
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
}
