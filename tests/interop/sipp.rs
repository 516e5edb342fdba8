//! Telephones played by SIPp, after the scenarios in `sipp/`.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::exchange::{Exchange, command, free_port, wait};

/// The longest a story may take before SIPp gives up.
const LONGEST_S: u64 = 40;

/// A telephone: whose line it is, where it listens, and how it behaves.
pub struct Phone<'a> {
    exchange: &'a Exchange,
    line: (&'a str, &'a str),
    pub port: u16,
    rtp: u16,
    /// The port it wants fax at.
    fax: u16,
    hold_ms: u64,
    reinvite: &'a str,
    calls: (u32, u32),
    status: (u16, &'a str),
    longest_s: u64,
    /// Where it sends callers.
    contact: &'a str,
    /// As SIPp names it: one socket for all, UDP or TCP.
    transport: &'a str,
}

/// A scenario that is being played.
pub struct Play {
    child: Child,
    name: String,
    files: PathBuf,
    longest_s: u64,
}

impl<'a> Phone<'a> {
    pub fn new(exchange: &'a Exchange, line: (&'a str, &'a str)) -> Phone<'a> {
        let (port, rtp, fax) = (free_port(), free_port(), free_port());
        let (hold_ms, reinvite, calls, status) = (60_000, "200", (1, 1), (200, "OK"));
        Phone {
            exchange,
            line,
            port,
            rtp,
            fax,
            hold_ms,
            reinvite,
            calls,
            status,
            longest_s: LONGEST_S,
            contact: "",
            transport: "u1",
        }
    }

    /// Listens and calls at this port.
    pub fn at(mut self, port: u16) -> Phone<'a> {
        self.port = port;
        self
    }

