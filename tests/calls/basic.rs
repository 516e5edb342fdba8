//! The guide's set-up: two lines of one adapter, one dials, the other's modem answers.

use crate::world::{GUIDE, SIP, World};
use std::time::Duration;
use strowger::sim::PhoneEvent;

#[test]
fn a_call_is_relayed_and_the_caller_hangs_up() {
    let mut world = World::ready(SIP, GUIDE);
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.until(|w| w.saw("client", &PhoneEvent::Ringing));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("isp"));
    world.run(Duration::from_secs(5));
    world.assert_connected("client", "isp", true);
    world.phone("client").hangs_up();
    world.until(|w| !w.look("isp").has_call());
    world.assert_nothing_left();
}
