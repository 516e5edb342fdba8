//! The exchange under test: the real program, in a configuration directory of its own, ended with the value.

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::telephone::Way;

/// The lines of the test telephones, and their secrets.
pub const ALICE: (&str, &str) = ("alice", "apple");
pub const BOB: (&str, &str) = ("bob", "banana");
pub const CAROL: (&str, &str) = ("carol", "cherry");

/// A running exchange.
pub struct Exchange {
    child: Child,
    pub folder: PathBuf,
    pub address: String,
    pub port: u16,
    namespace: Option<String>,
}

/// What a story wants to be different.
pub struct Wishes<'a> {
    /// `directmedia` of both lines.
    pub direct: bool,
    /// `qualify` of both lines.
    pub qualify: &'a str,
    /// The address to listen on.
    pub address: &'a str,
    /// The network namespace to run in.
    pub namespace: Option<&'a str>,
    /// What carries SIP, besides UDP.
    pub way: Way,
    /// More options of `[general]` in `sip.conf`, a line each.
    pub general: &'a str,
    /// More of `extensions.conf`, in the context of the lines at first.
    pub extensions: &'a str,
    /// More options of all lines, a line each.
    pub line: &'a str,
    /// More of `strowger.toml`.
    pub toml: &'a str,
    /// What it reads as `/etc/resolv.conf`, if it is to be another file; only in a network of its own.
    pub resolver: Option<&'a Path>,
    /// Other files of the configuration, by name.
    pub files: &'a [(&'a str, &'a str)],
}

/// The tone that 601 plays, in Hz.
pub const TONE: u16 = 1_004;

impl Default for Wishes<'_> {
    fn default() -> Self {
        Wishes {
            direct: false,
            qualify: "no",
            address: "127.0.0.1",
            namespace: None,
            way: Way::Udp,
            general: "",
            extensions: "",
            line: "",
            toml: "",
            resolver: None,
            files: &[],
        }
    }
}

