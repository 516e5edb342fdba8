//! Callers that give up, and messages that cross.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::pbx::effect::StoreOrder;
use strowger::sim::{Change, PhoneEvent};

stories! {
    the_caller_gives_up_while_it_rings(SIP, GUIDE);
    the_caller_gives_up_at_once(SIP, GUIDE);
    the_cancel_comes_after_the_answer(SIP, GUIDE);
    the_answer_comes_after_the_cancel(SIP, GUIDE);
    a_bye_crosses_a_new_offer(SIP, GUIDE);
    a_new_offer_crosses_the_callers_bye(SIP, GUIDE);
    a_bye_while_an_offer_is_carried(SIP, GUIDE);
    the_caller_hangs_up_before_its_answer_is_acknowledged(SIP, GUIDE);
}

const WITH_TIMERB: &str = "[isp]\ntype=friend\ntimerb=4000";

/// The phone rings, and what it says is lost for a while; the caller gives up meanwhile. The INVITE is repeated until
/// the phone is heard, and then cancelled.
#[test]
fn whoever_never_lets_itself_be_heard_stops_ringing_in_the_end() {
    rings_unheard(&mut Testbed::ready(SIP, GUIDE));
    for seed in 0..crate::stories::seeds() {
        rings_unheard(&mut Testbed::rough(SIP, GUIDE, seed));
    }
}

fn rings_unheard(world: &mut Testbed) {
    world.loses("isp", "SIP/2.0 180");
    world.loses("isp", "SIP/2.0 100");
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(2));
    world.phone("client").hangs_up();
    world.until(|w| !w.look("client").has_call());
    assert!(world.is_called("isp") || !world.is_perfect());
    world.run(Duration::from_secs(2));
    world.loses_nothing();
    // RFC 3261 13.3.1.1: who rings says so again once a minute, should every INVITE be lost from now on.
    for _ in 0..3 {
        world.run(Duration::from_secs(40));
        world.phone("isp").rings();
    }
    world.until_over();
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "isp", &["CANCEL sip"]).len(), 1);
    }
    world.assert_nothing_left();
}

