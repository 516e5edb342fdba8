//! A running exchange gets another configuration, starts again, or stops: the real program, and telephones on real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/floor.rs"]
mod floor;

use exchange::{Exchange, PATIENCE};
use floor::Floor;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use strowger::sim::PhoneEvent;

const EXTENSIONS: &str = "[default]\nexten => _2XX,1,Dial(SIP/b${EXTEN:1},20)\n";

fn accounts(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("[{name}]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n"))
        .collect()
}

/// Callers `a00` and so on, and the lines they call by 200 and so on.
fn pairs(count: usize) -> Vec<String> {
    let side = |letter: char| (0..count).map(move |number| format!("{letter}{number:02}"));
    side('a').chain(side('b')).collect()
}

/// An exchange with one caller and one called line, both registered.
fn two_lines(story: &str) -> (Exchange, Floor) {
    let names = pairs(1);
    let exchange = Exchange::start(story, &accounts(&names), EXTENSIONS);
    let floor = Floor::new(exchange.sip, &names);
    (exchange, floor)
}

#[test]
fn a_hundred_reloads_good_and_broken_during_twenty_calls_with_sound() {
    const CALLS: usize = 20;
    let names = pairs(CALLS);
    let exchange = Exchange::start("hundred", &accounts(&names), EXTENSIONS);
    let mut floor = Floor::new(exchange.sip, &names);
    let couples: Vec<(usize, usize)> = (0..CALLS).map(|number| (number, number + CALLS)).collect();
    for (caller, callee) in &couples {
        floor.connect(*caller, &format!("2{caller:02}"), *callee);
    }
    floor.talk(&couples);
    floor.run(Duration::from_millis(200));
    std::thread::scope(|scope| {
        let reloads = scope.spawn(|| a_hundred_reloads(&exchange, &names));
        while !reloads.is_finished() {
            floor.run(Duration::from_millis(5));
        }
        reloads.join().unwrap();
    });
    let sent = floor.fall_silent(&couples);
    assert!(sent > 40 * 25, "only {sent} packets: there was next to no sound");
    assert!(floor.lines.iter().all(|line| !line.events.contains(&PhoneEvent::Ended)), "a call ended");
    let channels = exchange.told("core show channels count");
    assert!(channels.contains("40 active channels\n20 active calls\n"), "{channels}");
    let peers = exchange.told("sip show peers");
    assert_eq!(peers.matches("127.0.0.1").count(), 40, "{peers}");
    for (caller, _) in &couples {
        floor.hang_up(*caller);
    }
    floor.until("all calls are over", |floor| floor.lines.iter().all(|line| !line.phone.has_call()));
    // What is in force after all that works: new calls go through.
    floor.connect(0, "200", CALLS);
    floor.hang_up(0);
    floor.until("the last call is over", |floor| !floor.lines[CALLS].phone.has_call());
    assert!(exchange.told("core show channels count").contains("0 active channels"));
}

