//! Callers that give up, and messages that cross.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
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
