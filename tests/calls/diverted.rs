//! Calls that were forwarded: who did so (Diversion, RFC 5806), as the dialplan sees it and as the next line is told; and
//! what marks a number for a provider.

use crate::forwarding::forward;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;

/// The accounts, with `isp` as a provider at its fixed address.
fn with_trunk(lines: &str) -> String {
    let trunk = format!("[isp]\ntype=peer\nhost=192.0.2.20:5061\ninsecure=port,invite\n{lines}");
    SIP.replace("[isp]\ntype=friend\nhost=dynamic\nsecret=password", &trunk)
}

fn ready(sip: &str, plan: &str) -> Testbed {
    let mut world = Testbed::new(sip, plan, crate::network::Quality::PERFECT, 1);
    for name in ["client", "desk", "cisco"] {
        world.phone(name).registers();
    }
    world.until(|w| ["client", "desk", "cisco"].iter().all(|name| w.look(name).is_registered()));
    world
}

/// The header lines of the latest INVITE to a phone that begin so.
fn lines_of(world: &Testbed, phone: &str, start: &str) -> Vec<String> {
    let invite = world.texts(phone, &["INVITE sip"]).pop().unwrap();
    invite.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}

fn ends(mut world: Testbed, caller: &str) {
    world.phone(caller).hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_call_that_a_telephone_forwards_to_a_number_outside_says_by_whom() {
    let plan = "[default]\nexten => 200,1,Dial(SIP/desk)\nexten => _0X.,1,NoOp(${REDIRECTING(reason)} ${REDIRECTING(count)} \
                ${REDIRECTING(orig-num)})\nsame => n,Dial(SIP/${EXTEN:1}@isp)\n";
    for (more, told) in [
        ("", vec!["Diversion: <sip:200@192.0.2.1>;reason=unconditional;privacy=off;counter=1"]),
        (
            "fromdomain=sip.example\n",
            vec!["Diversion: <sip:200@sip.example>;reason=unconditional;privacy=off;counter=1"],
        ),
    ] {
        let mut world = ready(&with_trunk(more), plan);
        forward(&mut world, "desk", 302, "sip:00301234@192.0.2.1");
        world.phone("client").dials("200");
        world.until(|w| w.is_called("isp"));
        assert_eq!(lines_of(&world, "isp", "Diversion"), told);
        assert!(world.has_line("cfu 1 200"), "{:?}", world.lines);
        ends(world, "client");
    }
    let quiet = with_trunk("").replace("[general]\n", "[general]\nsend_diversion=no\n");
    let mut world = ready(&quiet, plan);
    forward(&mut world, "desk", 302, "sip:00301234@192.0.2.1");
    world.phone("client").dials("200");
    world.until(|w| w.is_called("isp"));
    assert_eq!(lines_of(&world, "isp", "Diversion"), [""; 0]);
    ends(world, "client");
}

#[test]
fn the_dialplan_sets_who_forwarded_the_call() {
    let plan = "[default]\nexten => 1,1,Set(CALLERID(rdnis)=4711)\nsame => n,Set(REDIRECTING(reason)=cfb)\n\
                same => n,Set(REDIRECTING(count)=3)\nsame => n,Set(REDIRECTING(orig-num)=200)\nsame => n,Dial(SIP/49@isp)\n\
                exten => 2,1,Set(CALLERID(rdnis)=4711)\nsame => n,SIPAddHeader(Diversion: <sip:1@own>)\nsame => n,Dial(SIP/49@isp)\n";
    let mut world = ready(&with_trunk(""), plan);
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    assert_eq!(
        lines_of(&world, "isp", "Diversion"),
        [
            "Diversion: <sip:4711@192.0.2.1>;reason=user-busy;privacy=off;counter=2",
            "Diversion: <sip:200@192.0.2.1>;reason=unknown;privacy=off;counter=1"
        ]
    );
    world.phone("client").hangs_up();
    world.until_over();
    // The owner's own line is enough.
    world.phone("client").dials("2");
    world.until(|w| w.is_called("isp"));
    assert_eq!(lines_of(&world, "isp", "Diversion"), ["Diversion: <sip:1@own>"]);
    ends(world, "client");
}

#[test]
fn what_a_provider_says_of_forwarding_is_seen_and_passed_on() {
    let plan = "[default]\nexten => _X!,1,NoOp(by ${CALLERID(rdnis)} ${REDIRECTING(reason)} ${REDIRECTING(count)})\n\
                same => n,Dial(SIP/desk)\n";
    let mut world = ready(&with_trunk(""), plan);
    world.add_header("isp", "Diversion: <sip:+4930123@sip.example>;reason=no-answer;counter=2");
    world.phone("isp").dials("200");
    world.until(|w| w.is_called("desk"));
    assert!(world.has_line("by +4930123 cfnr 2"), "{:?}", world.lines);
    assert_eq!(
        lines_of(&world, "desk", "Diversion"),
        ["Diversion: <sip:+4930123@192.0.2.1>;reason=no-answer;privacy=off;counter=2"]
    );
    ends(world, "isp");
    // A line of the house cannot name another as the one that forwarded.
    let mut world = ready(&with_trunk(""), plan);
    world.add_header("client", "Diversion: <sip:0900@sip.example>;reason=no-answer");
    world.phone("client").dials("200");
    world.until(|w| w.is_called("desk"));
    assert_eq!(
        lines_of(&world, "desk", "Diversion"),
        ["Diversion: <sip:client@192.0.2.1>;reason=no-answer;privacy=off;counter=1"]
    );
    ends(world, "client");
}

/// Two exchanges whose telephones forward to each other: each hears how often it was done before.
#[test]
fn a_call_that_was_forwarded_too_often_elsewhere_is_forwarded_no_more() {
    let plan = "[default]\nexten => 200,1,Dial(SIP/desk)\nsame => n,NoOp(is ${DIALSTATUS})\nexten => _0X.,1,Dial(SIP/${EXTEN:1}@isp)\n";
    for (counter, follows) in [(4, true), (5, false), (4_000_000_000_u32, false)] {
        let mut world = ready(&with_trunk(""), plan);
        world.add_header("cisco", &format!("Diversion: <sip:1@b>;counter={counter}"));
        forward(&mut world, "desk", 302, "sip:00301234@192.0.2.1");
        world.phone("cisco").dials("200");
        world.until(|w| w.is_called("isp") || !w.look("cisco").has_call());
        assert_eq!(world.is_called("isp"), follows, "{counter}");
        if follows {
            ends(world, "cisco");
        } else {
            assert!(world.has_line("or once too often") && world.has_line("is CHANUNAVAIL"), "{:?}", world.lines);
            world.assert_nothing_left();
        }
    }
}

#[test]
fn usereqphone_marks_numbers_and_nothing_else() {
    let sip = with_trunk("usereqphone=yes\nfromuser=4711\n");
    let mut world = ready(&sip, "[default]\nexten => _X.,1,Dial(SIP/${EXTEN}@isp)\nexten => 1,1,Dial(SIP/isp)\n");
    world.phone("client").dials("0301234");
    world.until(|w| w.is_called("isp"));
    let invite = world.texts("isp", &["INVITE sip"]).pop().unwrap();
    assert!(invite.starts_with("INVITE sip:0301234@192.0.2.20:5061;user=phone SIP/2.0\r\n"), "{invite}");
    assert_eq!(lines_of(&world, "isp", "To: "), ["To: <sip:0301234@192.0.2.20:5061;user=phone>"]);
    assert!(lines_of(&world, "isp", "From: ")[0].starts_with("From: <sip:4711@192.0.2.1;user=phone>;tag="), "{invite}");
    world.phone("client").hangs_up();
    world.until_over();
    world.run(Duration::from_secs(1));
    world.phone("client").dials("1");
    world.until(|w| w.is_called("isp"));
    assert!(world.texts("isp", &["INVITE sip"]).pop().unwrap().starts_with("INVITE sip:isp@192.0.2.20:5061 SIP/2.0"));
    ends(world, "client");
}

#[test]
fn general_presets_fromdomain_and_a_peer_takes_it_back() {
    for (lines, from) in [
        ("", "From: <sip:client@home.example>"),
        ("fromdomain=sip.example\n", "From: <sip:client@sip.example>"),
        ("fromdomain=\n", "From: <sip:client@192.0.2.1>"),
    ] {
        let sip = with_trunk(lines).replace("[general]\n", "[general]\nfromdomain=home.example\n");
        let mut world = ready(&sip, "[default]\nexten => _X.,1,Dial(SIP/${EXTEN}@isp)\n");
        world.phone("client").dials("0301234");
        world.until(|w| w.is_called("isp"));
        assert!(lines_of(&world, "isp", "From: ")[0].starts_with(from), "{lines}");
        ends(world, "client");
    }
}