/// Every other one cannot be used, in turn for another reason; each file is as it was in the end.
fn a_hundred_reloads(exchange: &Exchange, names: &[String]) {
    let accounts = accounts(names);
    for number in 0..100 {
        let (name, broken, why) = match number % 6 {
            0 => ("extensions.conf", "exten => 1,1,Hangup()\n", "extensions.conf:1: fatal: "),
            2 => ("strowger.toml", "[log]\nverbosity = 3\n", "strowger.toml:2: fatal: "),
            _ => ("rtp.conf", "[general]\nrtpstart=30000\nrtpend=20000\n", "rtp.conf:1: fatal: "),
        };
        if number % 2 == 0 {
            exchange.write(name, broken);
            let (failed, text) = exchange.ask("reload");
            assert!(failed && text.contains(why), "{number}: {text}");
            assert!(text.contains("not reloaded: the one before stays in force"), "{text}");
        } else {
            // A peer more or less, other ports, another way to the same line, and more or less of a story.
            let spare = if number % 4 == 1 { "[spare]\ntype=friend\nhost=dynamic\nsecret=x\n" } else { "" };
            exchange.write_sip(&format!("{accounts}{spare}"));
            exchange.write("rtp.conf", &format!("[general]\nrtpstart={}\nrtpend=29000\n", 26000 + 10 * number));
            let note = format!("{EXTENSIONS}exten => 9{number:02},1,Hangup()\n");
            exchange.write("extensions.conf", &note);
            exchange.write("strowger.toml", &format!("[log]\nverbose = {}\n", number % 5));
            let line = ["sip reload", "reload", "core reload"][number % 3];
            let text = exchange.told(line);
            assert!(text.starts_with("The new configuration is in force: 4"), "{number}: {text}");
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

#[test]
fn what_cannot_work_is_said_at_the_start_and_after_a_reload_without_flooding() {
    let plan = "[default]\nexten => 1,1,Dial(SIP/b0)\n";
    let exchange = Exchange::start("findings", &accounts(&pairs(1)), plan);
    let nobody = "extensions.conf:2: warning: Dial names 'b0', which is no peer of sip.conf";
    exchange.said(nobody);
    let jumps: String = (2..40).map(|number| format!("exten => {number},1,Goto(nowhere,s,1)\n")).collect();
    exchange.write("extensions.conf", &format!("{plan}{jumps}"));
    let text = exchange.told("dialplan reload");
    // 39 in the dialplan, and the two lines' secrets.
    assert!(text.contains("41 warnings: 'strowger check -C "), "{text}");
    exchange.said(&format!("WARNING[{}] strowger: {nobody}; did you mean 'b00'?", exchange.process()));
    exchange.said_times("warning: Goto leads to context 'nowhere', which does not exist", 9);
    assert_eq!(exchange.log().matches("warning: Goto leads").count(), 9);
    assert!(!exchange.log().contains("secret=password"), "a secret is told");
}

#[test]
fn a_broken_file_leaves_the_old_configuration_in_force_and_says_why() {
    let (exchange, mut floor) = two_lines("broken");
    exchange.write("extensions.conf", "[default]\nexten => 300,1,Dial(SIP/b00)\n[default\n");
    exchange.write_sip("[a00](nope)\ntype=friend\n");
    let (failed, text) = exchange.ask("dialplan reload");
    assert!(failed && !text.contains("Dialplan reloaded."), "{text}");
    assert!(text.contains("extensions.conf:3: fatal: ") && text.contains("    [default\n"), "{text}");
    assert!(text.contains("sip.conf:5: fatal: ") && text.contains("  hint: "), "{text}");
    assert!(text.ends_with("The configuration was not reloaded: the one before stays in force, whole.\n"), "{text}");
    exchange.said("strowger: extensions.conf:3: fatal: ");
    exchange.said("not reloaded: the one before stays in force");
    let seconds = |text: String| -> u64 { text.lines().last().unwrap().rsplit(' ').next().unwrap().parse().unwrap() };
    floor.run(Duration::from_millis(1100));
    assert!(seconds(exchange.told("core show uptime seconds")) >= 1, "a reload that failed is none");
    floor.connect(0, "200", 1);
    floor.hang_up(0);
    floor.until("it is over", |floor| !floor.lines[1].phone.has_call());
    // Repaired: the new number is there, and the old one is not.
    exchange.write("extensions.conf", "[default]\nexten => 300,1,Dial(SIP/b00)\n");
    exchange.write_sip(&accounts(&pairs(1)));
    let text = exchange.told("dialplan reload");
    assert!(text.starts_with("Dialplan reloaded.\n"), "{text}");
    exchange.said("Reloading SIP");
    assert_eq!(seconds(exchange.told("core show uptime seconds")), 0);
    floor.connect(0, "300", 1);
    floor.hang_up(0);
    floor.until("it is over", |floor| !floor.lines[1].phone.has_call());
    floor.dial(0, "200");
    floor.until("the old number is refused", |floor| floor.saw(0, &PhoneEvent::Failed(404)));
}

#[test]
fn a_peer_that_is_gone_takes_its_registration_along_but_not_its_call() {
    let (exchange, mut floor) = two_lines("gone");
    floor.connect(0, "200", 1);
    floor.talk(&[(0, 1)]);
    exchange.write_sip(&accounts(&pairs(1)[..1]));
    let text = exchange.told("sip reload");
    assert!(text.starts_with("The new configuration is in force: 1 peer (1 gone), 1 context.\n"), "{text}");
    assert!(text.contains("'b00' is not in the new configuration: its registration at 127.0.0.1:"), "{text}");
    exchange.said("'b00' is not in the new configuration");
    assert!(!exchange.told("sip show peers").contains("b00"));
    floor.run(Duration::from_millis(300));
    floor.fall_silent(&[(0, 1)]);
    floor.hang_up(0);
    floor.until("both lines are free", |floor| !floor.lines[0].phone.has_call() && !floor.lines[1].phone.has_call());
    floor.act(1, |phone, now| phone.register(now));
    floor.until("it is refused", |floor| floor.saw(1, &PhoneEvent::RegisterRefused(403)));
    floor.dial(0, "200");
    floor.until("nobody can be called there", |floor| {
        floor.lines[0].events.iter().any(|event| matches!(event, PhoneEvent::Failed(_)))
    });
}

#[test]
fn a_hang_up_signal_reloads_and_changes_how_much_is_told() {
    let (exchange, mut floor) = two_lines("signal");
    let call = |floor: &mut Floor| {
        floor.connect(0, "200", 1);
        floor.hang_up(0);
        floor.until("it is over", |floor| !floor.lines[1].phone.has_call());
    };
    call(&mut floor);
    exchange.said_times("-- Executing [200@default:1]", 1);
    exchange.write("strowger.toml", "[log]\nverbose = 0\n");
    exchange.signal(Signal::HUP);
    exchange.said("The new configuration is in force: 2 peers, 1 context");
    exchange.said("[state] folder in strowger.toml is changed only by a restart");
    call(&mut floor);
    exchange.write("strowger.toml", "[log]\nverbose = 4\nlevel = loud\n");
    exchange.signal(Signal::HUP);
    exchange.said("strowger.toml:3: fatal: ");
    exchange.said("not reloaded: the one before stays in force");
    call(&mut floor);
    exchange.write("strowger.toml", "[log]\nverbose = 4\n");
    exchange.signal(Signal::HUP);
    exchange.said_times("The new configuration is in force", 2);
    call(&mut floor);
    exchange.said_times("-- Executing [200@default:1]", 2);
    let log = exchange.log();
    assert_eq!(log.matches("-- Executing [200@default:1]").count(), 2, "{log}");
}

#[test]
fn what_only_a_restart_changes_is_said_and_the_restart_keeps_the_process() {
    let (mut exchange, mut floor) = two_lines("restart");
    floor.connect(0, "200", 1);
    exchange.write_sip(&format!("tos_sip=cs3\n{}", accounts(&pairs(1))));
    let text = exchange.told("reload");
    assert!(text.contains("tos_sip in sip.conf is changed only by a restart ('core restart gracefully').\n"), "{text}");
    let process = exchange.process();
    assert_eq!(exchange.told("core restart gracefully"), "Restarting when 1 call has ended; no new ones are taken.\n");
    floor.run(Duration::from_millis(500));
    assert_eq!(exchange.log().matches(" is ready.").count(), 1, "it waits for the call");
    floor.hang_up(0);
    floor.until("both lines are free", |floor| !floor.lines[0].phone.has_call() && !floor.lines[1].phone.has_call());
    exchange.said_times(" is ready.", 2);
    assert_eq!((exchange.ended(), exchange.process()), (None, process));
    assert!(!exchange.told("reload").contains("changed only by"));
    for line in 0..2 {
        floor.lines[line].events.clear();
        floor.act(line, |phone, now| phone.register(now));
        floor.until("it is registered again", |floor| floor.lines[line].phone.is_registered());
    }
    floor.until("both are", |floor| {
        floor.lines.iter().all(|line| line.events.iter().any(|event| matches!(event, PhoneEvent::Registered { .. })))
    });
    floor.connect(0, "200", 1);
    assert_eq!(exchange.told("core restart now"), "Restarting; 1 call will be ended.\n");
    floor.until("both calls are ended", |floor| floor.saw(0, &PhoneEvent::Ended) && floor.saw(1, &PhoneEvent::Ended));
    exchange.said_times(" is ready.", 3);
    assert_eq!(exchange.told("core stop now"), "Stopping.\n");
    floor.until("it has stopped", |_| true);
    let end = Instant::now() + PATIENCE;
    while exchange.ended().is_none() {
        assert!(Instant::now() < end, "it does not stop");
        floor.run(Duration::from_millis(20));
    }
    assert_eq!(exchange.ended().unwrap().code(), Some(0));
}

/// Waits for the end; how long it took.
fn wait_for_end(exchange: &mut Exchange, floor: &mut Floor) -> Duration {
    let begun = Instant::now();
    while exchange.ended().is_none() {
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        floor.run(Duration::from_millis(10));
    }
    assert_eq!(exchange.ended().unwrap().code(), Some(0));
    begun.elapsed()
}

#[test]
fn a_termination_ends_both_sides_of_a_call_and_the_program_at_once() {
    let (mut exchange, mut floor) = two_lines("term");
    floor.connect(0, "200", 1);
    exchange.signal(Signal::TERM);
    let took = wait_for_end(&mut exchange, &mut floor);
    assert!(took < Duration::from_millis(2500), "{took:?}");
    assert!(floor.saw(0, &PhoneEvent::Ended) && floor.saw(1, &PhoneEvent::Ended));
}

#[test]
fn a_lost_bye_is_repeated_before_the_program_ends() {
    let (mut exchange, mut floor) = two_lines("lost");
    floor.connect(0, "200", 1);
    floor.lines[1].phone.behaviour_mut().loses_bye = true;
    exchange.signal(Signal::TERM);
    floor.run(Duration::from_millis(300));
    assert!(floor.saw(0, &PhoneEvent::Ended) && !floor.saw(1, &PhoneEvent::Ended));
    floor.lines[1].phone.behaviour_mut().loses_bye = false;
    wait_for_end(&mut exchange, &mut floor);
    assert!(floor.saw(1, &PhoneEvent::Ended));
}

#[test]
fn a_phone_that_never_answers_the_bye_is_not_waited_for_long_and_a_second_signal_not_at_all() {
    let (mut exchange, mut floor) = two_lines("deaf");
    floor.connect(0, "200", 1);
    floor.lines[1].phone.behaviour_mut().loses_bye = true;
    exchange.signal(Signal::TERM);
    let took = wait_for_end(&mut exchange, &mut floor);
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(6), "{took:?}");
    let (mut exchange, mut floor) = two_lines("twice");
    floor.connect(0, "200", 1);
    floor.lines[1].phone.behaviour_mut().loses_bye = true;
    exchange.signal(Signal::TERM);
    floor.run(Duration::from_millis(300));
    exchange.signal(Signal::TERM);
    let took = wait_for_end(&mut exchange, &mut floor);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