    /// Gives up later than others.
    pub fn patient(mut self) -> Phone<'a> {
        self.longest_s = 2 * LONGEST_S;
        self
    }

    /// Sends whoever calls to this URI.
    pub fn leading_to(mut self, contact: &'a str) -> Phone<'a> {
        self.contact = contact;
        self
    }

    /// Calls over TCP.
    pub fn over_tcp(mut self) -> Phone<'a> {
        self.transport = "t1";
        self
    }

    /// Names this port in its session descriptions.
    pub fn with_rtp(mut self, port: u16) -> Phone<'a> {
        self.rtp = port;
        self
    }

    /// Names this port for fax.
    pub fn with_fax(mut self, port: u16) -> Phone<'a> {
        self.fax = port;
        self
    }

    /// Hangs up after this time, unless the other side does.
    pub fn hanging_up_after(mut self, hold_ms: u64) -> Phone<'a> {
        self.hold_ms = hold_ms;
        self
    }

    /// Answers every re-INVITE with 488.
    pub fn refusing_reinvites(mut self) -> Phone<'a> {
        self.reinvite = "488";
        self
    }

    /// Makes or takes so many calls, so many of them at a time.
    pub fn calls(mut self, all: u32, at_once: u32) -> Phone<'a> {
        self.calls = (all, at_once);
        self
    }

    /// The status the scenario gives or expects.
    pub fn status(mut self, code: u16, reason: &'a str) -> Phone<'a> {
        self.status = (code, reason);
        self
    }

    /// Registers, and waits until that is done.
    pub fn registered(self) -> Phone<'a> {
        self.play("register.xml", "").succeeds();
        self
    }

    /// Begins to take calls after `scenario`; ready when this returns.
    pub fn listens(&self, scenario: &str) -> Play {
        let play = self.play(scenario, "");
        let port = self.port;
        let ready = wait(Duration::from_secs(5), || match self.exchange.namespace() {
            None => UdpSocket::bind(("127.0.0.1", port)).is_err(),
            Some(_) => {
                let sockets = command(self.exchange.namespace(), "cat").arg("/proc/net/udp").output();
                sockets.is_ok_and(|all| String::from_utf8_lossy(&all.stdout).contains(&format!(":{port:04X} ")))
            }
        });
        assert!(ready, "SIPp does not listen on port {port}");
        play
    }

    /// Begins to call `number` after `scenario`.
    pub fn calling(&self, scenario: &str, number: &str) -> Play {
        self.play(scenario, number)
    }

    fn play(&self, scenario: &str, number: &str) -> Play {
        let template = format!("{}/tests/interop/sipp/{scenario}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&template).unwrap_or_else(|error| panic!("{template}: {error}"));
        let (user, secret) = self.line;
        let text = text
            .replace("{REINVITE}", answer_to_reinvite(self.reinvite))
            .replace("{USER}", user)
            .replace("{SECRET}", secret)
            .replace("{NUMBER}", number)
            .replace("{RTP}", &self.rtp.to_string())
            .replace("{FAX}", &self.fax.to_string())
            .replace("{HOLD}", &self.hold_ms.to_string())
            .replace("{STATUS}", &self.status.0.to_string())
            .replace("{REASON}", self.status.1)
            .replace("{CONTACT}", self.contact);
        let name = format!("{}-{user}-{}", scenario.trim_end_matches(".xml"), self.port);
        let files = self.exchange.folder.join(&name);
        std::fs::write(files.with_extension("xml"), text).unwrap();
        let output = std::fs::File::create(files.with_extension("out")).unwrap();
        let (all, at_once) = self.calls;
        // In a network of its own the exchange and the telephones have one address.
        let local = if self.exchange.namespace().is_some() { &self.exchange.address } else { "127.0.0.1" };
        let child = command(self.exchange.namespace(), "sipp")
            .arg(format!("{}:{}", self.exchange.address, self.exchange.port))
            .arg("-sf")
            .arg(files.with_extension("xml"))
            .args(["-t", self.transport, "-i", local, "-p", &self.port.to_string(), "-nostdin", "-aa"])
            .args(["-m", &all.to_string(), "-l", &at_once.to_string(), "-r", "100"])
            .args(["-timeout", &format!("{}s", self.longest_s), "-timeout_error", "-trace_logs", "-log_file"])
            .arg(files.with_extension("log"))
            .args(["-trace_err", "-error_file"])
            .arg(files.with_extension("err"))
            .args(["-trace_msg", "-message_file"])
            .arg(files.with_extension("msg"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Play { child, name, files, longest_s: self.longest_s }
    }
}

impl Play {
    /// Waits for the end; everything has to have gone after the scenario.
    pub fn succeeds(mut self) -> String {
        let mut status = None;
        wait(Duration::from_secs(self.longest_s + 10), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let name = &self.name;
        assert!(
            status.is_some_and(|status| status.success()),
            "{name}: {status:?}\n{}\nmessages:\n{}",
            self.read("err"),
            tail(&self.read("msg"), 120)
        );
        self.read("log")
    }

    /// Where the session descriptions it was sent so far say media goes, in order.
    pub fn media(&self) -> Vec<SocketAddr> {
        media(&self.read("log"))
    }

    /// Waits for the first session description.
    pub fn first_media(&self) -> SocketAddr {
        let found = wait(Duration::from_secs(10), || !self.media().is_empty());
        let text = [self.read("err"), tail(&self.read("msg"), 80)].concat();
        assert!(found, "{}: no session description came\n{text}", self.name);
        self.media()[0]
    }

    /// Waits until it says this; the rest of that line.
    pub fn said(&self, words: &str) -> String {
        let mut rest = None;
        wait(Duration::from_secs(10), || {
            rest = self.read("log").lines().find_map(|line| Some(line.strip_prefix(words)?.trim().to_owned()));
            rest.is_some()
        });
        let text = [self.read("err"), tail(&self.read("msg"), 80)].concat();
        rest.unwrap_or_else(|| panic!("{}: never says '{words}'\n{text}", self.name))
    }

    fn read(&self, kind: &str) -> String {
        std::fs::read_to_string(self.files.with_extension(kind)).unwrap_or_default()
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses in a log of a scenario.
pub fn media(log: &str) -> Vec<SocketAddr> {
    log.lines()
        .filter_map(|line| {
            let (address, port) = line.strip_prefix("media ")?.split_once(' ')?;
            format!("{address}:{}", port.trim()).parse().ok()
        })
        .collect()
}

fn answer_to_reinvite(status: &str) -> &'static str {
    if status == "488" {
        return "SIP/2.0 488 Not Acceptable Here\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n\
                [last_CSeq:]\nContent-Length: 0\n";
    }
    "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n\
     Contact: <sip:{USER}@[local_ip]:[local_port]>\nContent-Type: application/sdp\nContent-Length: [len]\n\n\
     v=0\no={USER} 1 2 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio {RTP} RTP/AVP 0 101\n\
     a=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=ptime:20"
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
