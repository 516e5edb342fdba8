//! A telephone sends its calls elsewhere (302): to an extension of ours, where the dialplan goes on.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::time::Duration;
use strowger::pbx::effect::StoreOrder;
use strowger::sdp::MediaKind;
use strowger::sim::PhoneEvent;

const TICK: Duration = Duration::from_millis(50);
/// What the forwarding line may dial is in a context of its own.
const PLAN: &str = "[default]\nexten => 200,1,Dial(SIP/isp,30)\nexten => 299,1,Dial(SIP/isp&SIP/cisco,30)\n\
    [home]\nexten => 201,1,Dial(SIP/desk,20)\nexten => 202,1,Busy()\nexten => 203,1,Congestion()\n\
    exten => 204,1,Dial(SIP/nobody)\nexten => 205,1,Hangup(21)\nexten => 206,1,Dial(SIP/desk,2)\n\
    exten => 207,1,Answer()\nsame => n,Wait(2)\nsame => n,Dial(SIP/desk,20)\n\
    exten => 208,1,Answer()\nsame => n,Playback(beep)\nsame => n,Echo()\n\
    exten => 209,1,Dial(SIP/isp)\nexten => 210,1,Dial(SIP/cisco,20)\nexten => 211,1,Ringing()\nsame => n,Wait(60)\n\
    exten => 212,1,Dial(SIP/desk&SIP/cisco,20)\nexten => 213,1,Playback(beep,noanswer)\nsame => n,Dial(SIP/desk,20)\n\
    exten => 214,1,Dial(SIP/desk,3)\nsame => n,Dial(SIP/cisco,20)\n\
    exten => 215,1,Playback(beep,noanswer)\nsame => n,Wait(60)\n\
    exten => _555XXXX,1,Dial(SIP/desk,20)\nexten => h,1,NoOp(over ${DIALSTATUS})\n";

fn conf() -> String {
    ["isp", "desk"].iter().fold(SIP.to_owned(), |sip, line| {
        let (before, after) = sip.split_once(&format!("[{line}]")).unwrap();
        format!("{before}[{line}]{}", after.replacen("context=default", "context=home", 1))
    })
}

/// The line `isp` forwards with this answer.
fn forwards(status: u16, contact: &str, number: &str) -> Testbed {
    let mut world = Testbed::ready(&conf(), PLAN);
    forward(&mut world, "isp", status, contact);
    world.phone("client").dials(number);
    world
}

pub fn forward(world: &mut Testbed, line: &str, status: u16, contact: &str) {
    let start: &'static str = match status {
        300 => "SIP/2.0 300",
        301 => "SIP/2.0 301",
        _ => "SIP/2.0 302",
    };
    world.add_to(line, start, &format!("Contact: {contact}"));
    world.phone(line).habit(|habits| habits.refuse = Some(status));
}

fn failed(world: &Testbed) -> Option<u16> {
    world.stations["client"].events.iter().find_map(|(_, event)| match event {
        PhoneEvent::Failed(status) => Some(*status),
        _ => None,
    })
}

/// One relay between the two telephones, and nothing of the pair that led there.
fn assert_through(world: &Testbed, to: &str) {
    world.assert_connected("client", to, true);
    assert_eq!(world.channels().len(), 2, "{:?}", world.channels());
    assert!(world.channels().iter().all(|name| name.starts_with("SIP/")), "{:?}", world.channels());
}

#[test]
fn a_forwarded_call_goes_on_at_the_extension_in_the_context_of_the_line() {
    for (status, contact) in [
        (302, "<sip:201@192.0.2.1>"),
        (302, "<sip:201@192.0.2.1:5060>"),
        (301, "<sip:201@192.0.2.1;user=phone>"),
        (300, "<sip:999@192.0.2.1>;q=0.1, <sip:201@192.0.2.1>;q=0.9"),
        (302, "<sip:201@pbx.home.example>"),
        (302, "<tel:201>"),
        (302, "<tel:555-1234>"),
    ] {
        let mut world = forwards(status, contact, "200");
        world.until(|w| w.is_called("desk"));
        world.run(TICK);
        assert!(world.saw("client", &PhoneEvent::Ringing), "{contact}");
        assert_eq!(world.channels().iter().filter(|name| name.starts_with("Local/")).count(), 2);
        assert_eq!(world.switch.counts().1, 1, "one call");
        assert!(world.has_line("redirected the call to Local/"), "{contact}");
        let shown = world.texts("desk", &["INVITE sip:"]).remove(0);
        assert!(shown.contains("From: <sip:client@"), "who calls is shown to the last: {shown}");
        world.phone("desk").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("desk"));
        world.run(TICK);
        assert_through(&world, "desk");
        assert!(world.has_line("over ANSWER"), "the dialplan on the way ends as after an answer");
        world.run(Duration::from_secs(5));
        world.phone("desk").hangs_up();
        world.until_over();
        world.assert_nothing_left();
        let records = world.kept.iter().filter_map(|order| match order {
            StoreOrder::Call(cdr) => Some((**cdr).clone()),
            _ => None,
        });
        let records: Vec<_> = records.collect();
        assert_eq!(records.len(), 1, "one call");
        assert_eq!(records[0].disposition.name(), "ANSWERED");
    }
}

