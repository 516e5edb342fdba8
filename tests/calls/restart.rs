//! A restart of the exchange: who was registered still is, whatever the wall clock says.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Wall;
use strowger::pbx::effect::StoreOrder;
use strowger::pbx::switch::PeerStatus;
use strowger::sim::PhoneEvent;

const WALLS: [Wall; 4] = [Wall(0), Wall(1_790_003_600_000), Wall(1_789_996_400_000), Wall(-5)];

#[test]
fn a_line_can_be_called_after_a_restart_without_registering_again() {
    for wall in WALLS {
        for left in [None, Some(Duration::from_secs(1800)), Some(Duration::ZERO)] {
            let mut world = Testbed::ready(SIP, GUIDE);
            world.restart(SIP, GUIDE, left, wall);
            world.connect();
            world.phone("client").hangs_up();
            world.until_over();
            world.assert_nothing_left();
        }
    }
}

/// One challenge more, whatever the wall clock says, and nobody is asked for a password.
#[test]
fn a_nonce_of_before_is_stale_and_no_recorded_digest_is_good_again() {
    for wall in WALLS {
        let mut world = Testbed::ready(SIP, GUIDE);
        let proof = |text: &String| text.contains("username=\"client\"");
        let recorded = world.texts_at("192.0.2.1:5060", &["REGISTER"]).into_iter().rfind(proof).unwrap();
        let challenged = world.texts("client", &["401"]).len();
        world.restart(SIP, GUIDE, None, wall);
        world.inject("client", &recorded);
        world.run(Duration::from_secs(1));
        let challenges = world.texts("client", &["401"]);
        assert_eq!(challenges.len(), challenged + 1);
        assert!(challenges.last().unwrap().contains("stale=true"), "{challenges:?}");
        world.phone("client").registers();
        world.until(|w| w.count("client", &PhoneEvent::Registered { expires: 3600 }) == 2);
        let challenges = world.texts("client", &["401"]);
        assert!(challenges.len() <= challenged + 2, "{challenges:?}");
    }
}

#[test]
fn the_time_of_a_registration_goes_on() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.restart(SIP, GUIDE, Some(Duration::from_secs(610)), WALLS[0]);
    world.unplug("isp");
    assert_eq!(world.switch.bindings("isp")[0].seconds_left(world.now), 600);
    world.run(Duration::from_secs(605));
    assert_eq!(world.switch.bindings("isp").len(), 1);
    world.run(Duration::from_secs(10));
    assert!(world.switch.bindings("isp").is_empty());
    let gone = world
        .kept
        .iter()
        .any(|order| matches!(order, StoreOrder::Bindings { peer, bindings } if peer == "isp" && bindings.is_empty()));
    assert!(gone, "{:?}", world.kept);
}

/// `qualifyfreq=60`: a thousand lines would otherwise be asked in the same moment.
#[test]
fn watched_lines_are_asked_at_random_times_within_qualifyfreq() {
    let sip = SIP.replace("nat=no", "nat=no\nqualify=200");
    let mut world = Testbed::ready(&sip, GUIDE);
    world.run(Duration::from_secs(1));
    world.restart(&sip, GUIDE, None, WALLS[0]);
    let begun = world.now;
    assert_eq!(world.status("isp"), PeerStatus::Unknown);
    world.run(Duration::from_secs(60));
    let mut asked = Vec::new();
    for line in ["client", "isp", "desk", "cisco"] {
        let first = world.messages("exchange", line, &["OPTIONS"]).into_iter().find(|at| *at >= begun).unwrap();
        asked.push(first.since(begun).as_secs());
        assert!(matches!(world.status(line), PeerStatus::Ok(_)), "{line}");
    }
    asked.sort();
    asked.dedup();
    assert!(asked.len() >= 3 && asked.iter().all(|at| *at < 60), "{asked:?}");
}

#[test]
fn who_is_no_longer_configured_is_forgotten_for_good() {
    let mut world = Testbed::ready(SIP, GUIDE);
    let without = SIP.replace("[desk]", "[desk2]");
    world.restart(&without, GUIDE, None, WALLS[0]);
    assert!(world.switch.bindings("desk").is_empty());
    let forgotten = world
        .kept
        .iter()
        .any(|order| matches!(order, StoreOrder::Bindings { peer, bindings } if peer == "desk" && bindings.is_empty()));
    assert!(forgotten, "{:?}", world.kept);
}
