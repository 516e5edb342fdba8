//! The real program in a configuration folder of its own, with its log; ended with the value.

#![allow(dead_code)] // not every test asks for everything

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The real program, running in a configuration folder of its own.
pub struct Exchange {
    child: Child,
    pub folder: PathBuf,
    pub sip: SocketAddr,
    /// A command that is to run it, and the first words of that.
    pub wrapper: Vec<String>,
}

impl Exchange {
    /// Starts it with these accounts below the `[general]` that every test shares.
    pub fn start(story: &str, accounts: &str, extensions: &str) -> Exchange {
        Exchange::start_as(story, accounts, extensions, |_| {})
    }

    /// The same with SIP at this address.
    pub fn start_at(ip: IpAddr, story: &str, accounts: &str, extensions: &str) -> Exchange {
        Exchange::begin(ip, story, accounts, extensions, |_| {})
    }

    /// The same, in surroundings of its own.
    pub fn start_as(story: &str, accounts: &str, extensions: &str, surround: impl FnOnce(&mut Command)) -> Exchange {
        Exchange::begin(Ipv4Addr::LOCALHOST.into(), story, accounts, extensions, surround)
    }

    /// Starts it at this address, in surroundings of its own.
    pub fn begin(
        ip: IpAddr,
        story: &str,
        accounts: &str,
        extensions: &str,
        surround: impl FnOnce(&mut Command),
    ) -> Exchange {
        let free = UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap();
        let mut exchange = Exchange::prepare(story, free);
        exchange.write_sip(accounts);
        exchange.write("extensions.conf", extensions);
        exchange.run(surround);
        exchange
    }

    /// One that is not started yet: its folder has all but `sip.conf` and `extensions.conf`.
    pub fn prepare(story: &str, sip: SocketAddr) -> Exchange {
        let folder = std::env::temp_dir().join(format!("strowger-test-{}-{story}", std::process::id()));
        // What an earlier run left there.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let exchange = Exchange { child: spawnable(), folder, sip, wrapper: Vec::new() };
        exchange.write("rtp.conf", "[general]\nrtpstart=26000\nrtpend=29000\n");
        exchange.write("strowger.toml", &format!("[state]\nfolder = '{}'\n", exchange.folder.join("state").display()));
        exchange
    }

    /// Starts it, or starts it again after its end, and waits until it is ready.
    pub fn run(&mut self, surround: impl FnOnce(&mut Command)) {
        let path = self.folder.join("log");
        let log = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        let before = self.log().matches(" is ready.").count();
        let mut words = self.wrapper.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_strowger")]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg("-C").arg(&self.folder).arg("--socket").arg(self.control());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        surround(&mut command);
        self.child = command.spawn().unwrap();
        self.said_times(" is ready.", before + 1);
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn write_sip(&self, accounts: &str) {
        let general = format!("[general]\ncontext=default\nudpbindaddr={}\ndirectmedia=no\n", self.sip);
        self.write("sip.conf", &format!("{general}{accounts}"));
    }

    /// A console command's answer, and whether it failed.
    pub fn ask(&self, line: &str) -> (bool, String) {
        let mut stream = UnixStream::connect(self.control()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        stream.read_line(&mut head).unwrap();
        let (word, length) = head.trim_end().split_once(' ').unwrap_or_else(|| panic!("no answer to {line}: {head:?}"));
        let mut text = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut text).unwrap();
        (word != "ok", String::from_utf8(text).unwrap())
    }

    /// The answer of a command that succeeds.
    pub fn told(&self, line: &str) -> String {
        let (failed, text) = self.ask(line);
        assert!(!failed, "{line}: {text}");
        text
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The control socket.
    pub fn control(&self) -> PathBuf {
        self.folder.join("ctl")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until the log holds these words.
    pub fn said(&self, words: &str) {
        self.said_times(words, 1);
    }

    /// Waits until the log holds these words so often.
    pub fn said_times(&self, words: &str, times: usize) {
        let end = Instant::now() + PATIENCE;
        while self.log().matches(words).count() < times {
            assert!(Instant::now() < end, "the log never says {words:?} {times} times:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the exchange's log:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Stands for the child until its files are written.
fn spawnable() -> Child {
    Command::new("true").spawn().unwrap()
}