stories! {
    a_call_is_forwarded_answered_and_ended(conf(), PLAN);
    a_call_is_forwarded_twice_and_given_up(conf(), PLAN);
    both_hang_up_while_it_is_answered(conf(), PLAN);
}

fn a_call_is_forwarded_answered_and_ended(world: &mut Testbed) {
    forward(world, "isp", 302, "<sip:201@192.0.2.1>");
    world.phone("client").dials("200");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("desk"));
    world.assert_agreed("client", "desk", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_call_is_forwarded_twice_and_given_up(world: &mut Testbed) {
    forward(world, "isp", 302, "<sip:201@192.0.2.1>");
    forward(world, "desk", 302, "<sip:210@192.0.2.1>");
    world.phone("client").dials("200");
    world.until(|w| w.is_called("cisco"));
    world.run(Duration::from_millis(300));
    world.phone("client").hangs_up();
    world.until_over();
}

fn both_hang_up_while_it_is_answered(world: &mut Testbed) {
    forward(world, "isp", 302, "<sip:201@192.0.2.1>");
    world.phone("client").dials("200");
    world.until(|w| w.is_called("desk"));
    world.phone("desk").answers();
    world.run(Duration::from_millis(5));
    world.phone("client").hangs_up();
    world.phone("desk").hangs_up();
    world.until_over();
}

/// However the caller came to its `Dial`, it hears the line that it was forwarded to.
#[test]
fn every_kind_of_caller_hears_the_line_it_is_forwarded_to() {
    for (options, plan) in [
        ("", "Answer()\nsame => n,Dial(SIP/isp)"),
        ("progressinband=yes", "Dial(SIP/isp)"),
        ("progressinband=never", "Progress()\nsame => n,Dial(SIP/isp)"),
        ("", "Dial(SIP/isp,,g)\nsame => n,Answer()\nsame => n,Wait(1)"),
        ("directmedia=yes", "Dial(SIP/isp)"),
    ] {
        let sip = conf().replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{options}"));
        let plan = PLAN.replace("[home]", &format!("exten => 220,1,{plan}\n[home]"));
        let mut world = Testbed::ready(&sip, &plan);
        world.phone("desk").habit(|habits| habits.auto_ring = false);
        forward(&mut world, "isp", 302, "<sip:201@192.0.2.1>");
        world.phone("client").dials("220");
        world.until(|w| w.is_called("desk"));
        world.run(TICK);
        world.phone("desk").rings();
        world.run(TICK);
        assert!(world.saw("client", &PhoneEvent::Ringing) || world.is_played_to("client"), "{options} {plan}");
        world.phone("desk").indicates(183, true);
        world.run(TICK);
        world.is_heard("desk");
        world.run(TICK);
        assert_eq!(world.sound_from("desk").map(|sound| sound.to), Some("client".to_owned()), "{options} {plan}");
        world.phone("desk").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("desk"));
        world.run(Duration::from_secs(1));
        assert_through(&world, "desk");
        world.phone("desk").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// Longer than a line may be silent before the caller is told that it rings.
const A_WHILE: Duration = Duration::from_millis(1_500);

/// A caller with these options dials `number`; the line `isp` forwards to this extension, and no telephone rings
/// by itself.
fn forwards_silently(options: &str, exten: &str, number: &str) -> Testbed {
    let sip = conf().replace("[client]\ntype=friend", &format!("[client]\ntype=friend\n{options}"));
    let mut world = Testbed::ready(&sip, PLAN);
    for line in ["desk", "cisco"] {
        world.phone(line).habit(|habits| habits.auto_ring = false);
    }
    forward(&mut world, "isp", 302, &format!("<sip:{exten}@192.0.2.1>"));
    world.phone("client").dials(number);
    world
}

/// The caller's telephone rings, by itself or by our tone.
fn rings(world: &Testbed) -> bool {
    let told = world.texts("client", &["SIP/2.0 18"]);
    world.is_played_to("client") || told.last().is_some_and(|text| text.starts_with("SIP/2.0 180"))
}

fn is_heard_from(world: &Testbed, line: &str) -> bool {
    world.sound_from(line).is_some_and(|sound| sound.to == "client" && sound.relayed)
}

fn gives_up(mut world: Testbed) {
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// Two lines ring in the dialplan there, and the one that is heard drops out: the caller hears the other, or ringing.
#[test]
fn when_the_line_that_is_heard_there_drops_out_the_other_is_heard_or_rings() {
    for options in ["", "progressinband=yes"] {
        for (status, described) in [(183, true), (180, true), (180, false), (100, false)] {
            let story = format!("{options} {status} {described}");
            let mut world = forwards_silently(options, "212", "200");
            world.until(|w| w.is_called("desk") && w.is_called("cisco"));
            world.run(TICK);
            world.phone("desk").indicates(183, true);
            world.run(TICK);
            world.is_heard("desk");
            world.run(TICK);
            if status > 100 {
                world.phone("cisco").indicates(status, described);
            }
            world.run(A_WHILE);
            assert!(is_heard_from(&world, "desk"), "{story}");
            assert!(!rings(&world), "{story}: not over the sound of the other");
            world.phone("desk").refuses(486);
            world.run(A_WHILE);
            assert!(rings(&world), "{story}");
            if !described {
                world.phone("cisco").indicates(183, true);
                world.run(TICK);
            }
            world.is_heard("cisco");
            world.run(TICK);
            assert!(is_heard_from(&world, "cisco"), "{story}");
            gives_up(world);
        }
    }
}

/// Both describe their sound, and the second has some: it is heard, as when the caller had called both itself.
#[test]
fn of_two_lines_there_the_one_that_sounds_is_heard() {
    for (options, status) in [("", 183), ("", 180), ("progressinband=yes", 183)] {
        let mut world = forwards_silently(options, "212", "200");
        world.until(|w| w.is_called("desk") && w.is_called("cisco"));
        world.run(TICK);
        world.phone("desk").indicates(183, true);
        world.phone("cisco").indicates(183, true);
        world.run(A_WHILE);
        assert!(rings(&world), "{options}: neither has any sound");
        for _ in 0..2 {
            world.is_heard("cisco");
            world.run(TICK);
            assert!(is_heard_from(&world, "cisco"), "{options}");
            world.phone("cisco").indicates(status, true);
            world.run(A_WHILE);
            assert!(is_heard_from(&world, "cisco"), "{options} {status}");
        }
        world.phone("desk").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("desk"));
        world.run(TICK);
        assert_through(&world, "desk");
        gives_up(world);
    }
}

/// A prompt there is over, and a line is called: it has to be heard itself to be heard.
#[test]
fn after_a_prompt_there_the_caller_hears_ringing_or_the_line() {
    for options in ["", "progressinband=yes", "progressinband=never"] {
        for (status, described) in [(183, true), (183, false), (180, false), (180, true)] {
            let story = format!("{options} {status} {described}");
            let mut world = forwards_silently(options, "213", "200");
            world.until(|w| w.is_played_to("client"));
            world.until(|w| w.is_called("desk"));
            world.run(TICK);
            world.phone("desk").indicates(status, described);
            world.run(A_WHILE);
            assert!(rings(&world), "{story}");
            if options == "progressinband=yes" {
                assert!(world.is_played_to("client"), "{story}");
            }
            if !described {
                world.phone("desk").indicates(183, true);
                world.run(TICK);
            }
            world.is_heard("desk");
            world.run(TICK);
            assert!(is_heard_from(&world, "desk"), "{story}");
            gives_up(world);
        }
    }
}

/// A prompt there is over, and another line that the caller had called rings on.
#[test]
fn after_a_prompt_there_another_line_that_rings_is_told() {
    for described in [false, true] {
        let mut world = forwards_silently("", "215", "299");
        world.until(|w| w.is_played_to("client"));
        world.phone("cisco").indicates(if described { 183 } else { 180 }, described);
        world.run(A_WHILE);
        assert!(rings(&world), "{described}");
        gives_up(world);
    }
}

/// The time of a Dial there is over, and the next one begins: what was heard of the first is heard no more.
#[test]
fn after_a_dial_there_the_next_has_to_be_heard_itself() {
    for options in ["", "progressinband=yes"] {
        for described in [true, false] {
            let mut world = forwards_silently(options, "214", "200");
            world.until(|w| w.is_called("desk"));
            world.run(TICK);
            world.phone("desk").indicates(183, true);
            world.run(TICK);
            world.is_heard("desk");
            world.run(TICK);
            assert!(is_heard_from(&world, "desk"));
            world.until(|w| w.is_called("cisco"));
            world.run(TICK);
            world.phone("cisco").indicates(183, described);
            world.run(A_WHILE);
            assert!(rings(&world), "{options} {described}");
            gives_up(world);
        }
    }
}

/// A caller without an offer, and lines that carry more than voice.
#[test]
fn offerless_callers_and_video_are_carried_on_a_forwarded_call() {
    let sip = conf().replacen("[general]\n", "[general]\nvideosupport=yes\n", 1);
    for offerless in [true, false] {
        let mut world = Testbed::ready(&sip, PLAN);
        for line in ["client", "desk"] {
            world.phone(line).habit(|habits| habits.secondary_media = vec![MediaKind::Video]);
        }
        world.phone("client").habit(|habits| habits.offerless = offerless);
        forward(&mut world, "isp", 302, "<sip:201@192.0.2.1>");
        world.phone("client").dials("200");
        world.until(|w| w.is_called("desk"));
        world.phone("desk").answers();
        world.until(|w| w.is_talking("client") && w.is_talking("desk"));
        world.run(Duration::from_secs(1));
        assert_through(&world, "desk");
        if !offerless {
            world.assert_shares("client", "desk", MediaKind::Video);
        }
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// The console ends either half, as it ends a line.
#[test]
fn the_console_hangs_up_either_half() {
    for (half, answers) in [(";1", false), (";2", false), (";1", true), (";2", true)] {
        let mut world = forwards(302, if answers { "<sip:208@192.0.2.1>" } else { "<sip:201@192.0.2.1>" }, "200");
        world.run(Duration::from_secs(1));
        let name = world.channels().into_iter().find(|name| name.ends_with(half)).unwrap();
        let (_, effects) = world.switch.hang_up(crate::testbed::at(world.now), &name);
        world.execute(effects);
        world.until_over();
        world.assert_nothing_left();
    }
}

#[test]
fn either_end_hangs_up_at_any_time() {
    for answered in [true, false] {
        for who in ["client", "desk"] {
            let mut world = forwards(302, "<sip:201@192.0.2.1>", "200");
            world.until(|w| w.is_called("desk"));
            if answered {
                world.phone("desk").answers();
                world.until(|w| w.is_talking("client") && w.is_talking("desk"));
                world.run(Duration::from_secs(1));
            }
            world.run(TICK);
            world.phone(who).hangs_up();
            world.until_over();
            world.assert_nothing_left();
        }
    }
}

/// What the dialplan there comes to is what the caller's `Dial` comes to.
#[test]
fn the_end_of_the_dialplan_there_is_the_end_of_the_line() {
    for (exten, status, words) in [
        ("202", 486, "Busy() in the dialplan"),
        ("203", 503, "Congestion() in the dialplan"),
        ("204", 503, "there is no peer 'nobody'"),
        ("205", 503, "Hangup() in the dialplan"),
        ("206", 480, "nobody picked up 'desk' within 2 s"),
        ("999", 503, "forwards the call to 999, which is not in context 'home'"),
    ] {
        let mut world = forwards(302, &format!("<sip:{exten}@192.0.2.1>"), "200");
        world.until(|w| failed(w).is_some());
        assert_eq!(failed(&world), Some(status), "{exten}");
        assert!(world.has_line(words), "{exten}: {:?}", world.lines);
        world.until_over();
        world.assert_nothing_left();
    }
    let mut world = forwards(302, "<sip:201@192.0.2.1>", "200");
    world.phone("desk").habit(|habits| habits.refuse = Some(486));
    world.until(|w| failed(w).is_some());
    assert_eq!(failed(&world), Some(486));
    world.assert_nothing_left();
}

#[test]
fn who_forwards_in_a_circle_is_told_plainly() {
    // To the extension that rings the line itself; and two that forward to each other.
    let mut world = forwards(302, "<sip:209@192.0.2.1>", "200");
    world.until(|w| failed(w).is_some());
    assert_eq!(world.texts("isp", &["INVITE sip:"]).len(), 2);
    assert!(world.has_line("forwards the call to 209@home, where it was forwarded before"), "{:?}", world.lines);
    world.assert_nothing_left();
    let mut world = Testbed::ready(&conf(), PLAN);
    forward(&mut world, "isp", 302, "<sip:201@192.0.2.1>");
    forward(&mut world, "desk", 302, "<sip:209@192.0.2.1>");
    world.phone("client").dials("200");
    world.until(|w| failed(w).is_some());
    assert_eq!((world.texts("isp", &["INVITE sip:"]).len(), world.texts("desk", &["INVITE sip:"]).len()), (2, 1));
    world.assert_nothing_left();
}

/// One forward leads to another: still one relay in the end.
#[test]
fn a_chain_of_forwards_is_one_relay_in_the_end() {
    let mut world = Testbed::ready(&conf(), PLAN);
    forward(&mut world, "isp", 302, "<sip:201@192.0.2.1>");
    forward(&mut world, "desk", 302, "<sip:210@192.0.2.1>");
    world.phone("client").dials("200");
    world.until(|w| w.is_called("cisco"));
    world.phone("cisco").sounds();
    world.run(TICK);
    assert!(world.saw("client", &PhoneEvent::Progress), "early media comes through");
    assert_eq!(world.sound_from("cisco").map(|sound| sound.to), Some("client".to_owned()));
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("client") && w.is_talking("cisco"));
    world.run(TICK);
    assert_through(&world, "cisco");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

/// Several lines ring, and one of them forwards: the others ring on, and whoever answers first has the call.
#[test]
fn only_the_line_that_forwards_is_replaced() {
    for winner in ["cisco", "desk"] {
        let mut world = forwards(302, "<sip:201@192.0.2.1>", "299");
        world.until(|w| w.is_called("desk") && w.is_called("cisco"));
        world.run(TICK);
        world.phone(winner).answers();
        world.until(|w| w.is_talking("client") && w.is_talking(winner));
        world.run(TICK);
        assert_through(&world, winner);
        let other = if winner == "desk" { "cisco" } else { "desk" };
        assert!(!world.look(other).has_call(), "{other} rings no more");
        world.phone("client").hangs_up();
        world.until_over();
        world.assert_nothing_left();
    }
}

/// The dialplan there answers by itself, and calls somebody then.
#[test]
fn a_dialplan_that_answers_first_gives_way_to_the_line_it_calls() {
    let mut world = forwards(302, "<sip:207@192.0.2.1>", "200");
    world.until(|w| w.is_talking("client"));
    world.until(|w| w.is_called("desk"));
    world.run(Duration::from_secs(1));
    assert!(world.is_played_to("client"), "an answered caller hears the tone of ringing");
    world.phone("desk").answers();
    world.until(|w| w.is_talking("desk"));
    world.run(TICK);
    assert_through(&world, "desk");
    world.phone("desk").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn a_dialplan_that_plays_and_echoes_is_heard() {
    let mut world = forwards(302, "<sip:208@192.0.2.1>", "200");
    world.until(|w| w.is_talking("client"));
    world.run(TICK);
    assert!(world.is_played_to("client"));
    world.run(Duration::from_secs(5));
    assert_eq!(world.sound_from("client").map(|sound| sound.to), Some("client".to_owned()), "the echo");
    world.phone("client").reoffers(strowger::sim::Change::Hold);
    world.run(Duration::from_secs(1));
    assert!(world.is_talking("client"), "a new offer is answered");
    world.phone("client").hangs_up();
    world.until_over();
    world.assert_nothing_left();
}

#[test]
fn ringing_there_is_ringing_here_and_the_time_of_dial_counts_on() {
    let mut world = forwards(302, "<sip:211@192.0.2.1>", "200");
    world.until(|w| w.saw("client", &PhoneEvent::Ringing));
    world.until(|w| failed(w).is_some());
    assert_eq!(failed(&world), Some(480));
    world.assert_nothing_left();
}

/// Another host is followed only with `promiscredir=yes`, and a proxy (305) is no extension.
#[test]
fn what_is_no_extension_of_ours_is_a_refusal() {
    for (status, contact) in [
        (302, "<sip:201@192.0.2.77>"),
        (302, "<sip:201@192.0.2.1:5099>"),
        (302, "<sip:999@pbx.home.example>"),
        (302, "<tel:+4912345>"),
        (302, "<mailto:201@192.0.2.1>"),
        (302, "<sip:192.0.2.1>"),
    ] {
        let mut world = forwards(status, contact, "200");
        world.until(|w| failed(w).is_some());
        assert!(world.texts("desk", &["INVITE"]).is_empty(), "{contact}");
        world.assert_nothing_left();
    }
}
