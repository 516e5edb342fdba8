//! The exchange against other people's programs, over real sockets on one machine: SIPp as two telephones that do
//! exactly as told, others as telephones with a will of their own (`interop/clients.rs`), a proxy in front of it.
//!
//! A story whose program is missing is skipped by name, unless `STROWGER_INTEROP_REQUIRED` is set. The names go to the
//! file `STROWGER_SKIPPED` too, when it is set, so that `tests/run.sh` can count them.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "support/uninterrupted.rs"]
mod uninterrupted;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

#[path = "interop/baresip.rs"]
mod baresip;
#[path = "interop/clients.rs"]
mod clients;
#[path = "interop/digits.rs"]
mod digits;
#[path = "interop/exchange.rs"]
mod exchange;
#[path = "interop/kamailio.rs"]
mod kamailio;
#[path = "interop/linphone.rs"]
mod linphone;
#[path = "interop/modems.rs"]
mod modems;
#[path = "interop/namespace.rs"]
mod namespace;
#[path = "interop/prompts.rs"]
mod prompts;
#[path = "interop/provider.rs"]
mod provider;
#[path = "interop/python.rs"]
mod python;
#[path = "interop/services.rs"]
mod services;
#[path = "interop/sipp.rs"]
mod sipp;
#[path = "interop/sipvicious.rs"]
mod sipvicious;
#[path = "interop/sound.rs"]
mod sound;
#[path = "interop/telephone.rs"]
mod telephone;
#[path = "interop/tone.rs"]
mod tone;
#[path = "interop/transfers.rs"]
mod transfers;
#[path = "interop/trunks.rs"]
mod trunks;

use exchange::{ALICE, BOB, Exchange, Wishes};
use sipp::{Phone, media};
use sound::{Mouth, assert_untouched, converse};
use telephone::Way;

/// Whether the story can be told here.
fn can(story: &str, programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| !installed(program));
    missing.is_none_or(|program| skip(story, &format!("{program}: not installed")))
}

/// Skips a story, which is a failure where all of them are required.
fn skip(story: &str, why: &str) -> bool {
    assert!(std::env::var_os("STROWGER_INTEROP_REQUIRED").is_none(), "{story}: {why}");
    eprintln!("skipped: {story} ({why})");
    if let Some(path) = std::env::var_os("STROWGER_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{story} ({why})").unwrap();
    }
    false
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// It takes more than a minute, and so begins among the first.
#[test]
fn a_modem_hears_another_one_as_over_a_wire() {
    modems::exchange_data();
}

/// It takes most of a minute, and so begins among the first.
#[test]
fn a_provider_asks_for_session_timers() {
    trunks::session_timers();
}

#[test]
fn sipvicious_finds_no_extension() {
    match sipvicious::svwar() {
        Some(program) => sipvicious::finds_nobody(program),
        None => drop(skip("sipvicious finds no extension", "svwar: not installed")),
    }
}

