//! The exchange under test: the real program in a folder of its own, killed and started again as a story wants.

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

pub const SECRET: &str = "password";
const PROGRAM: &str = env!("CARGO_BIN_EXE_strowger");

pub struct Exchange {
    child: Option<Child>,
    pub folder: PathBuf,
    pub state: PathBuf,
    pub address: SocketAddr,
}

impl Exchange {
    /// A folder with a configuration for these lines; `state` as strowger.toml names it.
    pub fn prepare(story: &str, peers: &[String], state: &Path) -> Exchange {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{story}"));
        // What an earlier run left there.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = (0..400)
            .map(|step| 24_000 + number * 400 + step)
            .find(|port| UdpSocket::bind(("127.0.0.1", *port)).is_ok());
        let address = SocketAddr::from(([127, 0, 0, 1], port.unwrap()));
        let mut sip = format!(
            "[general]\nudpbindaddr={address}\ncontext=default\nqualify=no\ndirectmedia=no\n[line](!)\ntype=friend\nhost=dynamic\nsecret={SECRET}\n"
        );
        for peer in peers {
            sip.push_str(&format!("[{peer}](line)\n"));
        }
        let extensions = "[default]\nexten => 1,1,Dial(SIP/ann,20)\nexten => 2,1,Set(DB(seen/ann)=${CALLERID(num)})\nsame => n,Dial(SIP/bob,20)\n";
        let rtp = format!("[general]\nrtpstart={0}\nrtpend={1}\n", 30_000 + number * 100, 30_099 + number * 100);
        let toml = format!(
            "[control]\nsocket = \"{}\"\n[state]\nfolder = \"{}\"\n",
            folder.join("c.ctl").display(),
            state.display()
        );
        for (name, text) in [
            ("sip.conf", &sip),
            ("extensions.conf", &extensions.to_owned()),
            ("rtp.conf", &rtp),
            ("strowger.toml", &toml),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
            std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        Exchange { child: None, state: folder.join(state), folder, address }
    }

    /// Prepared and started, with the lines ann and bob.
    pub fn start(story: &str) -> Exchange {
        let mut exchange = Exchange::prepare(story, &["ann".to_owned(), "bob".to_owned()], Path::new("state"));
        exchange.run(&[]);
        exchange.booted();
        exchange
    }

    /// Runs the program, below another one if that is given.
    pub fn run(&mut self, below: &[&str]) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let words: Vec<&str> = below.iter().copied().chain([PROGRAM]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .arg("-C")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    pub fn booted(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.ask("core waitfullybooted").contains("fully booted") {
            assert!(self.is_running() && Instant::now() < end, "the exchange does not boot:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// kill -9, and a new start.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.run(&[]);
        self.booted();
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be dead already: that is what some stories want.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    pub fn ask(&self, words: &str) -> String {
        self.told(&["-rx", words])
    }

    /// What a command of the program prints.
    pub fn told(&self, arguments: &[&str]) -> String {
        let output =
            Command::new(PROGRAM).arg("-C").arg(&self.folder).args(arguments).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until the log says something.
    pub fn said(&self, words: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.log().contains(words) {
            assert!(Instant::now() < end, "the log never says {words:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Is a line registered at this port, for all the console knows?
    pub fn has(&self, line: &str, port: u16) -> bool {
        let row = self.ask("sip show peers").lines().find(|row| row.starts_with(line)).map(str::to_owned);
        row.is_some_and(|row| row.split_whitespace().any(|word| word == port.to_string()))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.kill();
    }
}
