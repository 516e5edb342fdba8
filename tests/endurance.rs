//! What an exchange lives through without losing a call: full disks, jumping clocks, no descriptors left, a stop in
//! mid-breath, consoles that do not listen, a thread that dies, and many calls. `STROWGER_LONG=1` makes the long ones
//! long.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // the helpers of tests are not seen as tests

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;
#[path = "support/proc.rs"]
mod proc;
#[path = "support/skip.rs"]
mod skip;

use exchange::{Exchange, PATIENCE};
use phones::Phones;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use skip::skip;
use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};
use strowger::sim::PhoneEvent;

const EXTENSIONS: &str = "[default]\nexten => _2XX,1,Dial(SIP/b${EXTEN:1},20)\n";

/// The long form, minutes instead of seconds.
fn long() -> bool {
    std::env::var_os("STROWGER_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Callers `a00` and so on, and the lines they call by 200 and so on.
fn names(pairs: usize) -> Vec<String> {
    let side = |letter: char| (0..pairs).map(move |number| format!("{letter}{number:02}"));
    side('a').chain(side('b')).collect()
}

fn accounts(pairs: usize, options: &str) -> String {
    let account =
        |name: &String| format!("[{name}]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=default\n{options}");
    names(pairs).iter().map(account).collect()
}

/// An exchange with so many callers and so many called lines, all registered.
fn house(story: &str, pairs: usize) -> (Exchange, Phones) {
    let exchange = Exchange::start(story, &accounts(pairs, ""), EXTENSIONS);
    let phones = Phones::new(exchange.sip, &names(pairs));
    (exchange, phones)
}

/// Every caller calls its line, speaks, and hangs up; every packet arrives.
fn round(phones: &mut Phones, pairs: usize, talk: Duration) {
    let couples: Vec<(usize, usize)> = (0..pairs).map(|number| (number, number + pairs)).collect();
    for (caller, _) in &couples {
        phones.dial(*caller, &format!("2{caller:02}"));
    }
    phones.until("all talk", |phones| {
        phones.lines.iter().all(|line| line.phone.is_talking() && line.phone.media().is_some())
    });
    phones.talk(&couples);
    phones.run(talk);
    phones.fall_silent(&couples);
    for (caller, _) in &couples {
        phones.hang_up(*caller);
    }
    phones.until("all are free", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
    for line in &mut phones.lines {
        line.events.clear();
    }
}

fn call(phones: &mut Phones) {
    phones.connect(0, "200", 1);
    phones.hang_up(0);
    phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
}

fn register_again(phones: &mut Phones, line: usize) {
    phones.lines[line].events.clear();
    phones.act(line, |phone, now| phone.register(now));
    phones.until("it is registered again", |phones| {
        phones.lines[line].events.iter().any(|event| matches!(event, PhoneEvent::Registered { .. }))
    });
}

#[test]
fn call_records_that_cannot_be_written_are_said_once_and_cost_no_call() {
    let (exchange, mut phones) = house("csv-full", 1);
    let folder = exchange.folder().join("state/cdr-csv");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("Master.csv");
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    for _ in 0..3 {
        call(&mut phones);
    }
    exchange.said("Call records are not kept");
    std::fs::remove_file(&file).unwrap();
    call(&mut phones);
    let end = Instant::now() + PATIENCE;
    // The record of the call before it may have been late enough to find room, too.
    while std::fs::read_to_string(&file).unwrap_or_default().lines().count() == 0 {
        assert!(Instant::now() < end, "the call with room on the disk has no record:\n{}", exchange.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(exchange.log().matches("Call records are not kept").count(), 1, "{}", exchange.log());
}

/// libfaketime, when it is installed.
fn faketime() -> Option<String> {
    let known = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];
    let found = known.iter().map(|folder| format!("{folder}/faketime/libfaketime.so.1"));
    found.into_iter().find(|path| std::path::Path::new(path).exists())
}

#[test]
fn a_wall_clock_that_jumps_drops_no_registration_refuses_no_phone_and_ends_no_call() {
    let Some(library) = faketime() else { return skip("wall clock jumps", "faketime is not installed") };
    let clock = std::env::temp_dir().join(format!("strowger-clock-{}", std::process::id()));
    // The switch begins on a machine without a battery for its clock.
    std::fs::write(&clock, "@1970-01-01 00:00:10").unwrap();
    let mut exchange = Exchange::start_as("clock", &accounts(1, ""), EXTENSIONS, |command| {
        command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    });
    let mut phones = Phones::new(exchange.sip, &names(1));
    phones.connect(0, "200", 1);
    phones.talk(&[(0, 1)]);
    let today = "+0";
    for offset in [today, "+3600", today, "-3600", "+3600"] {
        std::fs::write(&clock, offset).unwrap();
        phones.run(Duration::from_millis(100));
        // Twice: with the nonce of before the jump, and with one of after it.
        for line in [0, 1, 0, 1] {
            register_again(&mut phones, line);
        }
        let left = exchange.told("sip show peer b00");
        assert!(left.contains("127.0.0.1"), "{offset}: {left}");
    }
    phones.fall_silent(&[(0, 1)]);
    assert!(phones.lines.iter().all(|line| line.phone.has_call()), "a call ended");
    phones.hang_up(0);
    phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
    call(&mut phones);
    // Expiry runs on the clock that does not jump: 2 s granted are 2 s (and the grace), whatever the wall says.
    let log = exchange.log();
    for word in ["SECURITY", "Unreachable", "expired"] {
        assert!(!log.contains(word), "{word}:\n{log}");
    }
    assert!(log.contains("[1970-01-01T00:00:1"), "the clock was not faked at all:\n{log}");
    assert_eq!(exchange.ended(), None);
    let _ = std::fs::remove_file(clock);
}

/// Sets how many descriptors the exchange may have.
fn limit_descriptors(exchange: &Exchange, most: u64) -> Rlimit {
    let process = Pid::from_raw(i32::try_from(exchange.process()).unwrap()).unwrap();
    let old = rustix::process::getrlimit(Resource::Nofile);
    prlimit(Some(process), Resource::Nofile, Rlimit { current: Some(most), maximum: old.maximum }).unwrap()
}

#[test]
fn without_descriptors_calls_that_stand_live_on_and_new_ones_are_told_503() {
    let (exchange, mut phones) = house("descriptors", 2);
    phones.connect(0, "200", 2);
    phones.talk(&[(0, 2)]);
    let process = exchange.process();
    let before = limit_descriptors(&exchange, u64::try_from(proc::descriptors(process)).unwrap() + 1);
    phones.dial(1, "201");
    phones.until("the new call is refused", |phones| {
        phones.lines[1].events.iter().any(|event| matches!(event, PhoneEvent::Failed(_)))
    });
    assert!(phones.saw(1, &PhoneEvent::Failed(503)), "{:?}", phones.lines[1].events);
    exchange.said("raise the limit of open files");
    // Registrations need none.
    register_again(&mut phones, 1);
    // A console uses the last one, and others wait for the accept, which must not become a busy loop.
    let waiting: Vec<UnixStream> = (0..4).filter_map(|_| UnixStream::connect(exchange.control()).ok()).collect();
    phones.run(Duration::from_millis(200));
    let (begun, spent) = (Instant::now(), proc::cpu(process));
    phones.run(Duration::from_secs(1));
    let share = (proc::cpu(process) - spent).as_secs_f64() / begun.elapsed().as_secs_f64();
    assert!(share < 0.5, "{:.0} % of a processor goes into accepting nobody", share * 100.0);
    limit_descriptors(&exchange, before.current.unwrap());
    drop(waiting);
    assert!(exchange.told("core show channels").contains("1 active call"));
    assert!(phones.fall_silent(&[(0, 2)]) > 50);
    phones.lines[1].events.clear();
    phones.connect(1, "201", 3);
    phones.hang_up(0);
    phones.hang_up(1);
    phones.until("all are free", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
}

#[test]
fn a_stopped_process_goes_on_without_a_burst() {
    let asleep = Duration::from_secs(if long() { 40 } else { 4 });
    let accounts = accounts(1, "qualify=yes\nqualifyfreq=1\n");
    let exchange = Exchange::start("stopped", &accounts, EXTENSIONS);
    let mut phones = Phones::new(exchange.sip, &names(1));
    phones.connect(0, "200", 1);
    phones.run(Duration::from_secs(1));
    exchange.signal(Signal::STOP);
    phones.run(asleep);
    for line in &mut phones.lines {
        line.received = 0;
    }
    exchange.signal(Signal::CONT);
    phones.run(Duration::from_millis(500));
    // One OPTIONS and perhaps its repetition, not one for each second that was slept through.
    for line in &phones.lines {
        assert!(line.received <= 3, "{} datagrams at once: {:?}", line.received, line.events);
    }
    assert!(phones.lines.iter().all(|line| line.phone.has_call()), "a call ended\n{}", exchange.log());
    phones.talk(&[(0, 1)]);
    phones.run(Duration::from_millis(500));
    assert!(phones.fall_silent(&[(0, 1)]) > 25);
    phones.run(Duration::from_millis(1500));
    let peers = exchange.told("sip show peers");
    assert!(peers.matches("OK (").count() == 2, "{peers}");
    phones.hang_up(0);
    phones.until("it is over", |phones| phones.lines.iter().all(|line| !line.phone.has_call()));
    call(&mut phones);
}

#[test]
fn ten_consoles_that_hear_the_log_harm_no_call_and_neither_does_one_that_does_not_read() {
    let (exchange, mut phones) = house("consoles", 10);
    let mut consoles: Vec<UnixStream> = (0..10)
        .map(|_| {
            let mut console = UnixStream::connect(exchange.control()).unwrap();
            console.write_all(b"core set verbose 9\n").unwrap();
            console
        })
        .collect();
    exchange.told("sip set debug on");
    let stalled = consoles.pop().unwrap();
    let readers: Vec<_> = consoles
        .into_iter()
        .map(|console| {
            std::thread::spawn(move || {
                let mut heard = Vec::new();
                BufReader::new(console).read_to_end(&mut heard).unwrap();
                String::from_utf8_lossy(&heard).matches("INVITE sip:").count()
            })
        })
        .collect();
    // The stalled one's socket holds some 200 kB: this is more.
    for _ in 0..3 {
        round(&mut phones, 10, Duration::from_millis(300));
    }
    assert!(exchange.told("core show channels").contains("30 calls processed"));
    drop(exchange);
    for reader in readers {
        assert!(reader.join().unwrap() >= 30, "a console heard too little");
    }
    drop(stalled);
}

/// What a process holds that calls could leave behind.
fn holds(exchange: &Exchange) -> (usize, usize, usize) {
    let process = exchange.process();
    (proc::descriptors(process), proc::udp_sockets(process), proc::threads(process))
}

#[test]
fn after_many_calls_with_sound_everything_is_given_back() {
    const PAIRS: usize = 50;
    let rounds = if long() { 200 } else { 20 };
    let (exchange, mut phones) = house("soak", PAIRS);
    // What is allocated once and kept is there after the first calls; in the long form so is what half a minute of
    // calls lingers in.
    let first = if long() { 60 } else { 3 };
    for _ in 0..first {
        round(&mut phones, PAIRS, Duration::from_millis(100));
    }
    let (before, memory) = (holds(&exchange), proc::resident(exchange.process()));
    for _ in 0..rounds {
        round(&mut phones, PAIRS, Duration::from_millis(100));
    }
    let calls = rounds * PAIRS;
    let end = Instant::now() + Duration::from_secs(2);
    while holds(&exchange) != before && Instant::now() < end {
        phones.run(Duration::from_millis(20));
    }
    assert_eq!(holds(&exchange), before, "descriptors, UDP sockets, threads");
    let channels = exchange.told("core show channels");
    let processed = format!("{} calls processed", calls + first * PAIRS);
    assert!(channels.contains("0 active channels") && channels.contains(&processed), "{channels}");
    assert!(exchange.told("sip show channels").contains("0 active SIP dialogs"));
    // A call's transactions are remembered for 32 s, its nonce for a day.
    let lingering = if long() {
        phones.run(Duration::from_secs(40));
        calls * NONCE
    } else {
        calls * LINGERING
    };
    let grown = proc::resident(exchange.process()).saturating_sub(memory);
    eprintln!("{calls} calls: {grown} bytes more than before");
    assert!(grown <= lingering + MARGIN, "{calls} calls left {grown} bytes");
}

/// Bytes that a call may hold until its transactions are over.
const LINGERING: usize = 5 * 1024;
/// Bytes of a nonce that came back.
const NONCE: usize = 256;
/// Bytes the allocator may keep for the next calls.
const MARGIN: usize = 3 * 1024 * 1024;

/// Has a thread of the exchange fail at its next such system call.
fn fails_at(exchange: &Exchange, thread: &str, calls: &str) -> std::process::Child {
    let id = proc::thread(exchange.process(), thread).expect("there is no such thread");
    Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-p", &id.to_string(), "-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={calls}:error=EBADF")])
        .spawn()
        .unwrap()
}

#[test]
fn a_thread_that_ends_before_its_time_ends_the_calls_and_the_program_with_an_error() {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        return skip("a thread dies", "strace does not work here");
    }
    for (story, thread, calls, name) in [
        ("no-receiver", "sip-udp", "recvfrom", "SIP receiver"),
        ("no-media", "media", "epoll_wait,epoll_pwait,epoll_pwait2", "media thread"),
    ] {
        let (mut exchange, mut phones) = house(story, 1);
        phones.connect(0, "200", 1);
        let mut strace = fails_at(&exchange, thread, calls);
        phones.talk(&[(0, 1)]);
        phones.run(Duration::from_millis(500));
        phones.act(0, |phone, now| phone.register(now));
        let end = Instant::now() + PATIENCE;
        while exchange.ended().is_none() {
            assert!(Instant::now() < end, "{story}: nobody notices\n{}", exchange.log());
            phones.run(Duration::from_millis(20));
        }
        assert_eq!(exchange.ended().unwrap().code(), Some(1), "{}", exchange.log());
        assert!(exchange.log().contains(&format!("the {name} failed")), "{}", exchange.log());
        assert!(phones.saw(0, &PhoneEvent::Ended) && phones.saw(1, &PhoneEvent::Ended), "{:?}", phones.lines[0].events);
        strace.wait().unwrap();
    }
}
