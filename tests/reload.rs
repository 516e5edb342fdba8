//! A running exchange gets another configuration, starts again, or stops: the real program, and telephones on real
//! sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;

use exchange::{Exchange, PATIENCE};
use phones::Phones;
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
fn two_lines(story: &str) -> (Exchange, Phones) {
    let names = pairs(1);
    let exchange = Exchange::start(story, &accounts(&names), EXTENSIONS);
    let phones = Phones::new(exchange.sip, &names);
    (exchange, phones)
}

#[test]
fn the_console_shows_the_values_that_are_in_force() {
    let peer = |lines: &str| format!("[a]\ntype=friend\nhost=dynamic\nsecret=password\n{lines}");
    let exchange = Exchange::start("values", &peer("maxforwards=20\npromiscredir=yes\nsupportpath=yes\n"), EXTENSIONS);
    let shows = |lines: [&str; 3]| {
        let text = exchange.told("sip show peer a");
        assert!(lines.iter().all(|line| text.lines().any(|one| one.trim() == *line)), "{lines:?}: {text}");
    };
    shows(["Max forwards : 20", "PromiscRedir : Yes", "Path support : Yes"]);
    exchange.write_sip(&peer(""));
    exchange.told("sip reload");
    shows(["Max forwards : 70", "PromiscRedir : No", "Path support : No"]);
}