impl Exchange {
    pub fn start(story: &str, wishes: &Wishes<'_>) -> Exchange {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("interop-{story}"));
        // What an earlier run left there.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        write_configuration(&folder, port, wishes);
        let log = std::fs::File::create(folder.join("exchange.log")).unwrap();
        let mut program = match wishes.resolver {
            // What is entered has file systems of its own.
            Some(file) => {
                let mut shell = command(wishes.namespace, "sh");
                shell.args(["-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""]).arg(file);
                shell.arg(env!("CARGO_BIN_EXE_strowger"));
                shell
            }
            None => command(wishes.namespace, env!("CARGO_BIN_EXE_strowger")),
        };
        let child = program
            .arg("-C")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let namespace = wishes.namespace.map(str::to_owned);
        let mut exchange = Exchange { child, folder, address: wishes.address.to_owned(), port, namespace };
        exchange.wait_until_booted();
        exchange
    }

    fn wait_until_booted(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let (answered, text) = self.ask_for("core waitfullybooted");
            if answered && text.contains("fully booted") {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the exchange ended ({ended:?}):\n{}", self.log());
            assert!(Instant::now() < end, "the exchange does not boot: {text}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// One console command's answer.
    pub fn ask(&self, words: &str) -> String {
        let (answered, text) = self.ask_for(words);
        assert!(answered, "`{words}` got no answer: {text}\n{}", self.log());
        text
    }

    fn ask_for(&self, words: &str) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .arg("-C")
            .arg(&self.folder)
            .args(["-rx", words])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Asks until the answer holds `wanted`.
    pub fn ask_until(&self, words: &str, wanted: &str) -> String {
        let mut last = String::new();
        let seen = wait(Duration::from_secs(10), || {
            last = self.ask(words);
            last.contains(wanted)
        });
        assert!(seen, "`{words}` never says {wanted:?}; it says:\n{last}\n{}", self.log());
        last
    }

    /// Waits until the log holds `wanted`, and returns the first line that does.
    pub fn said(&self, wanted: &str) -> String {
        self.said_since(0, wanted)
    }

    /// The same after the first `before` bytes of the log.
    pub fn said_since(&self, before: usize, wanted: &str) -> String {
        let mut line = None;
        wait(Duration::from_secs(8), || {
            let log = self.log();
            line = log.get(before..).and_then(|log| log.lines().find(|line| line.contains(wanted))).map(str::to_owned);
            line.is_some()
        });
        line.unwrap_or_else(|| panic!("the log never says {wanted:?}:\n{}", self.log()))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("exchange.log")).unwrap_or_default()
    }

    /// How many descriptors the exchange holds open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process())).unwrap().count()
    }

    /// The exchange's own process id; under `ip netns exec` it is the same, for that replaces itself.
    fn process(&self) -> u32 {
        self.child.id()
    }

    /// Nothing is left of any call: no channel, and no descriptor more than `before`.
    pub fn assert_nothing_left(&self, before: usize) {
        self.ask_until("core show channels", "0 active channels");
        let mut now = 0;
        let back = wait(Duration::from_secs(10), || {
            now = self.descriptors();
            now <= before
        });
        assert!(back, "{now} descriptors are open, {before} were\n{}", self.log());
    }

    /// Ends the exchange as a user would, and says whether it ended well.
    pub fn stop(mut self) {
        self.ask_for("core stop now");
        let mut status = None;
        wait(Duration::from_secs(5), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let log = self.log();
        assert!(status.is_some_and(|status| status.success()), "`core stop now`: {status:?}\n{log}");
        assert!(!log.contains("panicked"), "{log}");
    }

    /// Where it is reached that way.
    pub fn server(&self, way: Way) -> String {
        with_port(&self.address, if way.protocol() == "tls" { self.port + 1 } else { self.port })
    }

    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_configuration(folder: &Path, port: u16, wishes: &Wishes<'_>) {
    let (address, qualify) = (wishes.address, wishes.qualify);
    let direct = if wishes.direct { "yes" } else { "no" };
    let general = wishes.general;
    let mut sip = format!(
        "[general]\nudpbindaddr={}\ncontext=default\nallowguest=no\n{general}{}\n[line](!)\n",
        with_port(address, port),
        listening(folder, address, port, wishes.way),
    );
    sip.push_str("type=friend\nhost=dynamic\ncontext=default\ndisallow=all\nallow=ulaw\n");
    sip.push_str(&format!("qualify={qualify}\ndirectmedia={direct}\n{}", wishes.line));
    for (name, secret) in [ALICE, BOB, CAROL] {
        sip.push_str(&format!("\n[{name}](line)\nsecret={secret}\n"));
    }
    let extensions = "[default]\n\
        exten => 100,1,Dial(SIP/alice,20)\n\
        exten => 200,1,Dial(SIP/bob,20)\n\
        exten => 201,1,Dial(SIP/bob,1)\n\
        exten => 300,1,Dial(SIP/carol,20)\n\
        exten => 600,1,Answer()\n\
        \x20same => n,Echo()\n\
        exten => 601,1,Answer()\n\
        \x20same => n,Playback(tone/milliwatt&tone/milliwatt&tone/milliwatt)\n\
        exten => 602,1,Busy()\n\
        exten => _62X,1,Verbose(1,${EXTEN} reads)\n\
        \x20same => n,ExecIf($[${EXTEN} = 621]?SIPDtmfMode(info))\n\
        \x20same => n,Read(got,,4,,1,9)\n\
        \x20same => n,Verbose(1,${EXTEN} has read ${got})\n\
        \x20same => n,SendDTMF(159#,200,120)\n\
        \x20same => n,Verbose(1,${EXTEN} has pressed)\n\
        \x20same => n,Wait(9)\n"
        .to_owned()
        + wishes.extensions;
    // Below what the system gives out by itself, and apart for every exchange of this test.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 18_000 + NEXT.fetch_add(1, Ordering::Relaxed) * 600;
    let rtp = format!("[general]\nrtpstart={first}\nrtpend={}\n", first + 599);
    let control = folder.join("c.ctl");
    let toml = format!(
        "[control]\nsocket = \"{}\"\n\n[state]\nfolder = \"{}\"\n{}",
        control.display(),
        folder.join("state").display(),
        wishes.toml
    );
    let files = [
        ("sip.conf", sip.as_str()),
        ("extensions.conf", extensions.as_str()),
        ("rtp.conf", &rtp),
        ("strowger.toml", &toml),
    ];
    for (name, text) in files.into_iter().chain(wishes.files.iter().copied()) {
        std::fs::write(folder.join(name), text).unwrap();
        // Secrets that anyone may read are worth a warning, which is not what the stories are about.
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// The options for what is listened on besides UDP.
fn listening(folder: &Path, address: &str, port: u16, way: Way) -> String {
    match way.protocol() {
        "tcp" => format!("tcpenable=yes\ntcpbindaddr={}\n", with_port(address, port)),
        "tls" => {
            let certificate = folder.join("certificate.pem");
            write_certificate(&certificate, address);
            format!(
                "tlsenable=yes\ntlsbindaddr={}\ntlscertfile={}\n",
                with_port(address, port + 1),
                certificate.display()
            )
        }
        _ => String::new(),
    }
}

/// A certificate that is its own authority, with its key. The address stands where the telephones' libraries look for
/// it: not all know addresses among the other names.
fn write_certificate(path: &Path, address: &str) {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, address);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(path, certificate.pem() + &key.serialize_pem()).unwrap();
}

fn with_port(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// A command, inside a network namespace when one is named.
pub fn command(namespace: Option<&str>, program: &str) -> Command {
    let Some(name) = namespace else { return Command::new(program) };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", name, program]);
    command
}

/// A UDP port on the loopback that is free now, another one at each call. The port above is nobody else's either: some
/// want two.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset = (std::process::id() % 400) as u16 * 10;
        let port = 12_000 + offset + NEXT.fetch_add(2, Ordering::Relaxed) % 1_000;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Looks until `met` or the time is over; says whether it was met.
pub fn wait(longest: Duration, mut met: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + longest;
    loop {
        if met() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