/// A phone rings and nothing of it is heard until the exchange has given up: `timerb=` ends the INVITE, and what is heard
/// later is cancelled, or acknowledged and ended.
#[test]
fn after_timerb_an_invite_is_not_repeated_and_what_comes_late_ends_the_ringing() {
    for (late, ended_by) in [("SIP/2.0 180", "CANCEL sip"), ("SIP/2.0 200", "BYE sip")] {
        let sip = SIP.replace("[isp]\ntype=friend", WITH_TIMERB);
        let mut world = Testbed::ready(&sip, "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
        world.loses("isp", "SIP/2.0");
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
        world.run(Duration::from_secs(50));
        let sent = world.messages("exchange", "isp", &["INVITE sip"]);
        assert_eq!(sent.len(), 4, "0, 0.5, 1.5 and 3.5 s: none after timer B");
        assert!(world.messages("exchange", "isp", &["CANCEL sip"]).is_empty(), "RFC 3261 9.1");
        assert!(world.is_called("isp"), "it rings, and nobody knows");
        world.loses_nothing();
        match late {
            // RFC 3261 13.3.1.1: who rings says so once a minute.
            "SIP/2.0 180" => world.phone("isp").rings(),
            _ => world.phone("isp").answers(),
        }
        world.until_over();
        assert_eq!(world.messages("exchange", "isp", &[ended_by]).len(), 1);
        world.assert_nothing_left();
    }
}

/// The same for every way in which a call comes to be unwanted: nothing of it is left at the phone or the exchange.
#[test]
fn an_unwanted_invite_to_a_silent_phone_ends_whatever_made_it_unwanted() {
    let two = "[default]\nexten => _X!,1,Dial(SIP/isp&SIP/desk)\n";
    let short = "[default]\nexten => _X!,1,Dial(SIP/isp,1)\nexten => h,1,NoOp()\n";
    type Act = fn(&mut Testbed);
    let ways: [(&str, Act); 4] = [
        (GUIDE, |w| w.phone("client").hangs_up()),
        (two, |w| w.phone("desk").answers()),
        (short, |_| {}),
        (GUIDE, |w| {
            let (_, effects) = w.switch.hang_up(crate::testbed::at(w.now), "all");
            w.execute(effects);
        }),
    ];
    for (plan, act) in ways {
        let mut world = Testbed::ready(SIP, plan);
        world.phone("isp").habit(|habits| habits.ignores_everything = true);
        world.phone("client").dials("1");
        world.run(Duration::from_millis(700));
        act(&mut world);
        world.run(Duration::from_secs(33));
        let sent = world.messages("exchange", "isp", &["INVITE sip"]).len();
        assert!(sent <= 7, "{sent}");
        world.run(Duration::from_secs(60));
        assert_eq!(world.messages("exchange", "isp", &["INVITE sip"]).len(), sent);
        assert!(world.messages("exchange", "isp", &["CANCEL sip"]).is_empty());
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// RFC 3261 9.1: the CANCEL is repeated until it is answered, and without a final response the call is forgotten 64*T1
/// after it.
#[test]
fn a_lost_cancel_and_a_lost_487_end_all_the_same() {
    for lost in ["SIP/2.0 487", "SIP/2.0 200"] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        world.run(Duration::from_secs(1));
        world.loses("isp", lost);
        world.phone("client").hangs_up();
        world.until_over();
        world.run(Duration::from_secs(40));
        world.loses_nothing();
        world.assert_nothing_left();
    }
}

/// A caller that leaves the offer to us and acknowledges it without an answer: nothing can be sent to it.
#[test]
fn a_caller_that_answers_no_offer_gets_a_bye() {
    for plan in [GUIDE, "[default]\nexten => _X!,1,Answer()\nsame => n,Wait(60)\n"] {
        let mut world = Testbed::ready(SIP, plan);
        world.phone("client").habit(|habits| (habits.offerless, habits.bare_acks) = (true, true));
        world.phone("isp").habit(|habits| habits.auto_answer_after = Some(Duration::from_secs(1)));
        world.phone("client").dials("1");
        world.until(|w| w.saw("client", &PhoneEvent::Answered));
        world.until_over();
        assert_eq!(world.messages("exchange", "client", &["BYE sip"]).len(), 1);
        assert!(world.has_line("acknowledged it without an answer"), "{:?}", world.lines);
        world.assert_nothing_left();
        // With an answer in its ACK it is a call like any other.
        world.phone("client").habit(|habits| habits.bare_acks = false);
        world.phone("client").dials("1");
        world.until(|w| w.is_talking("client"));
        world.run(Duration::from_secs(5));
        assert!(world.is_talking("client"));
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

fn the_caller_gives_up_while_it_rings(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    let then = world.now;
    world.phone("client").hangs_up();
    world.until(|w| !w.look("isp").has_call());
    world.until_over();
    if world.is_perfect() {
        assert_eq!(world.when("isp", &PhoneEvent::Ended).since(then), Duration::from_millis(20));
        assert!(world.saw("client", &PhoneEvent::Ended));
    }
}

fn the_caller_gives_up_at_once(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.phone("client").hangs_up();
    world.until(|w| !w.look("client").has_call());
    world.until_over();
}

fn the_cancel_comes_after_the_answer(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    world.phone("isp").answers();
    world.run(Duration::from_millis(5));
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_answer_comes_after_the_cancel(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.run(Duration::from_secs(1));
    world.phone("client").hangs_up();
    world.run(Duration::from_millis(5));
    world.phone("isp").answers();
    world.until_over();
    if world.is_perfect() {
        assert_eq!(world.messages("exchange", "isp", &["CANCEL sip"]).len(), 1);
        assert_eq!(world.messages("exchange", "isp", &["BYE sip"]).len(), 1);
        assert_eq!(world.messages("exchange", "client", &["487"]).len(), 1);
    }
}

fn a_bye_crosses_a_new_offer(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_millis(5));
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_new_offer_crosses_the_callers_bye(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("isp").reoffers(Change::MovePort(20_000));
    world.run(Duration::from_millis(15));
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_bye_while_an_offer_is_carried(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(1));
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_millis(15));
    world.phone("client").hangs_up();
    world.until_over();
}

fn the_caller_hangs_up_before_its_answer_is_acknowledged(world: &mut Testbed) {
    // The callee answers and hangs up at once: the exchange has its 200 on the way to the caller.
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.phone("isp").hangs_up();
    world.until_over();
}

#[test]
fn a_silent_phone_over_tcp_and_in_a_fork_is_given_up() {
    for plan in ["Dial(SIP/isp,60)", "Dial(SIP/isp&SIP/desk,60)", "Dial(SIP/isp)"] {
        for connected in [false, true] {
            for gives_up in [500, 5000, 45_000] {
                let plan = format!("[default]\nexten => _X!,1,{plan}\n");
                let mut world = if connected { Testbed::connected(SIP, &plan) } else { Testbed::ready(SIP, &plan) };
                world.phone("isp").habit(|habits| habits.ignores_everything = true);
                world.phone("client").dials("1");
                world.run(Duration::from_millis(gives_up));
                world.phone("client").hangs_up();
                world.run(Duration::from_secs(70));
                let sent = world.messages("exchange", "isp", &["INVITE sip"]).len();
                assert!(sent <= 7, "{sent}");
                world.phone("isp").habit(|habits| habits.ignores_everything = false);
                world.run(Duration::from_secs(200));
                assert!(!world.is_called("isp"), "{plan} {connected} {gives_up}");
                assert!(world.settles(), "{plan} {connected} {gives_up} {:?}", world.switch.leftovers());
                assert_eq!(world.kept.iter().filter(|order| matches!(order, StoreOrder::Call(_))).count(), 1);
            }
        }
    }
}

#[test]
fn a_caller_without_offer_and_answer_leaves_nothing_at_any_moment() {
    for who in ["client", "isp"] {
        for moment in (0..100).step_by(5) {
            let mut world = Testbed::ready(SIP, GUIDE);
            world.phone("client").habit(|habits| (habits.offerless, habits.bare_acks) = (true, true));
            world.phone("client").dials("1");
            world.until(|w| w.is_called("isp"));
            world.run(Duration::from_millis(300));
            world.phone("isp").answers();
            world.run(Duration::from_millis(moment));
            world.phone(who).hangs_up();
            world.run(Duration::from_secs(2));
            world.phone("isp").hangs_up();
            world.phone("client").hangs_up();
            world.until_over();
            assert!(world.settles(), "{who} {moment}");
            assert_eq!(world.kept.iter().filter(|order| matches!(order, StoreOrder::Call(_))).count(), 1);
        }
    }
}

#[test]
fn a_new_offer_that_the_ack_does_not_answer_changes_nothing() {
    for who in ["isp", "client"] {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.connect();
        world.run(Duration::from_secs(1));
        world.phone(who).habit(|habits| habits.bare_acks = true);
        world.phone(who).reoffers(Change::NoSdp);
        world.run(Duration::from_secs(5));
        assert!(world.is_talking("client") && world.is_talking("isp"), "{who}");
        {
            world.phone(who).habit(|habits| habits.bare_acks = false);
            world.phone(who).reoffers(Change::Hold);
            world.run(Duration::from_secs(5));
            assert!(world.saw(who, &PhoneEvent::RenegotiationAccepted), "{who}");
            world.phone(who).reoffers(Change::Resume);
            world.run(Duration::from_secs(5));
            world.assert_connected("client", "isp", true);
            let other = if who == "client" { "isp" } else { "client" };
            world.phone(other).reoffers(Change::Hold);
            world.run(Duration::from_secs(5));
            assert!(world.saw(other, &PhoneEvent::RenegotiationAccepted), "{other}");
        }
        world.phone(who).hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}
