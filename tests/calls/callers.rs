//! Who calls: phones and trunks of every `type=`.

use crate::network::Quality;
use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::sim::{Change, DeviceProfile, PhoneEvent};
use strowger::sip::flow::Transport;

const TRUNK: &str = "[provider]\ntype=peer\nhost=203.0.113.5\ninsecure=port,invite\ncontext=default\ndirectmedia=no\n";

fn of_type(kind: &str) -> String {
    SIP.replace("type=friend", &format!("type={kind}"))
}

fn with_trunk() -> String {
    format!("{SIP}{TRUNK}")
}

stories! {
    a_phone_that_is_a_peer_registers_and_calls(of_type("peer"), GUIDE);
    a_trunk_calls_from_whatever_port(with_trunk(), GUIDE);
}

fn a_phone_that_is_a_peer_registers_and_calls(world: &mut Testbed) {
    world.connect();
    world.assert_agreed("client", "isp", true);
    assert!(world.channels().iter().any(|channel| channel.starts_with("SIP/client-")), "{:?}", world.channels());
    world.phone("client").hangs_up();
    world.until_over();
    // And is called, and hangs up from the other side.
    world.phone("desk").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("desk") && w.is_talking("isp"));
    world.phone("isp").hangs_up();
    world.until_over();
}

fn a_trunk_calls_from_whatever_port(world: &mut Testbed) {
    // Its From is who calls there, its port no port of sip.conf.
    world.add("4930123456", "", "203.0.113.5:41000", "203.0.113.5:5004", DeviceProfile::Grandstream);
    world.phone("4930123456").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("4930123456") && w.is_talking("isp"));
    assert!(world.channels().iter().any(|channel| channel.starts_with("SIP/provider-")), "{:?}", world.channels());
    world.phone("isp").hangs_up();
    world.until_over();
}

#[test]
fn a_trunk_from_another_address_or_without_insecure_is_asked() {
    let strict = with_trunk().replace("insecure=port,invite\n", "secret=k3vw9m2xq8tz\n");
    for (sip, from) in [(with_trunk(), "203.0.113.6:5060"), (strict, "203.0.113.5:5060")] {
        let mut world = Testbed::new(&sip, GUIDE, Quality::PERFECT, 1);
        world.add("4930123456", "", from, "203.0.113.5:5004", DeviceProfile::Grandstream);
        world.phone("4930123456").dials("88567682");
        world.until(|w| !w.look("4930123456").has_call());
        assert_eq!(world.messages("exchange", "4930123456", &["401"]).len(), 1);
        assert!(!world.is_called("isp"));
        world.assert_nothing_left();
    }
}

/// `type=user` calls, cannot register, and is not called.
#[test]
fn a_user_calls_and_is_not_called() {
    let sip = SIP.replace("[client]\ntype=friend\nhost=dynamic\n", "[client]\ntype=user\n");
    let mut world = Testbed::new(
        &sip,
        "[default]\nexten => 1,1,Dial(SIP/client)\nexten => _8X.,1,Dial(SIP/isp)\n",
        Quality::PERFECT,
        1,
    );
    for name in ["isp", "desk"] {
        world.phone(name).registers();
    }
    world.until(|w| w.look("isp").is_registered() && w.look("desk").is_registered());
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("desk").dials("1");
    world.until(|w| !w.look("desk").has_call());
    assert!(world.saw("desk", &PhoneEvent::Failed(503)));
    world.phone("client").registers();
    world.until(|w| w.saw("client", &PhoneEvent::RegisterRefused(403)));
    world.assert_nothing_left();
}

/// A section without `host=`, or with one that is none: it calls when it proves its name, and has no address.
#[test]
fn a_line_without_an_address_calls_and_neither_registers_nor_is_called() {
    for host in ["", "host=192.0.2.300\n"] {
        let sip = SIP.replace("[client]\ntype=friend\nhost=dynamic\n", &format!("[client]\ntype=friend\n{host}"));
        let plan = "[default]\nexten => 1,1,Dial(SIP/client)\nexten => _8X.,1,Dial(SIP/isp)\n";
        let mut world = Testbed::new(&sip, plan, Quality::PERFECT, 1);
        for name in ["isp", "desk"] {
            world.phone(name).registers();
        }
        world.until(|w| w.look("isp").is_registered() && w.look("desk").is_registered());
        world.phone("client").registers();
        world.until(|w| w.saw("client", &PhoneEvent::RegisterRefused(403)));
        assert!(world.has_line("not configured as host=dynamic"));
        world.phone("client").dials("88567682");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").answers();
        world.until(|w| w.is_talking("client"));
        world.phone("client").hangs_up();
        world.until_over();
        world.phone("desk").dials("1");
        world.until(|w| w.saw("desk", &PhoneEvent::Failed(503)));
        assert!(world.has_line("'client' has no address"), "{host}");
        world.assert_nothing_left();
    }
}

