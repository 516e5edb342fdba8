//! `outboundproxy=`: requests go to a proxy, and still name whom they are for.

use crate::network::Quality;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::sim::DeviceProfile;

const PLAN: &str = "[default]\nexten => 7,1,Dial(SIP/client)\nexten => 8,1,Dial(SIP/isp)\n\
    exten => _X!,2,Hangup()\nexten => _49X!,1,Dial(SIP/provider/${EXTEN})\n";
const PROXY: &str = "203.0.113.1:5060";
const SECOND: &str = "203.0.113.2:5060";

/// A telephone registered, and proxies that answer calls themselves.
fn with(general: &str, provider: &str) -> Testbed {
    let sip = SIP.replace("[general]\n", &format!("[general]\n{general}\n"));
    let peer = "[provider]\ntype=peer\ncontext=default\ninsecure=invite\ndirectmedia=no\n";
    let mut world = Testbed::new(&format!("{sip}{peer}{provider}\n"), PLAN, Quality::PERFECT, 1);
    for (at, proxy) in [PROXY, SECOND].into_iter().enumerate() {
        world.add(proxy, "none", proxy, &format!("203.0.113.{}:30000", at + 1), DeviceProfile::Plain);
        world.phone(proxy).habit(|habit| habit.auto_ring = false);
    }
    for line in ["client", "isp"] {
        world.phone(line).registers();
        world.until(|w| w.look(line).is_registered());
    }
    world.names(&[("proxy.p.example", "203.0.113.1:5060,203.0.113.2:5060")]);
    world
}

/// A call to the provider that this proxy takes; gives its INVITE.
fn call(world: &mut Testbed, proxy: &str) -> String {
    world.phone("client").dials("4930123");
    world.until(|w| w.is_called(proxy));
    world.phone(proxy).answers();
    world.until(|w| w.is_talking(proxy) && w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    world.texts_at(proxy, &["INVITE "]).pop().unwrap()
}

#[test]
fn a_request_goes_to_the_proxy_and_names_whom_it_is_for() {
    for (provider, target, route) in [
        ("host=203.0.113.9\noutboundproxy=203.0.113.1", "203.0.113.9:5060", "<sip:203.0.113.1:5060;lr>"),
        ("host=203.0.113.9:5070\noutboundproxy=proxy.p.example", "203.0.113.9:5070", "<sip:proxy.p.example;lr>"),
        ("host=sip.p.example\noutboundproxy=udp://203.0.113.1:5060", "sip.p.example", "<sip:203.0.113.1:5060;lr>"),
        (
            "host=dynamic\ndefaultip=203.0.113.9\noutboundproxy=203.0.113.1",
            "203.0.113.9:5060",
            "<sip:203.0.113.1:5060;lr>",
        ),
    ] {
        let mut world = with("", provider);
        let invite = call(&mut world, PROXY);
        assert!(invite.starts_with(&format!("INVITE sip:4930123@{target} SIP/2.0\r\n")), "{invite}");
        assert!(invite.contains(&format!("\r\nRoute: {route}\r\n")), "{invite}");
        world.assert_nothing_left();
    }
}

/// What comes from the proxy is the peer's, though it is not its `host`.
#[test]
fn a_call_from_the_proxy_is_the_peers() {
    let mut world = with("", "host=203.0.113.9\noutboundproxy=proxy.p.example");
    for proxy in [PROXY, SECOND] {
        world.phone(proxy).dials("7");
        world.until(|w| w.is_called("client"));
        world.phone("client").answers();
        world.until(|w| w.is_talking(proxy));
        assert!(world.has_line("\"SIP/provider-"));
        world.phone(proxy).hangs_up();
        world.until_over();
    }
    world.assert_nothing_left();
}

#[test]
fn a_proxy_of_general_is_for_what_has_a_fixed_address_and_a_peer_may_have_none() {
    let mut world = with("outboundproxy=203.0.113.1,force", "host=203.0.113.9");
    call(&mut world, PROXY);
    world.phone("client").dials("8");
    world.until(|w| w.is_called("isp"));
    assert_eq!(world.texts_at(PROXY, &["INVITE "]).len(), 1, "a telephone that registered is reached where it is");
    world.phone("client").hangs_up();
    world.until_over();
    let mut world = with("outboundproxy=203.0.113.1", "host=203.0.113.2\noutboundproxy=");
    let invite = call(&mut world, SECOND);
    assert!(!invite.contains("Route:"), "{invite}");
}

#[test]
fn a_proxy_that_fails_is_left_for_the_next_of_its_name() {
    let mut world = with("", "host=203.0.113.9\noutboundproxy=proxy.p.example");
    world.phone("client").dials("4930123");
    world.until(|w| w.is_called(PROXY));
    world.phone(PROXY).refuses(503);
    world.until(|w| w.is_called(SECOND));
    world.phone(SECOND).answers();
    world.until(|w| w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(40));
    world.assert_nothing_left();
}

/// The other side's Contact is elsewhere; with `force` the proxy gets what belongs to the call all the same.
#[test]
fn with_force_the_proxy_gets_the_requests_within_a_call_too() {
    for (force, bye_at) in [("", "203.0.113.7:5060"), (",force", PROXY)] {
        let mut world = with("", &format!("host=203.0.113.9\noutboundproxy=203.0.113.1{force}"));
        world.rewrite(PROXY, "@203.0.113.1:5060", "@203.0.113.7:5060");
        world.phone("client").dials("4930123");
        world.until(|w| w.is_called(PROXY));
        world.phone(PROXY).answers();
        world.run(Duration::from_secs(1));
        world.phone("client").hangs_up();
        world.run(Duration::from_secs(1));
        assert!(!world.texts_at(bye_at, &["BYE "]).is_empty(), "{force}: {:?}", world.lines);
    }
}
