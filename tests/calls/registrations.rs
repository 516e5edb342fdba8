//! Registrations, and whether the registered lines answer (qualify).

use crate::network::Quality;
use crate::testbed::{GUIDE, SIP, Station, Testbed};
use std::time::Duration;
use strowger::event::Level;
use strowger::pbx::switch::PeerStatus;
use strowger::rng::Rng;
use strowger::sim::{Phone, PhoneEvent};
use strowger::sip::flow::Transport;

fn qualified() -> String {
    SIP.replace("nat=no", "nat=no\nqualify=200")
}

#[test]
fn two_lines_of_one_adapter_register_and_are_asked_after() {
    let mut world = Testbed::ready(&qualified(), GUIDE);
    for line in ["client", "isp"] {
        assert!(world.saw(line, &PhoneEvent::Registered { expires: 3600 }));
        assert_eq!(world.switch.bindings(line).len(), 1);
    }
    let ports: Vec<u16> =
        ["client", "isp"].iter().map(|line| world.switch.bindings(line)[0].flow.remote.port()).collect();
    assert_eq!(ports, [5060, 5061]);
    world.run(Duration::from_secs(1));
    assert_eq!((world.status("client"), world.status("isp")), (PeerStatus::Ok(20), PeerStatus::Ok(20)));
    world.assert_nothing_left();
}

#[test]
fn a_wrong_secret_is_403() {
    let sip = SIP.replacen("secret=password", "secret=another", 1);
    let mut world = Testbed::new(&sip, GUIDE, Quality::PERFECT, 1);
    world.phone("client").registers();
    world.until(|w| w.saw("client", &PhoneEvent::RegisterRefused(403)));
    assert!(world.switch.bindings("client").is_empty());
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(403)));
    world.assert_nothing_left();
}

#[test]
fn a_wrong_secret_is_told_once_and_so_is_the_right_one() {
    let mut world = Testbed::new(&SIP.replacen("secret=password", "secret=another", 1), GUIDE, Quality::PERFECT, 1);
    for _ in 0..5 {
        world.phone("client").registers();
        world.run(Duration::from_secs(20));
    }
    assert_eq!(world.messages("exchange", "client", &["403"]).len(), 5);
    let told = "phone 'client' at 192.0.2.20: wrong secret. Type the one of [client] (sip.conf:4) into the phone; its user name is \
                right (`sip show peer client`)";
    assert_eq!(world.line("wrong secret"), (Level::Warning, told.to_owned()));
    world.reload(SIP, GUIDE);
    world.phone("client").registers();
    world.run(Duration::from_secs(1));
    let told = "phone 'client' at 192.0.2.20 is let in now: it was refused 5 times in 1 min 40 s";
    assert_eq!(world.line("is let in now"), (Level::Notice, told.to_owned()));
    world.phone("client").registers();
    world.run(Duration::from_secs(1));
    world.line("is let in now");
    // A slip in the name, and the same bytes on the wire.
    let refusal = |world: &Testbed| world.texts("client", &["403"])[0].clone();
    let first = refusal(&world);
    let mut world = Testbed::new(&SIP.replacen("[client]", "[cleint]", 1), GUIDE, Quality::PERFECT, 1);
    world.phone("client").registers();
    world.run(Duration::from_secs(1));
    assert!(world.line("wants to be 'client'").1.ends_with("; or is it [cleint]?"));
    let other = refusal(&world);
    assert_eq!(first.len(), other.len());
    assert_eq!(first.lines().next(), other.lines().next());
}

#[test]
fn a_line_that_is_not_registered_cannot_be_called() {
    let mut world = Testbed::new(SIP, GUIDE, Quality::PERFECT, 1);
    world.phone("client").registers();
    world.until(|w| w.look("client").is_registered());
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    assert!(world.has_line("'isp' is not registered"));
    world.assert_nothing_left();
}

#[test]
fn an_unreachable_line_fails_at_once() {
    let mut world = Testbed::ready(&qualified(), GUIDE);
    world.run(Duration::from_secs(1));
    world.unplug("isp");
    world.run(Duration::from_secs(120));
    assert_eq!(world.status("isp"), PeerStatus::Unreachable);
    let then = world.now;
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    assert!(world.now.since(then) < Duration::from_millis(100));
    assert!(world.has_line("'isp' has been UNREACHABLE for"));
    world.assert_nothing_left();
}

