//! A call that is forwarded into the dialplan (302): ended at every moment, with every option of the lines that take part, and
//! what the lines do afterwards.

use crate::network::Quality;
use crate::testbed::{SIP, Testbed, at};
use std::time::Duration;
use strowger::pbx::cdr::Cdr;
use strowger::pbx::effect::StoreOrder;
use strowger::sdp::MediaKind;
use strowger::sim::{Change, DeviceProfile, PhoneEvent};

const OURS: &str = "<sip:201@192.0.2.1>";

const PLAN: &str = "[default]\nexten => 200,1,Dial(SIP/isp,30)\nexten => 299,1,Dial(SIP/isp&SIP/cisco,30)\n\
    exten => 298,1,Dial(SIP/isp&SIP/desk,30)\nexten => 297,1,Dial(SIP/isp,3)\nexten => 296,1,Dial(SIP/isp,5)\nsame => n,Dial(SIP/cisco,20)\n\
    [home]\nexten => 201,1,Dial(SIP/desk,20)\nexten => 202,1,Dial(SIP/desk&SIP/cisco,20)\nexten => 203,1,Dial(SIP/client)\n\
    exten => 204,1,Dial(SIP/desk,1)\nsame => n,Dial(SIP/cisco,20)\nexten => 205,1,Dial(SIP/cisco,20)\n";

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn conf() -> String {
    ["isp", "desk"].iter().fold(SIP.to_owned(), |sip, line| {
        let (before, after) = sip.split_once(&format!("[{line}]")).unwrap();
        format!("{before}[{line}]{}", after.replacen("context=default", "context=home", 1))
    })
}

fn forward(world: &mut Testbed, line: &str, contact: &str) {
    world.add_to(line, "SIP/2.0 302", &format!("Contact: {contact}"));
    world.phone(line).habit(|habits| habits.refuse = Some(302));
}

fn forwards(sip: &str, contact: &str, number: &str) -> Testbed {
    let mut world = Testbed::ready(sip, PLAN);
    forward(&mut world, "isp", contact);
    world.phone("client").dials(number);
    world
}

fn records(world: &Testbed) -> Vec<Cdr> {
    let records = world.kept.iter().filter_map(|order| match order {
        StoreOrder::Call(cdr) => Some((**cdr).clone()),
        _ => None,
    });
    records.collect()
}

fn one_record(world: &Testbed, what: &str) -> Cdr {
    let records = records(world);
    assert_eq!(records.len(), 1, "{what}: {records:?}");
    assert_eq!((records[0].destination.len(), records[0].context.as_str()), (3, "default"), "{what}");
    assert!(records[0].channel.starts_with("SIP/client-"), "{what}");
    records[0].clone()
}

