//! Who calls: phones and trunks of every `type=`.

use crate::network::Quality;
use crate::stories::stories;
use crate::testbed::{GUIDE, SIP, Testbed};
use strowger::sim::{DeviceProfile, PhoneEvent};

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
