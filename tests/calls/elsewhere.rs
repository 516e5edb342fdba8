//! Calls to a host that is no peer (`SIP/user@host`): looked up while nobody else waits, called as `[general]` has it, never
//! the exchange itself.

use crate::network::Quality;
use crate::testbed::{SIP, Testbed};
use strowger::dialplan::Located;
use strowger::dialplan::outside::{OutsideReply, OutsideRequest};
use strowger::pbx::effect::Input;
use strowger::pbx::outside::{OutsideOrder, OutsideReport};
use strowger::sim::PhoneEvent;

/// The account file without `isp`, whose telephone is one at a host that nothing is known of.
fn ready(dial: &str) -> Testbed {
    let sip = SIP.replace("[isp]", "[nobody]");
    let plan =
        format!("[default]\nexten => _X!,1,Dial({dial},30)\nsame => n,NoOp(was ${{DIALSTATUS}} ${{HANGUPCAUSE}})\n");
    let mut world = Testbed::new(&sip, &plan, Quality::PERFECT, 1);
    world.phone("client").registers();
    world.until(|w| w.look("client").is_registered());
    world.phone("client").dials("100");
    world
}

/// Whatever is to be looked up is found there, or not; which hosts were asked for.
fn answer(world: &mut Testbed, found: Result<&str, &str>) -> Vec<String> {
    world.until(|w| !w.outside.is_empty());
    let mut asked = Vec::new();
    for order in std::mem::take(&mut world.outside) {
        if let OutsideOrder::Run { errand, channel, request: OutsideRequest::Locate(host) } = order {
            asked.push(host);
            let found = found.map(|ip| Located { address: ip.parse().unwrap(), seen: None });
            let reply = OutsideReply::Located(found.map_err(str::to_owned));
            world.give(Input::Outside(OutsideReport { errand, channel, reply }));
        }
    }
    asked
}

fn ends(mut world: Testbed) {
    world.phone("client").hangs_up();
    world.until_over();
    world.outside.clear();
    world.assert_nothing_left();
}

#[test]
fn a_host_that_is_no_peer_is_looked_up_and_called() {
    for (dial, host, uri) in [
        ("SIP/bob@pbx.example:5061", "pbx.example", "INVITE sip:bob@pbx.example:5061 SIP/2.0"),
        ("SIP/${EXTEN}@192.0.2.20:5061", "192.0.2.20", "INVITE sip:100@192.0.2.20:5061 SIP/2.0"),
        ("SIP/bob@far.example//192.0.2.20:5061", "192.0.2.20", "INVITE sip:bob@far.example:5061 SIP/2.0"),
    ] {
        let mut world = ready(dial);
        assert_eq!(answer(&mut world, Ok("192.0.2.20")), [host], "{dial}");
        world.until(|w| w.is_called("isp"));
        let invite = world.texts("isp", &["INVITE sip"]).pop().unwrap();
        assert!(invite.starts_with(uri), "{invite}");
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("isp"));
        world.assert_connected("client", "isp", true);
        ends(world);
    }
}

#[test]
fn a_host_that_is_not_found_or_that_is_us_is_not_called() {
    for (dial, found, why) in [
        ("SIP/bob@pbx.example", Err("no such name"), "is not found: no such name"),
        ("SIP/bob@192.0.2.1", Ok("192.0.2.1"), "that is this exchange itself"),
        ("SIP/bob@us.example:5060", Ok("192.0.2.1"), "that is this exchange itself"),
        ("SIP/bob@224.0.0.1", Ok("224.0.0.1"), "no device has such an address"),
        ("SIP/bob@0.0.0.0", Ok("0.0.0.0"), "no device has such an address"),
        ("SIP/bob:::x:tcp@192.0.2.20", Ok("192.0.2.20"), "that transport is off here"),
    ] {
        let mut world = ready(dial);
        answer(&mut world, found);
        world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
        assert!(world.has_line(why) && world.has_line("was CHANUNAVAIL 20"), "{dial}: {:?}", world.lines);
        world.outside.clear();
        world.assert_nothing_left();
    }
}

/// A word without a dot, or digits alone, is a peer that is misspelt: nothing is looked up.
#[test]
fn what_can_only_be_a_peer_is_not_looked_up() {
    for dial in ["SIP/100@trnuk", "SIP/100@300", "SIP/nobdy", "SIP/1@1.2.3"] {
        let mut world = ready(dial);
        world.until(|w| w.stations["client"].events.iter().any(|(_, event)| matches!(event, PhoneEvent::Failed(_))));
        assert!(world.has_line("there is no peer") && world.has_line("was CHANUNAVAIL 20"), "{dial}");
        world.assert_nothing_left();
    }
}

/// The caller gives up while the name servers are silent.
#[test]
fn a_caller_that_gives_up_during_the_look_up_calls_nobody() {
    let mut world = ready("SIP/bob@pbx.example:5061");
    world.until(|w| !w.outside.is_empty());
    let orders = world.outside.clone();
    world.phone("client").hangs_up();
    world.until_over();
    world.outside = orders;
    answer(&mut world, Ok("192.0.2.20"));
    world.run(std::time::Duration::from_secs(1));
    assert!(world.texts("isp", &["INVITE"]).is_empty());
    world.outside.clear();
    world.assert_nothing_left();
}