#[test]
fn sipp_registers_and_a_wrong_secret_is_refused() {
    if !can("sipp registers", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("register", &Wishes::default());
    let alice = Phone::new(&exchange, ALICE).registered();
    let peers = exchange.ask("sip show peers");
    let row = peers.lines().find(|line| line.starts_with("alice")).unwrap_or_else(|| panic!("{peers}"));
    assert!(row.contains("127.0.0.1") && row.contains(&alice.port.to_string()), "{row}");
    let row = peers.lines().find(|line| line.starts_with("bob")).unwrap_or_else(|| panic!("{peers}"));
    assert!(row.contains("(Unspecified)"), "{row}");

    Phone::new(&exchange, ("bob", "no banana")).status(403, "").registered();
    Phone::new(&exchange, ("nobody", "nothing")).status(403, "").registered();
    let peers = exchange.ask("sip show peers");
    let row = peers.lines().find(|line| line.starts_with("bob")).unwrap_or_else(|| panic!("{peers}"));
    assert!(row.contains("(Unspecified)"), "{row}");
    let log = exchange.log();
    assert!(!log.contains("apple") && !log.contains("banana"), "a secret is in the log:\n{log}");
    exchange.stop();
}

#[test]
fn each_side_calls_and_each_side_hangs_up() {
    if !can("each side calls and hangs up", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("hang-up", &Wishes::default());
    let before = exchange.descriptors();
    for (caller, callee, number) in [(ALICE, BOB, "200"), (BOB, ALICE, "100")] {
        for (caller_holds, callee_holds) in [(200, 60_000), (60_000, 200)] {
            let callee = Phone::new(&exchange, callee).registered().hanging_up_after(callee_holds);
            let caller = Phone::new(&exchange, caller).registered().hanging_up_after(caller_holds);
            let answering = callee.listens("callee.xml");
            let calling = caller.calling("caller.xml", number);
            let (first, last) = if caller_holds < callee_holds { (calling, answering) } else { (answering, calling) };
            assert!(first.succeeds().lines().any(|line| line == "hung up"), "the one that hangs up");
            assert!(last.succeeds().lines().any(|line| line == "was hung up"), "the other");
        }
    }
    exchange.assert_nothing_left(before);
    assert!(exchange.ask("core show channels").contains("4 calls processed"), "{}", exchange.ask("core show channels"));
    exchange.stop();
}

#[test]
fn a_call_that_is_not_answered_ends_as_it_should() {
    if !can("cancel, busy, no answer, unreachable, unknown, wrong secret", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("unanswered", &Wishes::default());
    let before = exchange.descriptors();
    let bob = Phone::new(&exchange, BOB).registered();

    let ringing = bob.listens("callee-rings.xml");
    Phone::new(&exchange, ALICE).calling("caller-cancels.xml", "200").succeeds();
    ringing.succeeds();

    let ringing = bob.listens("callee-rings.xml");
    Phone::new(&exchange, ALICE).status(480, "").calling("caller-refused.xml", "201").succeeds();
    ringing.succeeds();

    let bob = bob.status(486, "Busy Here");
    let busy = bob.listens("callee-refuses.xml");
    Phone::new(&exchange, ALICE).status(486, "").calling("caller-refused.xml", "200").succeeds();
    busy.succeeds();

    for (line, number, status) in [(ALICE, "300", 503), (ALICE, "999", 404), (("alice", "pear"), "200", 403)] {
        Phone::new(&exchange, line).status(status, "").calling("caller-refused.xml", number).succeeds();
    }
    exchange.assert_nothing_left(before);
    exchange.stop();
}

#[test]
fn sound_is_relayed_untouched_and_counted() {
    if !can("sound is relayed", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("relay", &Wishes::default());
    let before = exchange.descriptors();
    let (a, b) = (Mouth::new(0xa11c_e000), Mouth::new(0x0000_0b0b));
    let bob = Phone::new(&exchange, BOB).registered().with_rtp(b.port());
    let alice = Phone::new(&exchange, ALICE).registered().with_rtp(a.port()).hanging_up_after(4_000);
    let answering = bob.listens("callee.xml");
    let calling = alice.calling("caller.xml", "200");
    let heard = converse(&a, calling.first_media(), &b, answering.first_media(), 100);
    assert_untouched(&heard.at_b, &a, 100);
    assert_untouched(&heard.at_a, &b, 100);
    let log = calling.succeeds();
    assert_eq!(media(&log).len(), 1, "directmedia=no, and yet a re-INVITE came:\n{log}");
    answering.succeeds();
    let line = exchange.said("packets received");
    assert!(line.contains("100 packets received, 100 sent"), "{line}");
    exchange.assert_nothing_left(before);
    exchange.stop();
}

#[test]
fn a_call_over_tcp_reaches_a_telephone_on_udp() {
    if !can("SIPp over TCP", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("tcp", &Wishes { way: Way::Tcp, ..Wishes::default() });
    let before = exchange.descriptors();
    let (a, b) = (Mouth::new(0xa11c_e000), Mouth::new(0x0000_0b0b));
    let bob = Phone::new(&exchange, BOB).registered().with_rtp(b.port());
    let alice = Phone::new(&exchange, ALICE).over_tcp().with_rtp(a.port()).hanging_up_after(2_000);
    let answering = bob.listens("callee.xml");
    let calling = alice.calling("caller.xml", "200");
    let heard = converse(&a, calling.first_media(), &b, answering.first_media(), 25);
    assert_untouched(&heard.at_b, &a, 25);
    assert_untouched(&heard.at_a, &b, 25);
    calling.succeeds();
    answering.succeeds();
    alice.status(486, "").calling("caller-refused.xml", "602").succeeds();
    exchange.assert_nothing_left(before);
    exchange.stop();
}

#[test]
fn sipsak_asks_and_registers() {
    if !can("sipsak asks and registers", &["sipsak"]) {
        return;
    }
    let exchange = Exchange::start("sipsak", &Wishes::default());
    let server = exchange.server(Way::Udp);
    let sipsak = |words: &[&str]| {
        let output = Command::new("sipsak").args(words).stdin(Stdio::null()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (answered, said) = sipsak(&["-vv", "-H", "127.0.0.1", "-s", &format!("sip:{server}")]);
    assert!(answered && said.contains("SIP/2.0 200 OK"), "{said}");
    let line = format!("sip:alice@{server}");
    let register = [
        "-U",
        "-vv",
        "-u",
        "alice",
        "-H",
        "127.0.0.1",
        "-x",
        "60",
        "-C",
        "sip:alice@127.0.0.1:5099",
        "-s",
        &line,
        "-a",
    ];
    let (registered, said) = sipsak(&[&register[..], &["pear"]].concat());
    assert!(!registered, "with a wrong secret: {said}");
    assert!(exchange.ask("sip show peers").contains("(Unspecified)"));
    let (registered, said) = sipsak(&[&register[..], &["apple"]].concat());
    assert!(registered, "{said}");
    exchange.said("Registered SIP 'alice' at 127.0.0.1:");
    exchange.stop();
}

#[test]
fn media_goes_directly_between_the_lines() {
    if !can("direct media", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("direct", &Wishes { direct: true, ..Wishes::default() });
    let before = exchange.descriptors();
    let bob = Phone::new(&exchange, BOB).registered().with_rtp(30_002);
    let alice = Phone::new(&exchange, ALICE).registered().with_rtp(30_004).hanging_up_after(1_500);
    let answering = bob.listens("callee.xml");
    let calling = alice.calling("caller.xml", "200");
    let (calling, answering) = (media(&calling.succeeds()), media(&answering.succeeds()));
    let port = |media: &[std::net::SocketAddr]| media.last().map(std::net::SocketAddr::port);
    assert!(!matches!(port(&calling[..1]), Some(30_002)), "the caller is first connected to the exchange: {calling:?}");
    assert_eq!(port(&calling), Some(30_002), "where the caller sends at last: {calling:?}");
    assert_eq!(port(&answering), Some(30_004), "where the callee sends at last: {answering:?}");
    exchange.assert_nothing_left(before);
    exchange.stop();
}

/// The called line hears a fax tone: T.38 and back, and what the two send each other in between arrives as it was sent.
#[test]
fn a_fax_goes_over_to_t38_and_back_to_voice() {
    if !can("a fax goes over to T.38", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("fax", &Wishes { general: "t38pt_udptl=yes\n", ..Wishes::default() });
    let before = exchange.descriptors();
    let (a, b) = (Mouth::new(0), Mouth::new(0));
    let bob = Phone::new(&exchange, BOB).registered().with_fax(b.port()).hanging_up_after(2_500);
    let alice = Phone::new(&exchange, ALICE).registered().with_fax(a.port()).hanging_up_after(500);
    let answering = bob.listens("fax-callee.xml");
    let calling = alice.calling("fax-caller.xml", "200");
    let [to_a, to_b] = [&calling, &answering].map(|play| format!("127.0.0.1:{}", play.said("fax ")).parse().unwrap());
    let sent: Vec<Vec<u8>> = (0..40u8).map(|n| [vec![0, n, 6], vec![n ^ 0x5a; usize::from(n)]].concat()).collect();
    let heard = sound::exchange(&a, to_a, &b, to_b, &sent);
    assert_eq!(heard.at_a, sent);
    assert_eq!(heard.at_b, sent);
    calling.said("voice again");
    calling.succeeds();
    answering.succeeds();
    let line = exchange.said("(T.38 fax): ");
    assert!(line.contains("40 packets received, 40 sent, 0 lost"), "{line}");
    exchange.assert_nothing_left(before);
    exchange.stop();
}

#[test]
fn a_fax_that_a_line_may_not_send_is_refused_and_the_call_goes_on() {
    if !can("a fax is refused", &["sipp"]) {
        return;
    }
    let exchange = Exchange::start("fax-refused", &Wishes::default());
    let before = exchange.descriptors();
    let (a, b) = (Mouth::new(0xa11c_e000), Mouth::new(0x0000_0b0b));
    let bob = Phone::new(&exchange, BOB).registered().with_rtp(b.port()).status(488, "");
    let alice = Phone::new(&exchange, ALICE).registered().with_rtp(a.port()).hanging_up_after(4_000);
    let answering = bob.listens("fax-refused.xml");
    let calling = alice.calling("caller.xml", "200");
    answering.said("refused");
    let to_b = answering.first_media();
    let heard = converse(&a, calling.first_media(), &b, to_b, 50);
    assert_untouched(&heard.at_b, &a, 50);
    assert_untouched(&heard.at_a, &b, 50);
    assert_eq!(media(&calling.succeeds()).len(), 1, "the other line is not even asked");
    answering.succeeds();
    exchange.said("T.38 fax needs 't38pt_udptl=yes' in sip.conf, not set for 'bob' and 'alice'");
    exchange.assert_nothing_left(before);
    exchange.stop();
}

#[test]
fn a_line_that_refuses_direct_media_stays_relayed() {
    if !can("direct media refused", &["sipp"]) {
        return;
    }
    for (story, caller_refuses) in [("fallback-caller", true), ("fallback-callee", false)] {
        let exchange = Exchange::start(story, &Wishes { direct: true, ..Wishes::default() });
        let before = exchange.descriptors();
        let (a, b) = (Mouth::new(0xa11c_e000), Mouth::new(0x0000_0b0b));
        let mut bob = Phone::new(&exchange, BOB).registered().with_rtp(b.port());
        let mut alice = Phone::new(&exchange, ALICE).registered().with_rtp(a.port()).hanging_up_after(3_000);
        if caller_refuses {
            alice = alice.refusing_reinvites();
        } else {
            bob = bob.refusing_reinvites();
        }
        let answering = bob.listens("callee.xml");
        let calling = alice.calling("caller.xml", "200");
        let (to_a, to_b) = (calling.first_media(), answering.first_media());
        // Whatever was tried and taken back: the side that takes re-INVITEs ends up with the exchange, and each hears
        // the other.
        let (taking, wanted) = if caller_refuses { (&answering, to_b) } else { (&calling, to_a) };
        let settled = exchange::wait(Duration::from_secs(2), || {
            let tried = calling.media().len() + answering.media().len() > 2;
            tried && taking.media().last() == Some(&wanted)
        });
        assert!(settled, "{story}: {:?} {:?}\n{}", calling.media(), answering.media(), exchange.log());
        let heard = converse(&a, to_a, &b, to_b, 50);
        assert_untouched(&heard.at_b, &a, 50);
        assert_untouched(&heard.at_a, &b, 50);
        let (calling, answering) = (calling.succeeds(), answering.succeeds());
        let taken = if caller_refuses { &answering } else { &calling };
        assert_eq!(media(taken).last(), Some(&wanted), "{story}: the side that takes re-INVITEs was led back");
        exchange.assert_nothing_left(before);
        exchange.stop();
    }
}

#[test]
fn two_hundred_calls_in_a_row_leave_nothing() {
    if !can("200 calls in a row", &["sipp"]) {
        return;
    }
    many_calls("in-a-row", 1);
}

#[test]
fn fifty_calls_at_once_leave_nothing() {
    if !can("50 calls at once", &["sipp"]) {
        return;
    }
    many_calls("at-once", 50);
}

fn many_calls(story: &str, at_once: u32) {
    let exchange = Exchange::start(story, &Wishes::default());
    let before = exchange.descriptors();
    let bob = Phone::new(&exchange, BOB).registered().calls(200, 200);
    let hold_ms = if at_once == 1 { 20 } else { 2_000 };
    let alice = Phone::new(&exchange, ALICE).registered().calls(200, at_once).hanging_up_after(hold_ms);
    let answering = bob.listens("callee.xml");
    let calling = alice.calling("caller.xml", "200");
    if at_once > 1 {
        exchange.ask_until("core show channels", &format!("{} active channels", at_once * 2));
    }
    let (calling, answering) = (calling.succeeds(), answering.succeeds());
    assert_eq!(calling.lines().filter(|line| *line == "hung up").count(), 200);
    assert_eq!(answering.lines().filter(|line| *line == "was hung up").count(), 200);
    exchange.assert_nothing_left(before);
    assert!(exchange.ask("core show channels").contains("200 calls processed"));
    exchange.stop();
}
