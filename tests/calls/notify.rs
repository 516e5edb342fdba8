//! `sip notify`: a telephone is told to restart or to read its configuration.

use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Now;
use strowger::pbx::switch::notify::{self, Notified};
use strowger::sim::PhoneEvent;

stories! {
    a_registered_telephone_is_notified(SIP, GUIDE);
    one_that_does_not_answer_is_said(SIP, GUIDE);
}

fn order(world: &mut Testbed, kind: &str, peer: &str) -> Notified {
    let now = Now { mono: world.now, ..Now::default() };
    let (sent, effects) = notify::send(&mut world.switch, now, kind, peer);
    world.execute(effects);
    sent
}

fn a_registered_telephone_is_notified(world: &mut Testbed) {
    world.register_all();
    world.run(Duration::from_secs(5));
    assert_eq!(order(world, "linksys-check-cfg", "client"), Notified::Sent);
    world.until(|w| w.has_line("'client' took the NOTIFY"));
    let text = &world.texts("client", &["NOTIFY sip:"])[0];
    assert!(text.contains("\r\nEvent: resync\r\n") && text.contains("Subscription-State: terminated"), "{text}");
    assert_eq!(order(world, "nothing", "client"), Notified::UnknownType);
    assert_eq!(order(world, "snom-reboot", "nobody"), Notified::UnknownPeer);
    world.phone("client").unregisters();
    world.until(|w| w.saw("client", &PhoneEvent::Unregistered));
    assert_eq!(order(world, "snom-reboot", "client"), Notified::NoAddress);
    world.run(Duration::from_secs(40));
    world.until_over();
}

fn one_that_does_not_answer_is_said(world: &mut Testbed) {
    world.register_all();
    world.phone("client").habit(|habits| habits.ignores_everything = true);
    assert_eq!(order(world, "linksys-cold-restart", "client"), Notified::Sent);
    world.until(|w| w.has_line("'client' did not answer the NOTIFY"));
    world.until_over();
}
