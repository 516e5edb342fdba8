//! Another configuration under calls, programs, registrations and qualify.

use crate::network::Quality;
use crate::testbed::{EXCHANGE, GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Time;
use strowger::pbx::switch::PeerStatus;
use strowger::sim::PhoneEvent;

/// The accounts without one of them.
fn without(name: &str) -> String {
    let (before, rest) = SIP.split_once(&format!("[{name}]")).unwrap();
    let after = rest.find('[').map_or("", |at| &rest[at..]);
    format!("{before}{after}")
}

fn asked(world: &Testbed, name: &str) -> Vec<Time> {
    world.messages("exchange", name, &["OPTIONS"])
}

#[test]
fn a_call_and_its_registrations_go_on_and_new_calls_go_by_the_new_dialplan() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    let bindings = world.switch.bindings("client").to_vec();
    world.reload(SIP, "[default]\nexten => 2,1,Dial(SIP/desk)\n");
    assert_eq!(world.switch.bindings("client"), bindings);
    world.assert_agreed("client", "isp", true);
    world.phone("cisco").dials("1");
    world.until(|w| w.saw("cisco", &PhoneEvent::Failed(404)));
    world.phone("cisco").dials("2");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("cisco"));
    assert!(world.is_talking("client") && world.is_talking("isp"));
    world.phone("client").hangs_up();
    world.phone("cisco").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_running_program_finds_its_next_priority_in_the_new_dialplan() {
    let plan = |third: &str| format!("[default]\nexten => 5,1,Answer()\n same => n,Wait(2)\n same => n,{third}\n");
    let mut world = Testbed::ready(SIP, &plan("Verbose(1,the old way)"));
    world.phone("client").dials("5");
    world.until(|w| w.is_talking("client"));
    world.reload(SIP, &plan("Verbose(1,the new way)"));
    world.until_over();
    assert!(world.has_line("the new way") && !world.has_line("the old way"));
    world.assert_nothing_left();
}

#[test]
fn a_peer_that_is_gone_ends_its_call_as_any_other_and_is_nobody_afterwards() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.reload(&without("isp"), GUIDE);
    assert!(world.has_line("The new configuration is in force: 3 peers (1 gone), 1 context"));
    assert!(world.has_line("'isp' is not in the new configuration: its registration at 192.0.2.20:5061 is forgotten"));
    assert!(world.switch.bindings("isp").is_empty() && world.switch.peer("isp").is_none());
    world.assert_agreed("client", "isp", true);
    world.phone("isp").hangs_up();
    world.until_over();
    world.phone("isp").registers();
    world.until(|w| w.saw("isp", &PhoneEvent::RegisterRefused(403)));
    world.reload(SIP, GUIDE);
    assert!(world.has_line("4 peers (1 new), 1 context"));
    world.phone("isp").registers();
    world.until(|w| !w.switch.bindings("isp").is_empty());
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_request_that_passed_the_edge_before_the_peer_was_gone_makes_no_registration() {
    let mut world = Testbed::new(SIP, GUIDE, Quality::PERFECT, 1);
    world.phone("isp").registers();
    world.until(|w| w.messages("isp", "exchange", &["REGISTER"]).len() == 2);
    // The answer to the challenge is on its way: the edge still goes by the old table, the switch by the new one.
    world.reload_behind_the_edge(&without("isp"), GUIDE);
    world.until(|w| w.saw("isp", &PhoneEvent::RegisterRefused(403)));
    assert!(world.switch.bindings("isp").is_empty());
    world.assert_nothing_left();
}

#[test]
fn a_peer_that_has_a_fixed_address_now_loses_its_registration_and_is_asked_there() {
    let mut world = Testbed::ready(SIP, GUIDE);
    let fixed =
        SIP.replacen("[desk]\ntype=friend\nhost=dynamic", "[desk]\ntype=friend\nhost=192.0.2.30\nqualify=yes", 1);
    world.reload(&fixed, GUIDE);
    assert!(world.has_line("'desk' has a fixed address (host=) in the new configuration"));
    world.until(|w| w.status("desk") == PeerStatus::Ok(20));
    let count = asked(&world, "desk").len();
    // Back again: nobody knows where it is, so nobody is asked.
    world.reload(SIP, GUIDE);
    world.run(Duration::from_secs(200));
    assert_eq!(asked(&world, "desk").len(), count);
    assert_eq!(world.status("desk"), PeerStatus::Unmonitored);
    world.assert_nothing_left();
}