#[test]
fn a_lagged_line_is_called_with_a_warning() {
    let slow = Quality { delay: (130, 130), ..Quality::PERFECT };
    let mut world = Testbed::new(&qualified(), GUIDE, slow, 1);
    world.register_all();
    world.run(Duration::from_secs(1));
    assert_eq!(world.status("isp"), PeerStatus::Lagged(260));
    world.connect();
    assert!(world.has_line("'isp' is LAGGED (260 ms of 200 ms allowed by qualify=)"));
    world.phone("isp").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_watched_line_that_vanishes_is_given_up_after_six_seconds() {
    let mut world = Testbed::ready(&qualified(), GUIDE);
    world.run(Duration::from_secs(1));
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    let then = world.now;
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    let waited = world.now.since(then);
    assert!(waited > Duration::from_secs(6) && waited < Duration::from_millis(6200), "{waited:?}");
    world.assert_nothing_left();
}

#[test]
fn a_vanished_line_that_wakes_up_late_is_not_left_with_a_call() {
    let mut world = Testbed::ready(&qualified(), GUIDE);
    world.run(Duration::from_secs(1));
    world.phone("isp").habit(|habits| {
        habits.ignores_everything = true;
        habits.auto_answer_after = Some(Duration::ZERO);
    });
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.run(Duration::from_secs(30));
    assert!(!world.look("isp").has_call(), "the INVITE came again, was answered, and is ended");
    world.assert_nothing_left();
}

#[test]
fn a_cisco_from_an_ephemeral_port_registers_and_calls_and_is_called() {
    let extensions = "[default]\nexten => 1,1,Dial(SIP/desk)\nexten => 2,1,Dial(SIP/cisco)\n";
    let mut world = Testbed::new(SIP, extensions, Quality::PERFECT, 1);
    world.stations.get_mut("cisco").unwrap().source = "192.0.2.40:50123".parse().unwrap();
    world.register_all();
    assert_eq!(world.switch.bindings("cisco")[0].flow.remote, "192.0.2.40:5060".parse().unwrap());
    for (from, to, number) in [("cisco", "desk", "1"), ("desk", "cisco", "2")] {
        world.phone(from).dials(number);
        world.until(|w| w.is_called(to));
        world.phone(to).answers();
        world.until(|w| w.is_talking(from) && w.is_talking(to));
        world.assert_agreed(from, to, true);
        world.phone("desk").hangs_up();
        world.until_over();
    }
    world.assert_nothing_left();
}

#[test]
fn a_line_unregisters() {
    let mut world = Testbed::ready(&qualified(), GUIDE);
    world.phone("isp").unregisters();
    world.until(|w| w.saw("isp", &PhoneEvent::Unregistered));
    assert!(world.switch.bindings("isp").is_empty());
    world.phone("client").dials("1");
    world.until(|w| w.saw("client", &PhoneEvent::Failed(503)));
    world.assert_nothing_left();
}

#[test]
fn a_line_that_vanished_expires_and_one_that_is_there_does_not() {
    let mut world = Testbed::ready(&qualified(), GUIDE);
    world.unplug("isp");
    world.run(Duration::from_secs(4000));
    assert!(world.switch.bindings("isp").is_empty());
    assert!(world.has_line("'isp' did not refresh its registration"));
    assert_eq!(world.switch.bindings("client").len(), 1);
    assert!(world.count("client", &PhoneEvent::Registered { expires: 3600 }) >= 2);
    world.assert_nothing_left();
}

/// A nonce older than five minutes comes back: the phone is told so and tries again, and its user sees nothing of it.
#[test]
fn an_old_nonce_is_no_refusal() {
    let mut world = Testbed::ready(SIP, "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
    world.run(Duration::from_secs(600));
    world.phone("desk").dials("1");
    world.until(|w| w.is_called("isp"));
    assert_eq!(world.messages("exchange", "desk", &["401", "INVITE"]).len(), 1);
    world.phone("desk").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// RFC 3261 25.1 allows `;` and `?` in the user part; RFC 3261 8.1.1.2: To is the line, without what only the way to it
/// needs.
#[test]
fn a_contact_with_parameters_in_its_user_is_called_whole() {
    let mut world =
        Testbed::new(&SIP.replace("[isp]\n", "[isp]\nqualify=yes\n"), GUIDE, crate::network::Quality::PERFECT, 1);
    world.rewrite("isp", "Contact: <sip:isp@192.0.2.20:5061>", "Contact: <sip:i;p@192.0.2.20:5061>");
    world.register_all();
    world.phone("client").dials("88567682");
    world.until(|w| w.is_called("isp"));
    for start in ["INVITE sip:i;p@192.0.2.20:5061 SIP/2.0", "OPTIONS sip:i;p@192.0.2.20:5061 SIP/2.0"] {
        let text = world.texts("isp", &[start]).remove(0);
        assert!(text.contains("\r\nTo: <sip:i;p@192.0.2.20:5061>\r\n"), "{text}");
    }
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// Each takes the line from the other, and neither knows: the log says so once, with the cure.
#[test]
fn two_telephones_of_one_account_are_told_of_and_one_that_moves_is_not() {
    let mut world = Testbed::ready(SIP, GUIDE);
    let twice = |world: &mut Testbed, name: &str| {
        world.phone(name).registers();
        world.run(Duration::from_secs(30));
    };
    // A second one with the client's name and secret.
    let mut config = world.look("client").config().clone();
    (config.sip, config.rtp) = ("192.0.2.50:5060".parse().unwrap(), "192.0.2.50:16420".parse().unwrap());
    let (phone, source) = (Phone::new(config.clone(), Rng::from_number(2)), config.sip);
    let second = Station { phone, source, connection: None, over: Transport::Tcp, events: Vec::new() };
    world.stations.insert("second".to_owned(), second);
    for name in ["second", "client"] {
        twice(&mut world, name);
    }
    let (level, line) = world.line("Two telephones register as 'client'");
    assert_eq!(level, Level::Warning);
    assert!(line.contains("192.0.2.20:5060") && line.contains("192.0.2.50:5060"), "{line}");
    for name in ["second", "client", "second"] {
        twice(&mut world, name);
    }
    world.line("Two telephones register as 'client'");
    let report = world.switch.peer("client").unwrap().rivalry.unwrap();
    assert_eq!(report.times, 4);
    // One that changes the port of its NAT to and fro is one.
    for port in [2000, 2001, 2000, 2001] {
        world.stations.get_mut("desk").unwrap().source.set_port(port);
        world.relay(&format!("192.0.2.30:{port}"), "desk");
        twice(&mut world, "desk");
    }
    assert!(!world.has_line("register as 'desk'") && world.switch.peer("desk").unwrap().rivalry.is_none());
}
