//! Proxies between a phone and the exchange: Record-Route of calls (RFC 3261 12, 16.12) and Path of registrations (RFC
//! 3327).

use crate::testbed::{GUIDE, SIP, Testbed};
use strowger::clock::Wall;
use strowger::sim::PhoneEvent;

const NEAR: &str = "192.0.2.50:5060";

fn called_through(record_route: &str) -> Testbed {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.add_header("client", &format!("Record-Route: {record_route}"));
    world.relay(NEAR, "client");
    world.connect();
    world
}

fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix(name)).collect()
}

/// The route set is the Record-Route as it came; the Request-URI stays the Contact.
#[test]
fn a_caller_behind_loose_routers() {
    let mut world = called_through("<sip:192.0.2.50;lr>, <sip:far.example.com;lr>");
    for status in ["180 ", "200 OK"] {
        let answer = &world.texts("client", &[status, "INVITE"])[0];
        assert_eq!(lines(answer, "Record-Route: "), ["<sip:192.0.2.50;lr>, <sip:far.example.com;lr>"]);
    }
    world.phone("isp").hangs_up();
    world.until_over();
    let bye = world.texts_at(NEAR, &["BYE"]).remove(0);
    assert!(bye.starts_with("BYE sip:client@192.0.2.20:5060 SIP/2.0\r\n"), "{bye}");
    assert_eq!(lines(&bye, "Route: "), ["<sip:192.0.2.50;lr>", "<sip:far.example.com;lr>"]);
    world.assert_nothing_left();
}

/// RFC 3261 12.2.1.1: a strict router wants itself in the Request-URI.
#[test]
fn a_caller_behind_a_strict_router() {
    let mut world = called_through("<sip:192.0.2.50>, <sip:far.example.com;lr>");
    world.phone("isp").hangs_up();
    world.until_over();
    let bye = world.texts_at(NEAR, &["BYE"]).remove(0);
    assert!(bye.starts_with("BYE sip:192.0.2.50 SIP/2.0\r\n"), "{bye}");
    assert_eq!(lines(&bye, "Route: "), ["<sip:far.example.com;lr>", "<sip:client@192.0.2.20:5060>"]);
    world.assert_nothing_left();
}

/// RFC 3261 12.1.2: a called phone's Record-Route is read backwards, and the ACK of its 2xx takes it already.
#[test]
fn a_called_phone_behind_proxies() {
    let mut world = Testbed::ready(SIP, GUIDE);
    world.add_to("isp", "SIP/2.0 200", "Record-Route: <sip:far.example.com;lr>, <sip:192.0.2.50;lr>");
    world.relay(NEAR, "isp");
    world.connect();
    world.phone("client").hangs_up();
    world.until_over();
    for method in ["ACK", "BYE"] {
        let text = world.texts_at(NEAR, &[method]).remove(0);
        assert!(text.starts_with(&format!("{method} sip:isp@192.0.2.20:5061 SIP/2.0\r\n")), "{text}");
        assert_eq!(lines(&text, "Route: "), ["<sip:192.0.2.50;lr>", "<sip:far.example.com;lr>"]);
    }
    world.assert_nothing_left();
}

/// A Contact that names the exchange itself, nobody, or a private address seen from the open network, is not followed.
#[test]
fn a_contact_that_leads_nowhere_is_not_followed() {
    for host in ["192.0.2.1:5060", "224.0.0.1", "255.255.255.255", "127.0.0.1", "0.0.0.0", "10.1.2.3", "[2001:db8::1]"]
    {
        let mut world = Testbed::ready(SIP, GUIDE);
        world.add_to("isp", "SIP/2.0 200", &format!("Contact: <sip:isp@{host}>"));
        world.connect();
        world.phone("client").hangs_up();
        world.until_over();
        assert!(!world.texts("isp", &["BYE sip:isp@"]).is_empty(), "{host}");
        world.assert_nothing_left();
    }
}

fn with_path(isp: &str) -> Testbed {
    let sip = SIP.replace("[isp]\n", &format!("[isp]\nsupportpath=yes\n{isp}"));
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    world.add_to("isp", "REGISTER", "Path: <sip:192.0.2.50;lr>, <sip:far.example.com;lr>");
    world.relay(NEAR, "isp");
    world
}

#[test]
fn a_phone_that_registered_through_a_proxy_is_called_through_it_also_after_a_restart() {
    let mut world = with_path("contactpermit=192.0.2.20\nqualify=yes\n");
    world.register_all();
    let sip = SIP.replace("[isp]\n", "[isp]\nsupportpath=yes\ncontactpermit=192.0.2.20\nqualify=yes\n");
    for round in 1..=2 {
        world.connect();
        world.phone("client").hangs_up();
        world.until_over();
        let invites = world.texts_at(NEAR, &["INVITE sip:"]);
        let invite = invites.last().unwrap();
        assert!(invite.starts_with("INVITE sip:isp@192.0.2.20:5061 SIP/2.0\r\n"), "{invite}");
        assert_eq!(lines(invite, "Route: "), ["<sip:192.0.2.50;lr>", "<sip:far.example.com;lr>"], "round {round}");
        assert!(!world.texts_at(NEAR, &["OPTIONS sip:"]).is_empty(), "it is asked after on the same way");
        world.assert_nothing_left();
        if round == 1 {
            world.restart(&sip, GUIDE, None, Wall(0));
        }
    }
}

#[test]
fn a_proxy_that_nobody_named_gets_no_calls() {
    let mut world = with_path("");
    world.phone("isp").registers();
    world.until(|w| w.saw("isp", &PhoneEvent::RegisterRefused(403)));
    assert!(world.has_line("asks to have calls sent through it"));
    world.assert_nothing_left();
}

/// A proxy may be named by its name, too: it is known by where that leads.
#[test]
fn a_proxy_that_is_a_peer_with_a_named_host_may_ask_for_calls() {
    let sip = SIP.replace("[isp]\n", "[isp]\nsupportpath=yes\n");
    let sip = format!("{sip}[proxy]\ntype=peer\nhost=proxy.example.com\n");
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    world.add_to("isp", "REGISTER", "Path: <sip:192.0.2.50;lr>");
    world.relay(NEAR, "isp");
    world.names(&[("proxy.example.com", "192.0.2.20:5060")]);
    world.register_all();
    assert_eq!(world.switch.bindings("isp")[0].flow.remote.to_string(), NEAR);
    world.assert_nothing_left();
}
