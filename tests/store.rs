//! What outlives a restart: the real program killed at bad moments, with damaged, read-only and full folders, and a
//! thousand phones at once. A story that needs what is not here (root, strace) is skipped by name.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "store/exchange.rs"]
mod exchange;
#[path = "store/line.rs"]
mod line;
#[path = "support/skip.rs"]
mod skip;

#[path = "support/uninterrupted.rs"]
mod uninterrupted;
use exchange::Exchange;
use line::{Line, until};
use skip::skip;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use strowger::sim::PhoneEvent;
use uninterrupted::uninterrupted;

const LONG: Duration = Duration::from_secs(15);

fn register(line: &mut Line) {
    line.registers();
    assert!(until(&mut [line], LONG, |lines| lines[0].is_registered()), "{:?}", line.events);
}

/// bob dials ann, who answers and is hung up on.
fn call(ann: &mut Line, bob: &mut Line) {
    talk(ann, bob);
    bob.hangs_up();
    let ended = until(&mut [ann, bob], LONG, |lines| lines.iter().all(|line| line.saw(&PhoneEvent::Ended)));
    assert!(ended, "{:?} {:?}", ann.events, bob.events);
}

fn talk(ann: &mut Line, bob: &mut Line) {
    ann.events.clear();
    bob.events.clear();
    bob.dials("1");
    let answered = until(&mut [ann, bob], LONG, |lines| lines.iter().all(|line| line.saw(&PhoneEvent::Answered)));
    assert!(answered, "{:?} {:?}", ann.events, bob.events);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_registration_outlives_a_kill_right_after_its_200() {
    let mut exchange = Exchange::start("registered");
    let mut ann = Line::new("ann", exchange.address);
    register(&mut ann);
    exchange.kill_and_restart();
    assert!(exchange.has("ann", ann.port()), "{}\n{}", exchange.ask("sip show peers"), exchange.log());
    exchange.said("Restored 1 registration: those peers can be called at once");
    let mut bob = Line::new("bob", exchange.address);
    register(&mut bob);
    call(&mut ann, &mut bob);
    let key = std::fs::read_to_string(exchange.state.join("nonce.key")).unwrap();
    exchange.kill_and_restart();
    assert_eq!(std::fs::read_to_string(exchange.state.join("nonce.key")).unwrap(), key);
    for (name, wanted) in
        [("", 0o700), ("state.db", 0o600), ("state.db-wal", 0o600), ("calls.db", 0o600), ("nonce.key", 0o600)]
    {
        assert_eq!(mode(&exchange.state.join(name)), wanted, "{name}");
    }
}

/// What was recorded on the wire before is told to be stale, and its owner gets in with the next one.
#[test]
fn a_digest_of_before_a_kill_is_stale_and_not_refused() {
    use strowger::sip::digest::{Ha1, answer};
    use strowger::sip::header::Challenge;
    let mut exchange = Exchange::start("recorded");
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.set_read_timeout(Some(LONG)).unwrap();
    let own = phone.local_addr().unwrap();
    let register = |cseq: u32, authorization: &str| {
        format!(
            "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{cseq}\r\nMax-Forwards: 70\r\n\
             From: <sip:ann@127.0.0.1>;tag=1\r\nTo: <sip:ann@127.0.0.1>\r\nCall-ID: r\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: <sip:ann@{own}>\r\n{authorization}Content-Length: 0\r\n\r\n"
        )
    };
    let ask = |exchange: &Exchange, request: &str| {
        phone.send_to(request.as_bytes(), exchange.address).unwrap();
        let mut buffer = [0; 4096];
        let length = uninterrupted(|| phone.recv(&mut buffer)).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let prove = |cseq: u32, challenged: &str| {
        let challenge = challenged.lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).unwrap();
        let challenge = Challenge::parse(challenge.as_bytes()).unwrap();
        let ha1 = Ha1::from_secret("ann", &challenge.realm, exchange::SECRET);
        let method = strowger::sip::Method::Register;
        let digest = answer(&challenge, "ann", &ha1, &method, "sip:127.0.0.1", "c0ffee", 1).unwrap();
        register(cseq, &format!("Authorization: {digest}\r\n"))
    };
    let recorded = prove(2, &ask(&exchange, &register(1, "")));
    let done = ask(&exchange, &recorded);
    assert!(done.starts_with("SIP/2.0 200 "), "{done}");
    exchange.kill_and_restart();
    let stale = ask(&exchange, &recorded);
    assert!(stale.starts_with("SIP/2.0 401 ") && stale.contains("stale=true"), "{stale}");
    let done = ask(&exchange, &prove(3, &stale));
    assert!(done.starts_with("SIP/2.0 200 "), "{done}");
}

#[test]
fn a_line_outlives_a_kill_in_mid_call() {
    let mut exchange = Exchange::start("call");
    let (mut ann, mut bob) = (Line::new("ann", exchange.address), Line::new("bob", exchange.address));
    register(&mut ann);
    register(&mut bob);
    talk(&mut ann, &mut bob);
    exchange.kill_and_restart();
    assert!(exchange.has("ann", ann.port()) && exchange.has("bob", bob.port()), "{}", exchange.ask("sip show peers"));
    // Both hang up what the exchange knows nothing of any more, and call again.
    ann.hangs_up();
    bob.hangs_up();
    assert!(until(&mut [&mut ann, &mut bob], LONG, |lines| lines.iter().all(|line| line.saw(&PhoneEvent::Ended))));
    call(&mut ann, &mut bob);
}

#[test]
fn the_database_outlives_a_kill_and_calls_leave_their_records() {
    let mut exchange = Exchange::start("records");
    let (mut ann, mut bob) = (Line::new("ann", exchange.address), Line::new("bob", exchange.address));
    register(&mut ann);
    register(&mut bob);
    assert_eq!(exchange.ask("database put cid 5551234 \"Aunt Ada\""), "Updated database successfully\n");
    call(&mut ann, &mut bob);
    ann.events.clear();
    bob.events.clear();
    ann.dials("2");
    assert!(until(&mut [&mut ann, &mut bob], LONG, |lines| lines.iter().all(|line| line.saw(&PhoneEvent::Answered))));
    exchange.kill_and_restart();
    assert_eq!(exchange.ask("database get cid 5551234"), "Value: Aunt Ada\n");
    assert_eq!(exchange.ask("database get seen ann"), "Value: ann\n", "the dialplan's own entry");
    assert!(exchange.ask("database showkey ann").contains(&format!("127.0.0.1:{}:3600:ann:sip:ann@", ann.port())));
    let csv = std::fs::read_to_string(exchange.state.join("cdr-csv/Master.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1, "{csv}");
    assert!(
        lines[0].starts_with("\"\",\"bob\",\"1\",\"default\",\"")
            && lines[0].contains(",\"SIP/bob-00000000\",\"SIP/ann-00000001\",\"Dial\",\"SIP/ann,20\",\""),
        "{csv}"
    );
    assert!(lines[0].contains(",\"ANSWERED\",\"DOCUMENTATION\",\""), "{csv}");
    let calls = rusqlite::Connection::open(exchange.state.join("calls.db")).unwrap();
    let row: (String, String, String, String) = calls
        .query_row("SELECT ended_by, codec, caller_rtp, called_rtp FROM call", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    assert_eq!((row.0.as_str(), row.1.as_str()), ("caller", "ulaw"));
    assert!(row.2.starts_with("127.0.0.1:") && row.3.starts_with("127.0.0.1:") && row.2 != row.3, "{row:?}");
    // Read beside the exchange that runs; of lines that sent no sound none is kept.
    let told = exchange.told(&["calls", "--quality"]);
    assert!(told.contains("  bob          1  ") && told.contains(" ANSWERED   the caller hung up (1"), "{told}");
    assert!(told.contains("no sound of it passed through the exchange"), "{told}");
    let json = exchange.told(&["calls", "--json"]);
    assert!(json.contains("\"called_channel\":\"SIP/ann-00000001\"") && json.contains("\"lines\":[]"), "{json}");
}

#[test]
fn a_damaged_file_is_moved_aside() {
    let mut exchange = Exchange::start("damaged");
    let mut ann = Line::new("ann", exchange.address);
    register(&mut ann);
    exchange.kill();
    // The log file alone would bring everything back.
    std::fs::remove_file(exchange.state.join("state.db-wal")).unwrap();
    std::fs::write(
        exchange.state.join("state.db"),
        "not a database at all, but long enough to be looked at".repeat(99),
    )
    .unwrap();
    exchange.run(&[]);
    exchange.booted();
    exchange.said("is damaged");
    let aside = std::fs::read_dir(&exchange.state).unwrap().flatten();
    assert!(aside.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("state.db.damaged-")));
    ann.events.clear();
    register(&mut ann);
    exchange.kill_and_restart();
    assert!(exchange.has("ann", ann.port()));
}

#[test]
fn a_folder_that_cannot_be_used_is_said_once_and_survived() {
    let mut exchange = Exchange::prepare("unusable", &["ann".to_owned(), "bob".to_owned()], Path::new("file/state"));
    std::fs::write(exchange.folder.join("file"), "").unwrap();
    exchange.run(&[]);
    exchange.booted();
    let (mut ann, mut bob) = (Line::new("ann", exchange.address), Line::new("bob", exchange.address));
    register(&mut ann);
    register(&mut bob);
    call(&mut ann, &mut bob);
    assert_eq!(exchange.log().matches("cannot be kept").count(), 1, "{}", exchange.log());
    assert!(exchange.log().contains("[state] folder in strowger.toml"), "{}", exchange.log());
    // What is in the way goes: within ten seconds all is kept.
    std::fs::remove_file(exchange.folder.join("file")).unwrap();
    exchange.said("is kept again");
    exchange.kill_and_restart();
    assert!(exchange.has("ann", ann.port()) && exchange.has("bob", bob.port()));
}

struct Mount(PathBuf);

impl Mount {
    /// A small file system of its own; none when that is not allowed here.
    fn new(story: &str) -> Option<Mount> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("mount-{story}"));
        let _ = Command::new("umount").arg(&folder).output();
        std::fs::create_dir_all(&folder).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&folder).output();
        let mounted = mount.is_ok_and(|done| done.status.success());
        if !mounted {
            skip(story, "no tmpfs can be mounted: not root");
        }
        mounted.then_some(Mount(folder))
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_and_made_up_for() {
    let Some(mount) = Mount::new("full-disk") else { return };
    let mut exchange = Exchange::prepare("full", &["ann".to_owned(), "bob".to_owned()], &mount.0);
    exchange.run(&[]);
    exchange.booted();
    let ballast = mount.0.join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    let (mut ann, mut bob) = (Line::new("ann", exchange.address), Line::new("bob", exchange.address));
    register(&mut ann);
    register(&mut bob);
    for number in 0..200 {
        exchange.ask(&format!("database put fill {number} {}", "x".repeat(4000)));
        if exchange.log().contains("cannot be kept") {
            break;
        }
    }
    exchange.said("make room on the disk");
    let records = |exchange: &Exchange| {
        std::fs::read_to_string(exchange.state.join("cdr-csv/Master.csv")).unwrap_or_default().lines().count()
    };
    let before = records(&exchange);
    // Nobody is turned away, however often it fails, and it is said once: the state, and the records of calls.
    for _ in 0..3 {
        register(&mut ann);
        register(&mut bob);
        call(&mut ann, &mut bob);
    }
    exchange.said("Call records are not kept");
    for said in ["cannot be kept", "Call records are not kept"] {
        assert!(exchange.log().matches(said).count() <= 2, "{said:?} is said again and again:\n{}", exchange.log());
    }
    exchange.ask("database deltree fill");
    std::fs::remove_file(&ballast).unwrap();
    exchange.said("is kept again");
    call(&mut ann, &mut bob);
    let end = Instant::now() + LONG;
    while records(&exchange) <= before {
        assert!(Instant::now() < end, "no call is recorded any more\n{}", exchange.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    exchange.kill_and_restart();
    assert!(exchange.has("ann", ann.port()) && exchange.has("bob", bob.port()));
}

#[test]
fn a_disk_that_becomes_read_only_is_said_and_survived() {
    let Some(mount) = Mount::new("read-only-disk") else { return };
    mount.remount("ro");
    let mut exchange = Exchange::prepare("read-only", &["ann".to_owned(), "bob".to_owned()], &mount.0);
    exchange.run(&[]);
    exchange.booted();
    exchange.said("cannot be kept");
    let (mut ann, mut bob) = (Line::new("ann", exchange.address), Line::new("bob", exchange.address));
    register(&mut ann);
    register(&mut bob);
    call(&mut ann, &mut bob);
    mount.remount("rw");
    exchange.said("is kept again");
    exchange.kill_and_restart();
    assert!(exchange.has("ann", ann.port()));
}

#[test]
fn a_thousand_phones_at_once_are_served_and_none_is_forgotten() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < 4096) {
        return skip("a thousand phones", "too few descriptors");
    }
    limit.current = Some(4096);
    setrlimit(Resource::Nofile, limit).unwrap();
    let names: Vec<String> = (0..1000).map(|number| format!("p{number:04}")).collect();
    let mut exchange = Exchange::prepare("storm", &names, Path::new("state"));
    exchange.run(&[]);
    exchange.booted();
    let mut lines: Vec<Line> = (0u16..)
        .zip(&names)
        .map(|(number, name)| {
            let [high, low] = number.to_be_bytes();
            Line::at(name, exchange.address, IpAddr::V4(Ipv4Addr::new(127, 1, high + 1, low)), u64::from(number))
        })
        .collect();
    let begun = Instant::now();
    lines.iter_mut().for_each(Line::registers);
    let mut all: Vec<&mut Line> = lines.iter_mut().collect();
    let served = until(&mut all, Duration::from_secs(40), |lines| lines.iter().all(|line| line.is_registered()));
    let missing = all.iter().filter(|line| !line.is_registered()).count();
    assert!(served, "{missing} of 1000 got no answer\n{}", exchange.ask("sip show counters"));
    eprintln!("1000 phones were registered in {:?}", begun.elapsed());
    exchange.kill_and_restart();
    let peers = exchange.ask("sip show peers");
    for (name, line) in names.iter().zip(&lines) {
        let row = peers.lines().find(|row| row.starts_with(name)).unwrap_or_else(|| panic!("{peers}"));
        assert!(row.contains(&line.port().to_string()), "{row}");
    }
}

/// Killed at one system call after the other: whoever was told 200 is known afterwards, and everybody can register.
#[test]
fn a_kill_at_any_write_forgets_nobody_who_was_answered() {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        return skip("a kill at any write", "strace does not work here");
    }
    let mut exchange = Exchange::prepare("inject", &["ann".to_owned(), "bob".to_owned()], Path::new("state"));
    let mut killed = 0;
    let rounds = (1..=14).map(|when| ("pwrite64", when)).chain((1..=2).map(|when| ("fdatasync", when)));
    let rounds = rounds.chain([("fsync", 1), ("rename", 1), ("ftruncate", 1), ("unlink", 1)]);
    for (call, when) in rounds {
        let _ = std::fs::remove_dir_all(&exchange.state);
        let _ = std::fs::remove_file(exchange.folder.join("c.ctl"));
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:signal=SIGKILL:when={when}");
        // -D: the exchange itself is our child, strace only looks on.
        exchange.run(&["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]);
        let mut ann = Line::new("ann", exchange.address);
        ann.registers();
        let end = Instant::now() + Duration::from_secs(20);
        // It dies at the call, or goes on without ever making it: a second more, for the thread that syncs.
        while exchange.is_running() && Instant::now() < end && !ann.is_registered() {
            ann.turn();
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(if call == "pwrite64" { 0 } else { 800 }));
        killed += usize::from(!exchange.is_running());
        ann.turn();
        exchange.kill();
        exchange.run(&[]);
        exchange.booted();
        if ann.is_registered() {
            assert!(exchange.has("ann", ann.port()), "{call} {when}: forgotten\n{}", exchange.log());
        }
        let mut bob = Line::new("bob", exchange.address);
        register(&mut bob);
        exchange.kill();
        assert!(!exchange.log().contains("damaged"), "{call} {when}\n{}", exchange.log());
    }
    assert!(killed >= 10, "only {killed} rounds were killed at a call: the others prove nothing");
}