#[test]
fn a_fixed_peer_is_asked_from_the_start() {
    let fixed =
        SIP.replacen("[desk]\ntype=friend\nhost=dynamic", "[desk]\ntype=friend\nhost=192.0.2.30\nqualify=yes", 1);
    let mut world = Testbed::new(&fixed, GUIDE, Quality::PERFECT, 1);
    world.run(Duration::from_secs(1));
    assert_eq!((world.status("desk"), asked(&world, "desk").len()), (PeerStatus::Ok(20), 1));
    world.assert_nothing_left();
}

#[test]
fn qualify_begins_ends_and_changes_with_the_configuration_and_is_left_alone_otherwise() {
    let with = |value: &str| SIP.replace("nat=no", &format!("nat=no\nqualify={value}"));
    let mut world = Testbed::ready(SIP, GUIDE);
    world.run(Duration::from_secs(5));
    assert_eq!((world.status("isp"), asked(&world, "isp").len()), (PeerStatus::Unmonitored, 0));
    world.reload(&with("200"), GUIDE);
    world.run(Duration::from_secs(1));
    let all = ["client", "isp", "desk", "cisco"];
    assert!(all.iter().all(|name| world.status(name) == PeerStatus::Ok(20)));
    let mut first: Vec<Time> = all.iter().map(|name| asked(&world, name)[0]).collect();
    first.sort();
    assert!(first.windows(2).all(|two| two[1].since(two[0]) == Duration::from_millis(100)), "one after another");
    // The same again: the rounds go on as they were.
    for _ in 0..100 {
        world.reload(&with("200"), GUIDE);
        world.run(Duration::from_millis(100));
    }
    assert_eq!(asked(&world, "isp").len(), 1);
    world.run(Duration::from_secs(60));
    assert_eq!(asked(&world, "isp").len(), 2);
    // Another limit: asked at once, and judged by it.
    world.reload(&with("10"), GUIDE);
    world.run(Duration::from_secs(1));
    assert!(
        matches!(world.status("isp"), PeerStatus::Lagged(20) | PeerStatus::Unreachable),
        "{:?}",
        world.status("isp")
    );
    world.reload(SIP, GUIDE);
    let count = asked(&world, "isp").len();
    world.run(Duration::from_secs(200));
    assert_eq!((world.status("isp"), asked(&world, "isp").len()), (PeerStatus::Unmonitored, count));
    world.assert_nothing_left();
}

#[test]
fn global_variables_live_on_unless_the_new_dialplan_forgets_them() {
    let plan = |general: &str, first: &str| {
        format!(
            "[general]\n{general}\n[globals]\nFILE={first}\n[default]\n\
             exten => 1,1,Set(GLOBAL(CALL)=kept)\n\
             exten => 2,1,Verbose(1,file ${{FILE}} call <${{CALL}}>)\n"
        )
    };
    let mut world = Testbed::ready(SIP, &plan("", "one"));
    let dial = |world: &mut Testbed, number: &str| {
        world.phone("client").dials(number);
        world.until_over();
    };
    dial(&mut world, "1");
    world.reload(SIP, &plan("", "two"));
    dial(&mut world, "2");
    assert!(world.has_line("file two call <kept>"));
    world.reload(SIP, &plan("clearglobalvars=yes", "three"));
    dial(&mut world, "2");
    assert!(world.has_line("file three call <>"));
    world.assert_nothing_left();
}

#[test]
fn the_switch_knows_when_it_was_last_reloaded() {
    let mut world = Testbed::ready(SIP, GUIDE);
    let started = world.switch.started();
    assert_eq!(world.switch.reloaded(), started);
    world.run(Duration::from_secs(7));
    world.reload(SIP, GUIDE);
    assert_eq!((world.switch.started(), world.switch.reloaded().mono), (started, world.now));
    assert_eq!(EXCHANGE.parse(), Ok(world.switch.bindings("client")[0].flow.local));
    world.assert_nothing_left();
}
