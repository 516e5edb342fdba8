//! Options of sip.conf, each seen on the wire: what is in the table as in effect must be obeyed.

use crate::testbed::{GUIDE, SIP, Testbed};
use std::time::Duration;
use strowger::registrar::location::Restored;
use strowger::sim::PhoneEvent;

/// The accounts of every story, with lines added to `[general]` and to the line that is called.
fn conf(general: &str, isp: &str) -> String {
    let text = SIP.replace("[client]", &format!("{general}\n[client]"));
    text.replace("[isp]\ntype=friend", &format!("[isp]\ntype=friend\n{isp}"))
}

#[test]
fn sdpsession_and_sdpowner_are_what_our_own_descriptions_say() {
    let mut world =
        Testbed::ready(&conf("sdpsession=The club\nsdpowner=desk", ""), "[default]\nexten => _X!,1,Answer()\n");
    world.phone("client").dials("1");
    world.until_over();
    let answer = &world.texts("client", &["200 OK", "INVITE"])[0];
    assert!(answer.contains("\ns=The club\r\n") && answer.contains("\no=desk "), "{answer}");
    world.assert_nothing_left();
}

#[test]
fn timert1_and_maxforwards_are_those_of_the_called_line() {
    let mut world = Testbed::ready(&conf("", "timert1=700\nmaxforwards=9"), GUIDE);
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
            Testbed::ready(&conf("", &format!("timerb={timer_b}")), "[default]\nexten => _X!,1,Dial(SIP/isp)\n");
        world.phone("isp").habit(|habits| habits.ignores_everything = true);
        world.phone("client").dials("1");
        world.until(|w| !w.messages("exchange", "isp", &["INVITE sip"]).is_empty());
        let then = world.now;
        world.until(|w| w.has_line("did not answer the call at all"));
        assert_eq!(world.now.since(then).as_secs(), expected);
        world.assert_nothing_left();
    }
}

/// From and the identity header of the INVITE that reaches the called line.
fn shown(general: &str, isp: &str, client: &str) -> (String, String) {
    let text = conf(general, isp).replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{client}"));
    let mut world = Testbed::ready(&text, GUIDE);
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
    let world = Testbed::ready(&conf("callerid=club", "qualify=yes\nfromdomain=a.example\nmaxforwards=8"), GUIDE);
    let asked = &world.texts("isp", &["OPTIONS sip"])[0];
    assert!(asked.contains("From: <sip:club@a.example>;tag=") && asked.contains("Max-Forwards: 8\r\n"), "{asked}");
}

#[test]
fn keepalive_goes_where_the_line_is_while_it_is_there() {
    let mut world = Testbed::ready(&conf("", "keepalive=20"), GUIDE);
    let count = |world: &Testbed| world.texts("isp", &[]).iter().filter(|text| *text == "\r\n").count();
    assert_eq!((count(&world), world.switch.leftovers().timers), (0, 0));
    world.run(Duration::from_secs(61));
    assert_eq!(count(&world), 3);
    assert!(world.texts("client", &[]).iter().all(|text| text != "\r\n"));
    world.phone("isp").registers();
    world.run(Duration::from_secs(20));
    assert_eq!(count(&world), 4, "a refreshed registration is not kept alive twice");
    world.phone("isp").unregisters();
    world.run(Duration::from_secs(100));
    assert_eq!(count(&world), 4);
    world.phone("isp").registers();
    world.run(Duration::from_secs(21));
    assert_eq!(count(&world), 5);
    world.assert_nothing_left();
}

#[test]
fn keepalive_reaches_a_line_with_a_fixed_address_from_the_start() {
    let sip = conf("", "keepalive=yes").replacen(
        "host=dynamic\nsecret=password\ncontext=default\ndirectmedia=no\nnat=no\n[desk]",
        "host=192.0.2.20:5061\nsecret=password\n[desk]",
        1,
    );
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    world.run(Duration::from_secs(130));
    assert_eq!(world.texts("isp", &[]), ["\r\n", "\r\n"]);
}

#[test]
fn qualifygap_keeps_the_first_questions_apart() {
    let fixed = |port| format!("host=192.0.2.20:{port}\nsecret=password\nqualify=yes\n");
    let sip = format!(
        "[general]\nudpbindaddr=192.0.2.1\nqualifygap=700\n[client]\ntype=friend\n{}[isp]\ntype=friend\n{}",
        fixed(5060),
        fixed(5061)
    );
    let mut world = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 1);
    world.run(Duration::from_secs(5));
    let asked = ["client", "isp"].map(|name| world.messages("exchange", name, &["OPTIONS"])[0]);
    assert_eq!(asked[1].since(asked[0]).as_millis(), 700);
}

