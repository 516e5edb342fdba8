//! Message waiting (RFC 3842): what a provider or the console tells of a mailbox reaches the lines that have it, and never
//! a modem.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::clock::Wall;
use strowger::pbx::effect::Input;
use strowger::sim::Watching;

/// The desk and the modem have a mailbox.
fn sip(options: &str) -> String {
    SIP.replace("[desk]\n", &format!("[desk]\nmailbox=100,101@home\nvmexten=*97\n{options}"))
        .replace("[isp]\n", "[isp]\nmailbox=100\nline=modem\n")
}

/// The console tells: `mailbox set`.
fn tells(world: &mut Testbed, mailbox: &str, counts: &str) {
    world.switch.database().put(&format!("/MessageWaiting/{mailbox}"), counts).unwrap();
    world.give(Input::Tick);
    world.run(Duration::from_secs(1));
}

fn summaries(world: &Testbed, name: &str) -> Vec<String> {
    let notices = world.texts(name, &["NOTIFY"]);
    let bodies = notices.iter().filter_map(|text| text.split_once("Voice-Message: "));
    bodies.map(|(_, rest)| rest.lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_line_is_told_when_a_count_changes_and_when_it_registers_and_a_modem_never() {
    let mut world = Testbed::ready(&sip(""), GUIDE);
    world.run(Duration::from_secs(1));
    assert!(summaries(&world, "desk").is_empty(), "nobody has told");
    tells(&mut world, "100@default", "2/1");
    tells(&mut world, "101@home", "1/0");
    tells(&mut world, "101@home", "1/0");
    tells(&mut world, "555@default", "9/9");
    assert_eq!(summaries(&world, "desk"), ["2/1 (0/0)", "3/1 (0/0)"], "both mailboxes together, and nothing twice");
    let told = world.texts("desk", &["NOTIFY"]).pop().unwrap();
    for part in ["Event: message-summary", "Messages-Waiting: yes", "Message-Account: sip:*97@192.0.2.1:5060"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    world.phone("desk").unregisters();
    world.run(Duration::from_secs(1));
    tells(&mut world, "100@default", "0/3");
    assert_eq!(summaries(&world, "desk").len(), 2, "it is nowhere");
    world.phone("desk").registers();
    world.run(Duration::from_secs(1));
    assert_eq!(summaries(&world, "desk").pop().unwrap(), "1/3 (0/0)");
    for name in ["isp", "client", "cisco"] {
        assert!(summaries(&world, name).is_empty(), "{name}");
    }
    world.assert_nothing_left();
}

#[test]
fn a_line_that_subscribes_is_told_only_then_and_a_modem_is_refused() {
    let mut world = Testbed::ready(&sip("subscribemwi=yes\nbuggymwi=yes\n"), GUIDE);
    world.phone("desk").watches("100", "message-summary");
    world.run(Duration::from_secs(1));
    assert_eq!(world.watching("desk", 0).refused, Some(404), "nobody has told");
    tells(&mut world, "100@default", "2/1");
    assert!(summaries(&world, "desk").is_empty());
    world.phone("desk").watches("100", "message-summary");
    world.run(Duration::from_secs(1));
    tells(&mut world, "100@default", "0/3");
    assert_eq!(summaries(&world, "desk"), ["2/1", "0/3"], "as a buggy telephone can read it");
    world.phone("isp").watches("100", "message-summary");
    world.run(Duration::from_secs(1));
    assert_eq!(world.watching("isp", 0).refused, Some(404));
    world.phone("desk").watches_as(Watching::new("100", "message-summary", 0));
    world.run(Duration::from_secs(1));
    world.assert_nothing_left();
}

/// As chan_sip has it: a telephone that subscribes is told once, as long as it does.
#[test]
fn a_telephone_that_subscribes_is_told_nothing_twice() {
    let mut world = Testbed::ready(&sip(""), GUIDE);
    tells(&mut world, "100@default", "2/1");
    assert_eq!(summaries(&world, "desk"), ["2/1 (0/0)"]);
    world.phone("desk").watches("100", "message-summary");
    world.run(Duration::from_secs(1));
    tells(&mut world, "100@default", "0/3");
    assert_eq!(summaries(&world, "desk"), ["2/1 (0/0)", "2/1 (0/0)", "0/3 (0/0)"], "not twice");
    world.phone("desk").watches_as(Watching::new("100", "message-summary", 0));
    world.run(Duration::from_secs(1));
    let before = summaries(&world, "desk").len();
    tells(&mut world, "100@default", "1/3");
    assert_eq!(summaries(&world, "desk")[before..], ["1/3 (0/0)"], "it is told without it again");
    world.assert_nothing_left();
}

/// Counts and subscriptions outlive a restart.
#[test]
fn what_waits_is_known_after_a_restart() {
    let mut world = Testbed::ready(&sip(""), GUIDE);
    world.phone("client").registers();
    tells(&mut world, "100@default", "2/1");
    world.restart(&sip(""), GUIDE, None, Wall(0));
    world.phone("desk").unregisters();
    world.run(Duration::from_secs(1));
    world.phone("desk").registers();
    world.run(Duration::from_secs(1));
    assert_eq!(summaries(&world, "desk"), ["2/1 (0/0)", "2/1 (0/0)"]);
    world.assert_nothing_left();
}

#[test]
fn a_provider_tells_by_itself_and_nobody_else_can() {
    let trunk = "[trunk]\ntype=peer\nhost=198.51.100.7\nunsolicited_mailbox=100\n";
    let mut world = Testbed::ready(&format!("{}{trunk}", sip("")), GUIDE);
    let notify = |from: &str, number: u32, counts: &str| {
        format!(
            "NOTIFY sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{number}\r\nFrom: <sip:x@{from}>;tag=1\r\n\
             To: <sip:x@192.0.2.1>\r\nCall-ID: n{number}\r\nCSeq: {number} NOTIFY\r\nEvent: message-summary\r\n\
             Contact: <sip:x@{from}>\r\nMax-Forwards: 70\r\nContent-Type: application/simple-message-summary\r\n\
             Content-Length: {}\r\n\r\n{counts}",
            counts.len()
        )
    };
    world.inject_from("198.51.100.66:5060", &notify("198.51.100.66", 1, "Voice-Message: 9/9\r\n"));
    world.inject("cisco", &notify("192.0.2.40", 2, "Voice-Message: 8/8\r\n"));
    world.run(Duration::from_secs(1));
    assert!(summaries(&world, "desk").is_empty());
    world.inject_from(
        "198.51.100.7:5060",
        &notify("198.51.100.7", 3, "Messages-Waiting: yes\r\nVoice-Message: 4/0\r\n"),
    );
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts_at("198.51.100.7:5060", &["200"]).len(), 1);
    assert_eq!(summaries(&world, "desk"), ["4/0 (0/0)"]);
    world.assert_nothing_left();
}
