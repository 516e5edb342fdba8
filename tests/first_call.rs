//! `docs/start/first-call.md` shows what really stands there: its first start and its call between two softphones are
//! run, and compared line by line.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;

use phones::Phones;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use strowger::config::builtin::{self, EXTENSIONS};

const PAGE: &str = include_str!("../docs/start/first-call.md");

/// The block of the page that holds these words.
fn block(words: &str) -> Vec<&'static str> {
    let found = PAGE.split("```").skip(1).step_by(2).find(|block| block.contains(words));
    found.unwrap_or_else(|| panic!("no block with {words}")).lines().skip(1).collect()
}

/// A line with what differs from run to run made alike: numbers, and with them times and addresses.
fn alike(line: &str) -> String {
    let mut out = String::new();
    // On a busy machine a packet may come late: that is told behind these words.
    let line = line.split_inclusive("; none lost").next().unwrap_or_default();
    for c in line.trim_end().chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

/// The real program with the configuration of a first start, but for its secrets and its port.
struct Exchange {
    folder: PathBuf,
    sip: SocketAddr,
    child: Child,
}

impl Exchange {
    fn start() -> Exchange {
        let folder = std::env::temp_dir().join(format!("strowger-first-call-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let sip = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let secrets: [String; EXTENSIONS] = std::array::from_fn(|_| "password".to_owned());
        let texts = builtin::generate(&secrets);
        let toml = "[state]\nfolder = 'state'\n[control]\nsocket = 'x.ctl'\n";
        let bound = texts.sip.replace("udpbindaddr=0.0.0.0 ", &format!("udpbindaddr={sip} "));
        assert_ne!(bound, texts.sip);
        for (name, text) in [
            ("sip.conf", bound.as_str()),
            ("extensions.conf", &texts.extensions),
            ("strowger.toml", toml),
            ("rtp.conf", "[general]\nrtpstart=29000\nrtpend=29900\n"),
        ] {
            fs::write(folder.join(name), text).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
        let child = command.arg("-C").arg(&folder).stdin(Stdio::null()).stderr(log).spawn().unwrap();
        let exchange = Exchange { folder, sip, child };
        exchange.said(" is ready.");
        exchange
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    fn said(&self, words: &str) {
        let end = Instant::now() + exchange::PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < end, "the log never says {words:?}: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn the_call_between_two_softphones_is_shown_as_it_is_logged() {
    let exchange = Exchange::start();
    let mut phones = Phones::new(exchange.sip, &["101".to_owned(), "102".to_owned()]);
    // As the page has it: the echo first.
    phones.dial(0, "*43");
    phones.until("the echo answers", |phones| phones.lines[0].phone.is_talking());
    phones.hang_up(0);
    exchange.said("Spawn extension (internal, *43, ");
    phones.connect(0, "102", 1);
    phones.talk(&[(0, 1)]);
    phones.run(Duration::from_secs(1));
    phones.fall_silent(&[(0, 1)]);
    phones.hang_up(0);
    exchange.said("Spawn extension (internal, 102, 1)");
    phones.run(Duration::from_millis(500));
    let log = exchange.log();
    let shown = block("Executing [102@internal:1]");
    let (before, call) = shown.split_at(shown.iter().position(|line| line.contains("Executing")).unwrap());
    let begun = log.lines().position(|line| line.contains("Executing [102@")).unwrap();
    let logged: Vec<String> = log.lines().skip(begun).map(alike).collect();
    let expected: Vec<String> = call.iter().map(|line| alike(line)).collect();
    assert_eq!(logged, expected, "{log}");
    assert!(!before.is_empty());
    for line in before {
        assert!(log.lines().any(|logged| alike(logged) == alike(line)), "{line} is not in {log}");
    }
}