#[test]
fn regexten_is_in_regcontext_while_the_line_is_registered() {
    let general = "regcontext=lines";
    let plan = "[default]\nexten => _X!,1,Dial(SIP/isp)\nexten => 881,2,NoOp\n[lines]\nexten => 7,1,NoOp\n";
    let mut world = Testbed::ready(&conf(general, "regexten=881&882@lines&7&9@nowhere"), plan);
    let shown = |world: &Testbed| world.switch.config().dialplan.show(Some("lines")).unwrap();
    let has = |world: &Testbed, exten: &str| {
        let at = crate::testbed::at(world.now).wall;
        let found = world.switch.config().dialplan.find("lines", exten, 1, None, at);
        found.map(|found| (found.priority.application.clone(), found.priority.args.clone()))
    };
    let noop = |name: &str| Some(("NoOp".to_owned(), name.to_owned()));
    assert_eq!([has(&world, "881"), has(&world, "882")], [noop("isp"), noop("isp")], "{}", shown(&world));
    // The name of a line without regexten; what the owner wrote stays as it is.
    assert_eq!([has(&world, "client"), has(&world, "7")], [noop("client"), noop("")]);
    assert!(!world.switch.config().dialplan.has_context("nowhere"));
    world.phone("isp").unregisters();
    world.run(Duration::from_secs(1));
    assert_eq!([has(&world, "881"), has(&world, "882"), has(&world, "7")], [None, None, noop("")]);
    world.unplug("client");
    world.run(Duration::from_secs(3700));
    assert_eq!(has(&world, "client"), None);
    assert!(has(&world, "desk").is_some());
}

#[test]
fn regexten_without_regcontext_makes_nothing() {
    let world = Testbed::ready(&conf("", "regexten=881@default"), "[default]\nexten => 1,1,NoOp\n");
    let at = crate::testbed::at(world.now).wall;
    assert!(world.switch.config().dialplan.find("default", "881", 1, None, at).is_none());
}