#[test]
fn whoever_ends_it_at_whatever_moment_leaves_one_record_and_nothing_else() {
    for number in ["200", "299"] {
        for who in ["client", "desk", "console", "desk busy"] {
            for moment in (25..160).step_by(15) {
                for answer in [None, Some(45), Some(60), Some(75), Some(100)] {
                    let mut world = Testbed::ready(&conf(), PLAN);
                    forward(&mut world, "isp", OURS);
                    let what = format!("{number} {who} {moment} {answer:?}");
                    world.phone("client").dials(number);
                    let begin = world.now;
                    let mut acts = vec![(moment, who)];
                    acts.extend(answer.map(|at| (at, "answer")));
                    acts.sort();
                    for (when, act) in acts {
                        let wait = (begin + ms(when)).since(world.now);
                        world.run(wait);
                        match act {
                            "client" => world.phone("client").hangs_up(),
                            "desk" => world.phone("desk").hangs_up(),
                            "desk busy" => world.phone("desk").refuses(486),
                            "answer" => world.phone("desk").answers(),
                            _ => {
                                if let Some(name) = world.channels().last().cloned() {
                                    let (_, effects) = world.switch.hang_up(at(world.now), &name);
                                    world.execute(effects);
                                }
                            }
                        }
                    }
                    world.run(Duration::from_secs(1));
                    world.phone("client").hangs_up();
                    world.until_over();
                    assert!(world.settles(), "{what} {:?} {:?}", world.switch.leftovers(), world.channels());
                    let records = records(&world);
                    assert_eq!(records.len(), 1, "{what}: {records:?}");
                    let record = &records[0];
                    assert_eq!(record.destination, number, "{what}");
                    let has_answered = world.saw("client", &PhoneEvent::Answered);
                    if has_answered {
                        assert_eq!(record.disposition.name(), "ANSWERED", "{what} {record:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_same_when_the_dialplan_answers_plays_and_calls_by_itself() {
    let plan = format!(
        "{PLAN}[home]\nexten => 230,1,Ringing()\nsame => n,Wait(1)\nsame => n,Answer()\n\
        same => n,Playback(beep)\nsame => n,Dial(SIP/desk,2)\nsame => n,Dial(SIP/cisco,2,g)\nsame => n,Echo()\n\
        exten => h,1,NoOp(${{DIALSTATUS}})\n[default]\nexten => h,1,NoOp(${{DIALSTATUS}})\n"
    );
    for number in ["200"] {
        for who in ["client", "isp", "desk", "cisco", "half1", "half2"] {
            for moment in (100..6000).step_by(610) {
                for answers in [None, Some("desk"), Some("cisco")] {
                    let what = format!("{number} {who} {moment} {answers:?}");
                    let mut world = Testbed::ready(&conf(), &plan);
                    forward(&mut world, "isp", "<sip:230@192.0.2.1>");
                    if let Some(line) = answers {
                        world.phone(line).habit(|habits| habits.auto_answer_after = Some(ms(900)));
                    }
                    world.phone("client").dials(number);
                    world.run(ms(moment));
                    match who {
                        "half1" | "half2" => {
                            let end = if who == "half1" { ";1" } else { ";2" };
                            if let Some(name) = world.channels().into_iter().find(|name| name.ends_with(end)) {
                                let (_, effects) = world.switch.hang_up(at(world.now), &name);
                                world.execute(effects);
                            }
                        }
                        who => world.phone(who).hangs_up(),
                    }
                    world.run(Duration::from_secs(12));
                    let talking = ["desk", "cisco"].iter().filter(|line| world.is_talking(line)).count();
                    assert!(talking <= 1, "{what}");
                    if talking == 1 {
                        let line = if world.is_talking("desk") { "desk" } else { "cisco" };
                        assert!(world.is_talking("client"), "{what}");
                        world.assert_connected("client", line, true);
                    }
                    world.phone("client").hangs_up();
                    world.until_over();
                    assert!(world.settles(), "{what} {:?} {:?}", world.switch.leftovers(), world.channels());
                    let records = records(&world);
                    assert_eq!(records.len(), 1, "{what}: {records:?}");
                    let answered = world.saw("client", &PhoneEvent::Answered);
                    assert_eq!(records[0].disposition.name() == "ANSWERED", answered, "{what} {:?}", records[0]);
                }
            }
        }
    }
}

#[test]
fn media_goes_past_the_exchange_as_on_a_call_that_was_dialled() {
    let sip = conf().replace("directmedia=no", "directmedia=yes");
    let mut world = forwards(&sip, OURS, "200");
    world.until(|w| w.is_called("desk"));
    world.run(ms(300));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("desk"));
    world.assert_agreed("client", "desk", false);
    world.phone("desk").reoffers(Change::Hold);
    world.run(Duration::from_secs(2));
    world.phone("desk").reoffers(Change::Resume);
    world.run(Duration::from_secs(2));
    world.assert_connected("client", "desk", false);
    world.phone("client").presses('5');
    world.run(Duration::from_secs(1));
    assert_eq!(world.texts("desk", &["INFO sip:"]).len(), 1);
    world.phone("desk").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// The extension, or one of the lines, is not there any more.
#[test]
fn a_reload_in_between_leaves_the_call_alone() {
    for (what, sip, plan) in [
        ("no plan", conf(), "[default]\nexten => 1,1,NoOp()\n".to_owned()),
        ("no isp", conf().replace("[isp]", "[other]"), PLAN.to_owned()),
        ("no desk", conf().replace("[desk]", "[other]"), PLAN.to_owned()),
        ("no client", conf().replace("[client]", "[other]"), PLAN.to_owned()),
    ] {
        for moment in [35, 45, 300, 2000] {
            let mut world = forwards(&conf(), OURS, "200");
            world.run(ms(moment));
            world.reload(&sip, &plan);
            world.run(ms(500));
            if world.is_called("desk") {
                world.phone("desk").answers();
                world.run(Duration::from_secs(1));
                assert!(world.is_talking("client"), "{what} {moment}");
                world.assert_connected("client", "desk", true);
                world.phone("desk").hangs_up();
            } else {
                world.run(Duration::from_secs(40));
                assert!(!world.look("client").has_call(), "{what} {moment}");
            }
            world.until_over();
            assert!(world.settles(), "{what} {moment}");
            assert_eq!(records(&world).len(), 1, "{what} {moment}");
        }
    }
}

#[test]
fn forks_before_and_behind_the_forward() {
    // A busy forward: the other rings on.
    let mut world = Testbed::ready(&conf(), PLAN);
    forward(&mut world, "isp", OURS);
    world.phone("desk").habit(|habits| habits.refuse = Some(486));
    world.phone("client").dials("299");
    world.run(Duration::from_secs(3));
    assert!(world.is_called("cisco") && world.look("client").has_call());
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("client"));
    world.assert_agreed("client", "cisco", true);
    world.phone("cisco").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    one_record(&world, "busy forward");
    // Both forward to the same.
    let mut world = Testbed::ready(&conf(), PLAN);
    forward(&mut world, "isp", "<sip:205@192.0.2.1>");
    forward(&mut world, "desk", "<sip:205@192.0.2.1>");
    world.phone("client").dials("298");
    world.run(Duration::from_secs(3));
    assert!(world.is_called("cisco"));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("client"));
    world.assert_agreed("client", "cisco", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    one_record(&world, "same");
    // Several extensions in one answer.
    let mut world = forwards(&conf(), "<sip:201@192.0.2.1>, <sip:205@192.0.2.1>", "200");
    world.until(|w| w.is_called("desk") && w.is_called("cisco"));
    world.run(ms(300));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("client"));
    world.assert_agreed("client", "cisco", true);
    assert!(!world.look("desk").has_call());
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    one_record(&world, "several");
    // An extension that rings two, one after the other.
    for (exten, winner) in [("202", "desk"), ("202", "cisco"), ("204", "cisco")] {
        let mut world = forwards(&conf(), &format!("<sip:{exten}@192.0.2.1>"), "200");
        world.until(|w| w.is_called(winner));
        world.run(ms(300));
        world.phone(winner).answers();
        world.until(|w| w.is_talking("client"));
        world.assert_agreed("client", winner, true);
        world.phone(winner).hangs_up();
        world.until_over();
        world.assert_nothing_left();
        one_record(&world, exten);
    }
}

#[test]
fn it_leads_back_to_the_caller() {
    let sip = conf();
    let mut world = Testbed::ready(&sip, PLAN);
    forward(&mut world, "isp", "<sip:203@192.0.2.1>");
    world.phone("client").dials("200");
    world.run(Duration::from_secs(5));
    assert!(!world.look("client").has_call(), "it is busy with this call");
    world.assert_nothing_left();
    assert_eq!(one_record(&world, "back").disposition.name(), "BUSY");
}

#[test]
fn the_time_of_the_first_dial_ends_it_and_names_the_line_that_rang() {
    let mut world = forwards(&conf(), OURS, "297");
    world.until(|w| w.is_called("desk"));
    world.until_over();
    world.assert_nothing_left();
    let record = one_record(&world, "outer time");
    assert_eq!(record.disposition.name(), "NO ANSWER");
    assert_eq!(record.reason, "nobody picked up 'desk' within 3 s");
    let mut world = forwards(&conf(), OURS, "296");
    world.until(|w| w.is_called("desk"));
    world.until(|w| w.is_called("cisco"));
    world.run(ms(100));
    assert!(!world.look("desk").has_call());
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("client"));
    world.assert_agreed("client", "cisco", true);
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    one_record(&world, "then on");
}

#[test]
fn one_of_two_telephones_of_a_line_forwards() {
    let sip = conf().replace("[isp]\n", "[isp]\nmax_contacts=2\n");
    for winner in ["desk", "second"] {
        let mut world = Testbed::ready(&sip, PLAN);
        world.add_with_account(
            "second",
            "isp",
            "password",
            ("192.0.2.50:5060", "192.0.2.50:5004"),
            DeviceProfile::Grandstream,
        );
        world.phone("second").registers();
        world.until(|w| w.look("second").is_registered());
        forward(&mut world, "isp", OURS);
        world.phone("client").dials("200");
        world.until(|w| w.is_called("desk") && w.is_called("second"));
        world.run(ms(300));
        world.phone(winner).answers();
        world.until(|w| w.is_talking("client"));
        world.assert_agreed("client", winner, true);
        world.phone(winner).hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn it_is_heard_first_and_forwards_then() {
    for sounds in [false, true] {
        let mut world = Testbed::ready(&conf(), PLAN);
        world.phone("client").dials("200");
        world.until(|w| w.is_called("isp"));
        world.phone("isp").sounds();
        world.run(ms(100));
        if sounds {
            world.is_heard("isp");
            world.run(ms(100));
        }
        world.add_to("isp", "SIP/2.0 302", "Contact: <sip:201@192.0.2.1>");
        world.phone("isp").refuses(302);
        world.until(|w| w.is_called("desk"));
        world.run(ms(200));
        world.phone("desk").answers();
        world.until(|w| w.is_talking("client"));
        world.assert_agreed("client", "desk", true);
        world.phone("desk").hangs_up();
        world.until_over();
        world.assert_nothing_left();
        one_record(&world, "early");
    }
}

#[test]
fn afterwards_it_is_held_refreshed_moved_and_sends_fax() {
    for change in [Change::Hold, Change::Refresh, Change::NoSdp, Change::MovePort(20_000), Change::T38] {
        for who in ["client", "desk"] {
            let sip = conf().replacen("[general]\n", "[general]\nt38pt_udptl=yes\n", 1);
            let mut world = Testbed::ready(&sip, PLAN);
            for line in ["client", "desk"] {
                world.phone(line).habit(|habits| habits.secondary_media = vec![MediaKind::Image]);
            }
            forward(&mut world, "isp", OURS);
            world.phone("client").dials("200");
            world.until(|w| w.is_called("desk"));
            world.phone("desk").answers();
            world.until(|w| w.is_talking("client") && w.is_talking("desk"));
            world.run(Duration::from_secs(1));
            world.phone(who).reoffers(change);
            world.run(Duration::from_secs(3));
            assert!(world.saw(who, &PhoneEvent::RenegotiationAccepted), "{change:?} {who}");
            if change == Change::T38 {
                world.assert_shares("client", "desk", MediaKind::Image);
            }
            world.phone("desk").hangs_up();
            world.until_over();
            assert!(world.settles());
        }
    }
}

#[test]
fn info_passes_while_it_rings() {
    for (from, to) in [("client", "desk"), ("desk", "client")] {
        let mut world = forwards(&conf(), OURS, "200");
        world.until(|w| w.is_called("desk") && w.saw("client", &PhoneEvent::Ringing));
        world.run(Duration::from_secs(1));
        let texts = if from == "client" { world.texts(from, &["180"]) } else { world.sent_by(from, &["180"]) };
        let header = |name: &str| texts[0].lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let (own, other) = if from == "client" { ("From: ", "To: ") } else { ("To: ", "From: ") };
        let place = world.look(from).config().sip;
        let request = format!(
            "INFO sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {place};branch=z9hG4bK-early\r\nFrom: {}\r\nTo: {}\r\n\
             Call-ID: {}\r\nCSeq: 103 INFO\r\nMax-Forwards: 70\r\nContent-Type: application/dtmf\r\nContent-Length: 1\r\n\r\n5",
            header(own),
            header(other),
            header("Call-ID: ")
        );
        world.inject(from, &request);
        world.run(Duration::from_secs(1));
        assert_eq!(world.texts(to, &["INFO sip:"]).len(), 1, "{from}");
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// The line is behind an address translator that gives it another port.
#[test]
fn the_line_it_leads_to_moves() {
    const FIRST: &str = "198.51.100.3:1024";
    const SECOND: &str = "198.51.100.3:1999";
    for (what, sip) in [
        ("relay", conf().replace("nat=no", "nat=force_rport,comedia")),
        ("direct", conf().replace("nat=no", "nat=force_rport,comedia").replace("directmedia=no", "directmedia=yes")),
        (
            "contacts",
            conf().replace("nat=no", "nat=force_rport,comedia").replace("[desk]\n", "[desk]\nmax_contacts=3\n"),
        ),
    ] {
        for moment in ["ringing", "talking", "held"] {
            let mut world = Testbed::new(&sip, PLAN, Quality::PERFECT, 1);
            world.remap("desk", FIRST);
            world.register_all();
            forward(&mut world, "isp", OURS);
            world.phone("client").dials("200");
            world.until(|w| w.is_called("desk"));
            world.run(ms(300));
            if moment != "ringing" {
                world.phone("desk").answers();
                world.until(|w| w.is_talking("client") && w.is_talking("desk"));
                world.run(Duration::from_secs(1));
            }
            if moment == "held" {
                world.phone("client").reoffers(Change::Hold);
                world.run(Duration::from_secs(1));
            }
            world.remap("desk", SECOND);
            world.phone("desk").registers();
            world.run(Duration::from_secs(1));
            if moment == "ringing" {
                world.phone("desk").answers();
                world.run(Duration::from_secs(1));
                assert!(world.is_talking("client") && world.is_talking("desk"), "{what} {moment}");
            }
            if moment == "held" {
                world.phone("client").reoffers(Change::Resume);
                world.run(Duration::from_secs(1));
                assert_eq!(world.count("client", &PhoneEvent::RenegotiationAccepted), 2, "{what}");
            }
            world.phone("client").hangs_up();
            world.until_over();
            assert!(!world.texts_at(SECOND, &["BYE"]).is_empty(), "{what} {moment}");
            assert!(world.settles(), "{what} {moment}");
        }
    }
}

/// Contacts in every spelling.
#[test]
fn contacts_as_they_come() {
    for (contact, goes) in [
        ("", false),
        ("Contact: *", false),
        ("Contact: <sip:201@192.0.2.1", false),
        ("Contact: sip:201@192.0.2.1", true),
        ("Contact: sip:201@192.0.2.1;q=0.5", true),
        ("Contact: \"Desk, the\" <sip:201@192.0.2.1>;expires=60", true),
        ("Contact: <sip:201@192.0.2.1?Replaces=x%3Bto-tag%3Dy&Subject=z>", true),
        ("Contact: <sip:201;phone-context=home@192.0.2.1;user=phone>", true),
        ("Contact: <SIP:201@192.0.2.1>", true),
        ("Contact: <sip:%32%30%31@192.0.2.1>", true),
        ("Contact: <sip:201@192.0.2.1;transport=udp>", true),
        ("Contact: <sip:201@192.0.2.1;transport=tcp>", true),
        ("Contact: <sips:201@192.0.2.1>", true),
        ("Contact: ,", false),
        ("m: <sip:201@192.0.2.1>", true),
        ("Contact: <sip:nobody@203.0.113.9>, <sip:201@192.0.2.1>", true),
        ("Contact: <tel:201;phone-context=home.example>", true),
        ("Contact: <TEL:2-0-1>", true),
    ] {
        let mut world = Testbed::ready(&conf(), PLAN);
        world.add_to("isp", "SIP/2.0 302", contact);
        world.phone("isp").habit(|habits| habits.refuse = Some(302));
        world.phone("client").dials("200");
        world.run(Duration::from_secs(1));
        assert_eq!(world.is_called("desk"), goes, "{contact}");
        if goes {
            let uri = world.texts("desk", &["INVITE"])[0].lines().next().unwrap().to_owned();
            assert!(uri.starts_with("INVITE sip:desk@192.0.2.30:5060"), "{uri}");
            world.phone("client").hangs_up();
        }
        world.until_over();
        assert!(world.settles(), "{contact}");
    }
}

#[test]
fn it_leads_to_a_line_that_has_its_call_and_a_guest_is_forwarded() {
    // The forward leads to a line that has its call.
    let sip = conf().replace("[desk]\n", "[desk]\ncall-limit=1\n");
    let plan = format!("{PLAN}[default]\nexten => 290,1,Dial(SIP/desk)\n");
    let mut world = Testbed::ready(&sip, &plan);
    world.phone("cisco").dials("290");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("cisco"));
    forward(&mut world, "isp", OURS);
    world.phone("client").dials("200");
    world.run(Duration::from_secs(2));
    assert!(!world.look("client").has_call());
    assert!(world.is_talking("cisco"));
    world.phone("cisco").hangs_up();
    world.until_over();
    world.assert_nothing_left();
    // A guest calls.
    let sip = conf().replacen("[general]\n", "[general]\nallowguest=yes\n", 1);
    let mut world = Testbed::ready(&sip, PLAN);
    world.add("stranger", "", "203.0.113.5:41000", "203.0.113.5:5004", DeviceProfile::Grandstream);
    forward(&mut world, "isp", OURS);
    for _ in 0..3 {
        world.phone("stranger").dials("200");
        world.until(|w| w.is_called("desk"));
        world.run(ms(200));
        world.phone("desk").answers();
        world.until(|w| w.is_talking("stranger"));
        world.assert_agreed("stranger", "desk", true);
        world.phone("desk").hangs_up();
        world.until_over();
        assert!(world.settles());
    }
}

#[test]
fn lines_that_vanish_end_it() {
    let qualified = conf().replace("nat=no", "nat=no\nqualify=yes");
    let plan = format!(
        "{PLAN}[home]\nexten => 220,1,Answer()\nsame => n,Echo()\nexten => 221,1,Dial(SIP/desk)\n\
        exten => 222,1,Answer()\nsame => n,Dial(SIP/desk)\n[default]\nexten => 295,1,Dial(SIP/isp)\n"
    );
    for (exten, answers) in [("220", false), ("221", false), ("222", false), ("221", true), ("222", true)] {
        let mut world = Testbed::ready(&qualified, &plan);
        forward(&mut world, "isp", &format!("<sip:{exten}@192.0.2.1>"));
        world.phone("client").dials("295");
        world.run(Duration::from_secs(5));
        if answers {
            world.phone("desk").answers();
            world.run(Duration::from_secs(5));
            assert!(world.is_talking("client") && world.is_talking("desk"));
        }
        world.unplug("client");
        world.unplug("desk");
        let then = world.now;
        world.run(Duration::from_secs(140));
        assert!(world.channels().is_empty(), "{exten} {answers} {:?} {:?}", world.channels(), then);
        assert_eq!(records(&world).len(), 1);
    }
}

#[test]
fn rtptimeout_ends_it() {
    let sip = conf().replace("[client]\n", "[client]\nrtptimeout=20\nline=voice\n");
    let plan = format!(
        "{PLAN}[home]\nexten => 220,1,Answer()\nsame => n,Echo()\nexten => 221,1,Dial(SIP/desk)\n\
        [default]\nexten => 295,1,Dial(SIP/isp)\n"
    );
    for exten in ["220", "221"] {
        let mut world = Testbed::ready(&sip, &plan);
        forward(&mut world, "isp", &format!("<sip:{exten}@192.0.2.1>"));
        world.phone("client").dials("295");
        world.run(Duration::from_secs(1));
        if exten == "221" {
            world.phone("desk").answers();
        }
        world.until(|w| w.is_talking("client"));
        world.run(Duration::from_secs(2));
        world.sends_sound("client", false);
        world.run(Duration::from_secs(60));
        assert!(!world.look("client").has_call(), "{exten}");
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn a_line_that_moves_its_port_is_absorbed_behind_a_forward_too() {
    for who in ["client", "isp"] {
        for forwarded in [false, true] {
            let other = if who == "client" { "isp" } else { "client" };
            let mut world = Testbed::ready(SIP, "[default]\nexten => 2,1,Dial(SIP/isp)\nexten => 1,1,Dial(SIP/desk)\n");
            if forwarded {
                forward(&mut world, "desk", "<sip:2@192.0.2.1>");
            }
            world.phone("client").dials(if forwarded { "1" } else { "2" });
            world.until(|w| w.is_called("isp"));
            world.run(ms(300));
            world.phone("isp").answers();
            world.until(|w| w.is_talking("client"));
            world.run(Duration::from_secs(1));
            world.phone(other).habit(|habits| habits.refuse_reinvite = Some(488));
            world.phone(who).reoffers(Change::MovePort(20_000));
            world.run(Duration::from_secs(2));
            assert!(world.saw(who, &PhoneEvent::RenegotiationAccepted), "{who} {forwarded}");
            world.assert_connected("client", "isp", true);
            world.phone(who).updates(Some(Change::MovePort(20_100)));
            world.run(Duration::from_secs(2));
            assert_eq!(world.count(who, &PhoneEvent::RenegotiationAccepted), 2, "{who} {forwarded}");
            world.assert_connected("client", "isp", true);
            world.phone(other).hangs_up();
            world.until_over();
            world.assert_nothing_left();
        }
    }
}