#[test]
fn trunks_as_old_files_write_them() {
    for (options, from, caller, over) in [
        ("", "203.0.113.5:41000", "4930123456", None),
        ("", "203.0.113.5:41000", "4930123456", Some(Transport::Tcp)),
        ("insecure=invite", "203.0.113.5:5060", "4930123456", None),
        ("insecure=invite", "203.0.113.5:41000", "4930123456", Some(Transport::Tcp)),
        ("insecure=very", "203.0.113.5:41000", "4930123456", None),
        ("insecure=very\nsecret=k3vw9m2xq8tz\nfromuser=me", "203.0.113.5:41000", "4930123456", None),
        ("secret=k3vw9m2xq8tz", "203.0.113.5:5070", "4930123456", None),
        ("insecure=yes", "203.0.113.5:41000", "4930123456", None),
        ("insecure=invite,port", "203.0.113.5:41000", "anonymous", None),
        // A peer's name, which is no proof and in no way.
        ("secret=k3vw9m2xq8tz", "203.0.113.5:5070", "provider", None),
        ("type=friend", "203.0.113.5:41000", "4930123456", None),
        ("host=203.0.113.5:5071\ninsecure=invite", "203.0.113.5:5071", "4930123456", None),
        ("port=5071\ninsecure=invite", "203.0.113.5:5071", "4930123456", None),
    ] {
        let trunk = TRUNK.to_owned();
        let trunk = if options.contains("insecure") { trunk.replace("insecure=port,invite\n", "") } else { trunk };
        let trunk = if options.contains("type=") { trunk.replace("type=peer\n", "") } else { trunk };
        let trunk = if options.contains("host=") { trunk.replace("host=203.0.113.5\n", "") } else { trunk };
        let sip = format!("{SIP}{trunk}{options}\n");
        let sip = sip.replacen("[general]\n", "[general]\ntcpenable=yes\ntcpbindaddr=192.0.2.1\n", 1);
        let mut world = Testbed::ready(&sip, GUIDE);
        world.add(caller, "", from, "203.0.113.5:5004", DeviceProfile::Grandstream);
        if let Some(over) = over {
            world.connects(caller, over);
        }
        world.phone(caller).dials("88567682");
        world.run(Duration::from_secs(1));
        assert!(world.is_called("isp"), "{options} {from} {over:?}");
        world.phone("isp").answers();
        world.until(|w| w.is_talking(caller) && w.is_talking("isp"));
        world.phone(caller).reoffers(Change::Hold);
        world.run(Duration::from_secs(1));
        assert!(world.saw(caller, &PhoneEvent::RenegotiationAccepted));
        world.phone("isp").hangs_up();
        world.until_over();
        assert!(world.settles(), "{options}");
    }
}

#[test]
fn a_phone_that_is_a_peer_calls_whatever_its_from_says() {
    let peer = SIP.replace("type=friend", "type=peer");
    for (what, sip, guest) in [
        ("from another name", peer.clone(), false),
        ("insecure=port", peer.replace("[client]\n", "[client]\ninsecure=port\n"), false),
        ("insecure=invite", peer.replace("[client]\n", "[client]\ninsecure=invite\n"), false),
        ("insecure=very", peer.replace("[client]\n", "[client]\ninsecure=very\n"), false),
        ("allowguest", peer.replacen("[general]\n", "[general]\nallowguest=yes\n", 1), true),
        ("match_auth", peer.replacen("[general]\n", "[general]\nmatch_auth_username=yes\n", 1), false),
        ("max_contacts", peer.replace("[client]\n", "[client]\nmax_contacts=3\n"), false),
    ] {
        for from in [None, Some("\"Kitchen\" <sip:4711@192.0.2.1>"), Some("<sip:desk@192.0.2.1>")] {
            let mut world = Testbed::ready(&sip, GUIDE);
            if let Some(from) = from {
                world.from("client", from);
            }
            world.phone("client").dials("88567682");
            world.run(Duration::from_secs(1));
            assert!(world.is_called("isp"), "{what} {from:?}");
            let channels = world.channels();
            assert!(guest || channels.iter().any(|it| it.starts_with("SIP/client-")), "{what} {from:?} {channels:?}");
            world.phone("isp").answers();
            world.until(|w| w.is_talking("client") && w.is_talking("isp"));
            world.phone("client").hangs_up();
            world.until_over();
            assert!(world.settles(), "{what}");
        }
    }
}

#[test]
fn a_reload_makes_it_another_type_in_mid_call() {
    let peer = SIP.replace("type=friend", "type=peer");
    let mut world = Testbed::ready(SIP, GUIDE);
    world.connect();
    world.reload(&peer, GUIDE);
    world.run(Duration::from_secs(1));
    world.phone("client").reoffers(Change::Hold);
    world.run(Duration::from_secs(1));
    assert!(world.saw("client", &PhoneEvent::RenegotiationAccepted));
    world.phone("client").hangs_up();
    world.until_over();
    world.connect();
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    // And user and back: no longer registered, but calls.
    let mut world = Testbed::ready(SIP, GUIDE);
    world.reload(&SIP.replace("[client]\ntype=friend\nhost=dynamic\n", "[client]\ntype=user\n"), GUIDE);
    world.connect();
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}