#[test]
fn a_called_line_beyond_its_call_limit_is_busy() {
    let plan =
        "[default]\nexten => 1,1,Dial(SIP/isp)\nexten => 2,1,Dial(SIP/isp&SIP/isp)\nexten => 88567682,1,Goto(1,1)\n";
    let mut world = Testbed::ready(&conf("", "call-limit=1"), plan);
    world.connect();
    world.phone("desk").dials("1");
    world.until(|w| w.saw("desk", &PhoneEvent::Failed(486)));
    assert!(world.has_line("Call to peer 'isp' rejected due to usage limit of 1"));
    assert_eq!(world.messages("exchange", "isp", &["INVITE sip"]).len(), 1);
    world.phone("client").hangs_up();
    world.until_over();
    world.phone("desk").dials("2");
    world.until(|w| w.is_called("isp"));
    assert_eq!(world.messages("exchange", "isp", &["INVITE sip"]).len(), 2);
    world.phone("desk").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn rtpbindaddr_is_bound_and_media_address_told() {
    let told = |general: &str| {
        let mut world = Testbed::ready(&conf(general, ""), GUIDE);
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        let bound = world.media.streams.values().map(|stream| stream.rtp.ip().to_string()).next().unwrap();
        let invite = world.texts("isp", &["INVITE sip"])[0].clone();
        let told = invite.lines().find_map(|line| line.strip_prefix("c=IN IP4 ")).unwrap().to_owned();
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
        (bound, told)
    };
    let pair = |bound: &str, told: &str| (bound.to_owned(), told.to_owned());
    assert_eq!(told(""), pair("192.0.2.1", "192.0.2.1"));
    assert_eq!(told("rtpbindaddr=192.0.2.9"), pair("192.0.2.9", "192.0.2.9"));
    assert_eq!(told("rtpbindaddr=0.0.0.0"), pair("192.0.2.1", "192.0.2.1"));
    assert_eq!(told("rtpbindaddr=2001:db8::1\nmedia_address=2001:db8::2"), pair("192.0.2.1", "192.0.2.1"));
    assert_eq!(told("media_address=203.0.113.7"), pair("192.0.2.1", "203.0.113.7"));
}

#[test]
fn a_reload_moves_regexten_and_keepalive() {
    let mut world = Testbed::ready(&conf("regcontext=lines", "regexten=881"), GUIDE);
    let has = |world: &Testbed, context: &str, exten: &str| {
        let at = crate::testbed::at(world.now).wall;
        world.switch.config().dialplan.find(context, exten, 1, None, at).is_some()
    };
    assert!(has(&world, "lines", "881") && has(&world, "lines", "desk"));
    world.reload(&conf("regcontext=others", "regexten=882\nkeepalive=10"), GUIDE);
    assert!(has(&world, "others", "882") && has(&world, "others", "desk") && !has(&world, "lines", "881"));
    world.run(Duration::from_secs(11));
    assert_eq!(world.texts("isp", &[]).iter().filter(|text| *text == "\r\n").count(), 1);
    world.reload(&conf("", ""), GUIDE);
    assert!(!has(&world, "others", "882"));
    world.run(Duration::from_secs(60));
    assert_eq!(world.texts("isp", &[]).iter().filter(|text| *text == "\r\n").count(), 1);
    world.assert_nothing_left();
}

#[test]
fn a_trusted_line_says_who_calls_through_it() {
    // No simulated phone sends these headers, so the INVITE's own are what a trunk's would be.
    let from = |trust: &str, header: &str| {
        let text = SIP.replace("[client]\ntype=friend", &format!("[client]\ntype=friend\ncallerid=7\n{trust}"));
        let mut world = Testbed::ready(&text, GUIDE);
        world.add_header("client", header);
        world.phone("client").dials("1");
        world.until(|w| w.is_called("isp"));
        let invite = world.texts("isp", &["INVITE sip"])[0].clone();
        world.phone("client").hangs_up();
        world.until_over();
        let line = invite.lines().find_map(|line| line.strip_prefix("From: ")).unwrap();
        line.split(";tag").next().unwrap().to_owned()
    };
    let pai = "P-Asserted-Identity: \"Club\" <sip:555@192.0.2.20>, <tel:+555>";
    let rpid = "Remote-Party-ID: \"Old\" <sip:444@192.0.2.20>;party=calling";
    assert_eq!(from("", pai), "<sip:7@192.0.2.1>");
    assert_eq!(from("trustrpid=yes", pai), "\"Club\" <sip:555@192.0.2.1>");
    assert_eq!(from("trustrpid=yes", rpid), "\"Old\" <sip:444@192.0.2.1>");
    assert_eq!(from("trustrpid=yes", &format!("{rpid}\r\n{pai}")), "\"Club\" <sip:555@192.0.2.1>");
    assert_eq!(from("trustrpid=yes", "P-Asserted-Identity: <<>"), "<sip:7@192.0.2.1>");
    assert_eq!(from("trustrpid=yes", ""), "<sip:7@192.0.2.1>");
}

#[test]
fn useragent_names_us_in_requests_and_answers_or_nobody() {
    for (general, requests, answers) in
        [("useragent=The club", Some("User-Agent: The club"), Some("Server: The club")), ("useragent=", None, None)]
    {
        let mut world = Testbed::ready(&conf(general, ""), GUIDE);
        world.connect();
        world.phone("client").hangs_up();
        world.until_over();
        let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        for request in ["INVITE", "ACK", "BYE"].map(|kind| world.texts("isp", &[kind, "sip:"])[0].clone()) {
            assert_eq!(line(&request, "User-Agent:").as_deref(), requests, "{request}");
        }
        for answer in ["401", "100", "180", "200"].map(|status| world.texts("client", &[status])[0].clone()) {
            assert_eq!(line(&answer, "Server:").as_deref(), answers, "{answer}");
        }
        world.assert_nothing_left();
    }
}

#[test]
fn a_line_that_is_back_after_a_restart_has_its_extension_and_its_keepalive() {
    let sip = conf("regcontext=lines", "regexten=881\nkeepalive=10");
    let before = Testbed::ready(&sip, GUIDE);
    let mut after = Testbed::new(&sip, GUIDE, crate::network::Quality::PERFECT, 2);
    let binding = before.switch.bindings("isp")[0].clone();
    let stored = Restored { peer: "isp".to_owned(), binding, left: Some(Duration::from_secs(600)) };
    assert_eq!(after.switch.restore(crate::testbed::at(after.now), vec![stored], Vec::new()), 1);
    let at = crate::testbed::at(after.now).wall;
    assert!(after.switch.config().dialplan.find("lines", "881", 1, None, at).is_some());
    after.run(Duration::from_secs(11));
    assert_eq!(after.texts("isp", &[]), ["\r\n"]);
}
