//! Options of sip.conf, each seen on the wire: what is in the table as in effect must be obeyed.

use crate::world::{GUIDE, SIP, World};
use std::time::Duration;

/// The accounts of every story, with lines added to `[general]` and to the line that is called.
fn conf(general: &str, isp: &str) -> String {
    let text = SIP.replace("[client]", &format!("{general}\n[client]"));
    text.replace("[isp]\ntype=friend", &format!("[isp]\ntype=friend\n{isp}"))
}

#[test]
fn sdpsession_and_sdpowner_are_what_our_own_descriptions_say() {
    let mut world =
        World::ready(&conf("sdpsession=The club\nsdpowner=desk", ""), "[default]\nexten => _X!,1,Answer()\n");
    world.phone("client").dials("1");
    world.until_over();
    let answer = &world.texts("client", &["200 OK", "INVITE"])[0];
    assert!(answer.contains("\ns=The club\r\n") && answer.contains("\no=desk "), "{answer}");
    world.assert_nothing_left();
}

#[test]
fn timert1_and_maxforwards_are_those_of_the_called_line() {
    let mut world = World::ready(&conf("", "timert1=700\nmaxforwards=9"), GUIDE);
    world.phone("isp").habit(|habits| habits.ignores_everything = true);
    world.phone("client").dials("1");
    world.run(Duration::from_secs(6));
    let sent = world.messages("exchange", "isp", &["INVITE sip"]);
    let gaps: Vec<u128> = sent.windows(2).map(|pair| pair[1].since(pair[0]).as_millis()).collect();
    assert_eq!(gaps, [700, 1400, 2800]);
    world.phone("isp").habit(|habits| habits.ignores_everything = false);
    world.until(|w| w.is_called("isp"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("client"));
    world.phone("client").hangs_up();
    world.until_over();
    let begun = ["INVITE sip", "ACK sip", "BYE sip"].map(|kind| world.texts("isp", &[kind])[0].clone());
    for request in begun {
        assert!(request.contains("Max-Forwards: 9\r\n"), "{request}");
    }
    // RFC 6026 7.2: the answered INVITE is remembered for 64 of the longer T1.
    world.run(Duration::from_secs(10));
    world.assert_nothing_left();
}

#[test]
fn timerb_ends_the_patience_with_a_silent_line_and_may_lengthen_it() {
    for (timer_b, expected) in [("2000", 2), ("40000", 40)] {
        let mut world =
            World::ready(&conf("", &format!("timerb={timer_b}")), "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
        world.phone("isp").habit(|habits| habits.ignores_everything = true);
        world.phone("client").dials("1");
        world.until(|w| !w.messages("exchange", "isp", &["INVITE sip"]).is_empty());
        let then = world.now;
        world.until(|w| w.has_line("no answer to the call at all"));
        assert_eq!(world.now.since(then).as_secs(), expected);
        world.assert_nothing_left();
    }
}

/// From and the identity header of the INVITE that reaches the called line.
fn shown(general: &str, isp: &str, client: &str) -> (String, String) {
    let text = conf(general, isp).replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{client}"));
    let mut world = World::ready(&text, GUIDE);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    let invite = world.texts("isp", &["INVITE sip"])[0].clone();
    let line = |names: &[&str]| {
        let found = invite.lines().find(|line| names.iter().any(|name| line.starts_with(name)));
        found.unwrap_or_default().split(";tag").next().unwrap().to_owned()
    };
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    (line(&["From:"]), line(&["Remote-Party-ID:", "P-Asserted-Identity:"]))
}

#[test]
fn a_called_line_is_told_who_calls_as_its_options_say() {
    let id = "callerid=\"The Modem\" <881>";
    let from = |general, isp, client| shown(general, isp, client).0;
    assert_eq!(from("", "", ""), "From: <sip:client@192.0.2.1>");
    assert_eq!(from("", "", id), "From: \"The Modem\" <sip:881@192.0.2.1>");
    assert_eq!(from("", "fromuser=trunk7", id), "From: \"The Modem\" <sip:trunk7@192.0.2.1>");
    assert_eq!(from("", "fromuser=t\nfromdomain=sip.example:5070", ""), "From: <sip:t@sip.example:5070>");
    // A line's own caller ID is for its calls, not for those to it.
    assert_eq!(from("callerid=club", id, ""), "From: <sip:client@192.0.2.1>");
    let told = |send: &str| shown("", &format!("fromuser=t\nsendrpid={send}"), id).1;
    assert_eq!(told("no"), "");
    assert_eq!(told("pai"), "P-Asserted-Identity: \"The Modem\" <sip:881@192.0.2.1>");
    let expected = "Remote-Party-ID: \"The Modem\" <sip:881@192.0.2.1>;party=calling;privacy=off;screen=no";
    assert_eq!((told("yes").as_str(), told("rpid").as_str()), (expected, expected));
}

#[test]
fn qualify_is_sent_in_the_name_its_options_say() {
    let world = World::ready(&conf("callerid=club", "qualify=yes\nfromdomain=a.example\nmaxforwards=8"), GUIDE);
    let asked = &world.texts("isp", &["OPTIONS sip"])[0];
    assert!(asked.contains("From: <sip:club@a.example>;tag=") && asked.contains("Max-Forwards: 8\r\n"), "{asked}");
}