#[test]
fn a_hundred_reloads_good_and_broken_during_twenty_calls_with_sound() {
    const CALLS: usize = 20;
    let names = pairs(CALLS);
    let exchange = Exchange::start("hundred", &accounts(&names), EXTENSIONS);
    let mut phones = Phones::new(exchange.sip, &names);
    let couples: Vec<(usize, usize)> = (0..CALLS).map(|number| (number, number + CALLS)).collect();
    for (caller, callee) in &couples {
        phones.connect(*caller, &format!("2{caller:02}"), *callee);
    }
    phones.talk(&couples);
    phones.run(Duration::from_millis(200));
    std::thread::scope(|scope| {
        let reloads = scope.spawn(|| a_hundred_reloads(&exchange, &names));
        while !reloads.is_finished() {
            phones.run(Duration::from_millis(5));
        }
        reloads.join().unwrap();
    });
    let sent = phones.fall_silent(&couples);
    assert!(sent > 40 * 25, "only {sent} packets: there was next to no sound");
    assert!(phones.lines.iter().all(|line| !line.events.contains(&PhoneEvent::Ended)), "a call ended");
    let channels = exchange.told("core show channels count");
    assert!(channels.contains("40 active channels\n20 active calls\n"), "{channels}");
    let peers = exchange.told("sip show peers");
    assert_eq!(peers.matches("127.0.0.1").count(), 40, "{peers}");
    for (caller, _) in &couples {
        phones.hang_up(*caller);
    }
    phones.until("all calls are over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
    // What is in force after all that works: new calls go through.
    phones.connect(0, "200", CALLS);
    phones.hang_up(0);
    phones.until("the last call is over", |phones| !phones.lines[CALLS].phone.has_call());
    assert!(exchange.told("core show channels count").contains("0 active channels"));
}

/// Every other one cannot be used, in turn for another reason; each file is as it was in the end.
fn a_hundred_reloads(exchange: &Exchange, names: &[String]) {
    let accounts = accounts(names);
    for number in 0..100 {
        let (name, broken, why) = match number % 6 {
            0 => ("extensions.conf", "exten => 1,1,Hangup()\n", "extensions.conf:1: fatal: "),
            2 => ("strowger.toml", "[log]\nverbosity = 3\n", "strowger.toml:2: fatal: "),
            _ => ("sip.conf", "[general\n", "sip.conf:1: fatal: "),
        };
        if number % 2 == 0 {
            exchange.write(name, broken);
            let (failed, text) = exchange.ask("reload");
            assert!(failed && text.contains(why), "{number}: {text}");
            assert!(text.contains("not reloaded: the previous one stays in force"), "{text}");
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
    let nobody = "extensions.conf:2: warning: Dial names 'b0', which is not a peer in sip.conf";
    exchange.said(nobody);
    let jumps: String = (2..40).map(|number| format!("exten => {number},1,Goto(nowhere,s,1)\n")).collect();
    exchange.write("extensions.conf", &format!("{plan}{jumps}"));
    let text = exchange.told("dialplan reload");
    // 39 in the dialplan, and the two lines' secrets.
    assert!(text.contains("41 warnings: 'strowger check -C "), "{text}");
    exchange.said(&format!("WARNING[{}] strowger: {nobody}; did you mean 'b00'?", exchange.process()));
    let jump =
        "warning: Goto leads to context 'nowhere', which does not exist; a call that gets there ends (37 others in";
    exchange.said(jump);
    assert_eq!(exchange.log().matches("warning: Goto leads").count(), 1, "each kind once, as at the start");
    assert!(!exchange.log().contains("secret=password"), "a secret is told");
}

#[test]
fn a_broken_file_leaves_the_old_configuration_in_force_and_says_why() {
    let (exchange, mut phones) = two_lines("broken");
    exchange.write("extensions.conf", "[default]\nexten => 300,1,Dial(SIP/b00)\n[default\n");
    exchange.write_sip("[a00](nope)\ntype=friend\n");
    let (failed, text) = exchange.ask("dialplan reload");
    assert!(failed && !text.contains("Dialplan reloaded."), "{text}");
    assert!(text.contains("extensions.conf:3: fatal: ") && text.contains("    [default\n"), "{text}");
    assert!(text.contains("sip.conf:5: fatal: ") && text.contains("  hint: "), "{text}");
    assert!(text.ends_with("The configuration was not reloaded: the previous one stays in force.\n"), "{text}");
    exchange.said("strowger: extensions.conf:3: fatal: ");
    exchange.said("not reloaded: the previous one stays in force");
    let seconds = |text: String| -> u64 { text.lines().last().unwrap().rsplit(' ').next().unwrap().parse().unwrap() };
    phones.run(Duration::from_millis(1100));
    assert!(seconds(exchange.told("core show uptime seconds")) >= 1, "a reload that failed is none");
    phones.connect(0, "200", 1);
    phones.hang_up(0);
    phones.until("it is over", |phones| !phones.lines[1].phone.has_call());
    // Repaired: the new number is there, and the old one is not.
    exchange.write("extensions.conf", "[default]\nexten => 300,1,Dial(SIP/b00)\n");
    exchange.write_sip(&accounts(&pairs(1)));
    let text = exchange.told("dialplan reload");
    assert!(text.starts_with("Dialplan reloaded.\n"), "{text}");
    exchange.said("Reloading SIP");
    assert_eq!(seconds(exchange.told("core show uptime seconds")), 0);
    phones.connect(0, "300", 1);
    phones.hang_up(0);
    phones.until("it is over", |phones| !phones.lines[1].phone.has_call());
    phones.dial(0, "200");
    phones.until("the old number is refused", |phones| phones.saw(0, &PhoneEvent::Failed(404)));
}

#[test]
fn a_peer_that_is_gone_takes_its_registration_along_but_not_its_call() {
    let (exchange, mut phones) = two_lines("gone");
    phones.connect(0, "200", 1);
    phones.talk(&[(0, 1)]);
    exchange.write_sip(&accounts(&pairs(1)[..1]));
    let text = exchange.told("sip reload");
    assert!(text.starts_with("The new configuration is in force: 1 peer (1 gone), 1 context.\n"), "{text}");
    assert!(text.contains("'b00' is not in the new configuration: its registration at 127.0.0.1:"), "{text}");
    exchange.said("'b00' is not in the new configuration");
    assert!(!exchange.told("sip show peers").contains("b00"));
    phones.run(Duration::from_millis(300));
    phones.fall_silent(&[(0, 1)]);
    phones.hang_up(0);
    phones
        .until("both lines are free", |phones| !phones.lines[0].phone.has_call() && !phones.lines[1].phone.has_call());
    phones.act(1, |phone, now| phone.register(now));
    phones.until("it is refused", |phones| phones.saw(1, &PhoneEvent::RegisterRefused(403)));
    phones.dial(0, "200");
    phones.until("nobody can be called there", |phones| {
        phones.lines[0].events.iter().any(|event| matches!(event, PhoneEvent::Failed(_)))
    });
}

#[test]
fn a_hang_up_signal_reloads_and_changes_how_much_is_told() {
    let (exchange, mut phones) = two_lines("signal");
    let call = |phones: &mut Phones| {
        phones.connect(0, "200", 1);
        phones.hang_up(0);
        phones.until("it is over", |phones| !phones.lines[1].phone.has_call());
    };
    call(&mut phones);
    exchange.said_times("-- Executing [200@default:1]", 1);
    exchange.write("strowger.toml", "[log]\nverbose = 0\n");
    exchange.signal(Signal::HUP);
    exchange.said("The new configuration is in force: 2 peers, 1 context");
    exchange.said("[state] folder in strowger.toml is changed only by a restart");
    call(&mut phones);
    exchange.write("strowger.toml", "[log]\nverbose = 4\nlevel = loud\n");
    exchange.signal(Signal::HUP);
    exchange.said("strowger.toml:3: fatal: ");
    exchange.said("not reloaded: the previous one stays in force");
    call(&mut phones);
    exchange.write("strowger.toml", "[log]\nverbose = 4\n");
    exchange.signal(Signal::HUP);
    exchange.said_times("The new configuration is in force", 2);
    call(&mut phones);
    exchange.said_times("-- Executing [200@default:1]", 2);
    let log = exchange.log();
    assert_eq!(log.matches("-- Executing [200@default:1]").count(), 2, "{log}");
}

#[test]
fn what_only_a_restart_changes_is_said_and_the_restart_keeps_the_process() {
    let (mut exchange, mut phones) = two_lines("restart");
    phones.connect(0, "200", 1);
    exchange.write_sip(&format!("tos_sip=cs3\n{}", accounts(&pairs(1))));
    let text = exchange.told("reload");
    assert!(text.contains("tos_sip in sip.conf is changed only by a restart ('core restart gracefully').\n"), "{text}");
    let process = exchange.process();
    assert_eq!(exchange.told("core restart gracefully"), "Restarting when 1 call has ended; no new ones are taken.\n");
    phones.run(Duration::from_millis(500));
    assert_eq!(exchange.log().matches(" is ready.").count(), 1, "it waits for the call");
    phones.hang_up(0);
    phones
        .until("both lines are free", |phones| !phones.lines[0].phone.has_call() && !phones.lines[1].phone.has_call());
    exchange.said_times(" is ready.", 2);
    assert_eq!((exchange.ended(), exchange.process()), (None, process));
    assert!(!exchange.told("reload").contains("changed only by"));
    for line in 0..2 {
        phones.lines[line].events.clear();
        phones.act(line, |phone, now| phone.register(now));
        phones.until("it is registered again", |phones| phones.lines[line].phone.is_registered());
    }
    phones.until("both are", |phones| {
        phones.lines.iter().all(|line| line.events.iter().any(|event| matches!(event, PhoneEvent::Registered { .. })))
    });
    phones.connect(0, "200", 1);
    assert_eq!(exchange.told("core restart now"), "Restarting; 1 call will be ended.\n");
    phones
        .until("both calls are ended", |phones| phones.saw(0, &PhoneEvent::Ended) && phones.saw(1, &PhoneEvent::Ended));
    exchange.said_times(" is ready.", 3);
    assert_eq!(exchange.told("core stop now"), "Stopping.\n");
    phones.until("it has stopped", |_| true);
    let end = Instant::now() + PATIENCE;
    while exchange.ended().is_none() {
        assert!(Instant::now() < end, "it does not stop");
        phones.run(Duration::from_millis(20));
    }
    assert_eq!(exchange.ended().unwrap().code(), Some(0));
}

/// Waits for the end; how long it took.
fn wait_for_end(exchange: &mut Exchange, phones: &mut Phones) -> Duration {
    let begun = Instant::now();
    while exchange.ended().is_none() {
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        phones.run(Duration::from_millis(10));
    }
    assert_eq!(exchange.ended().unwrap().code(), Some(0));
    begun.elapsed()
}

#[test]
fn a_termination_ends_both_sides_of_a_call_and_the_program_at_once() {
    let (mut exchange, mut phones) = two_lines("term");
    phones.connect(0, "200", 1);
    exchange.signal(Signal::TERM);
    let took = wait_for_end(&mut exchange, &mut phones);
    assert!(took < Duration::from_millis(2500), "{took:?}");
    assert!(phones.saw(0, &PhoneEvent::Ended) && phones.saw(1, &PhoneEvent::Ended));
}

#[test]
fn a_lost_bye_is_repeated_before_the_program_ends() {
    let (mut exchange, mut phones) = two_lines("lost");
    phones.connect(0, "200", 1);
    phones.lines[1].phone.behaviour_mut().loses_bye = true;
    exchange.signal(Signal::TERM);
    phones.run(Duration::from_millis(300));
    assert!(phones.saw(0, &PhoneEvent::Ended) && !phones.saw(1, &PhoneEvent::Ended));
    phones.lines[1].phone.behaviour_mut().loses_bye = false;
    wait_for_end(&mut exchange, &mut phones);
    assert!(phones.saw(1, &PhoneEvent::Ended));
}

#[test]
fn a_phone_that_never_answers_the_bye_is_not_waited_for_long_and_a_second_signal_not_at_all() {
    let (mut exchange, mut phones) = two_lines("deaf");
    phones.connect(0, "200", 1);
    phones.lines[1].phone.behaviour_mut().loses_bye = true;
    exchange.signal(Signal::TERM);
    let took = wait_for_end(&mut exchange, &mut phones);
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(6), "{took:?}");
    let (mut exchange, mut phones) = two_lines("twice");
    phones.connect(0, "200", 1);
    phones.lines[1].phone.behaviour_mut().loses_bye = true;
    exchange.signal(Signal::TERM);
    phones.run(Duration::from_millis(300));
    exchange.signal(Signal::TERM);
    let took = wait_for_end(&mut exchange, &mut phones);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
