//! The log of the real program: its files, and whom fail2ban's stock filter would ban by them.

#![allow(clippy::unwrap_used, clippy::panic)] // A test's helpers may fail the test.

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/phones.rs"]
mod phones;
#[path = "support/skip.rs"]
mod skip;
#[path = "support/uninterrupted.rs"]
mod uninterrupted;

use exchange::{Exchange, PATIENCE};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use strowger::sim::PhoneEvent;
use uninterrupted::uninterrupted;

const ACCOUNTS: &str = "[ann]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\n";
const EXTENSIONS: &str = "[default]\nexten => 1,1,Answer()\n";
/// Nobody who is named in these tests may ever be banned.
const VICTIM: &str = "192.0.2.66";

/// Somebody who has an address and no secret.
struct Stranger {
    socket: UdpSocket,
    exchange: SocketAddr,
    sent: u32,
}

impl Stranger {
    fn new(exchange: SocketAddr) -> Stranger {
        let socket = UdpSocket::bind((exchange.ip(), 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Stranger { socket, exchange, sent: 0 }
    }

    fn send(&mut self, text: &str) -> String {
        self.socket.send_to(text.as_bytes(), self.exchange).unwrap();
        let mut answer = [0; 4096];
        let (length, _) = uninterrupted(|| self.socket.recv_from(&mut answer)).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// REGISTER of a user as it stands in a URI, with this header or body at its end; gives the answer.
    fn register(&mut self, user: &str, end: &str) -> String {
        self.sent += 1;
        let (own, number, at) = (self.socket.local_addr().unwrap(), self.sent, self.exchange);
        let text = format!(
            "REGISTER sip:{at} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{number};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{at}>;tag=f{number}\r\nTo: <sip:{user}@{at}>\r\nCall-ID: c{number}@x\r\nCSeq: {number} REGISTER\r\n\
             Contact: <sip:x@{own}>\r\n{end}"
        );
        self.send(&text)
    }

    /// Returns the exchange's nonce with a guess at the secret.
    fn guess(&mut self, user: &str, digest_user: &str) -> String {
        let challenge = self.register(user, "Content-Length: 0\r\n\r\n");
        let nonce = challenge.split_once("nonce=\"").unwrap().1.split('"').next().unwrap().to_owned();
        let (zeros, at) = ("0".repeat(32), self.exchange);
        let end = format!(
            "Authorization: Digest username=\"{digest_user}\",realm=\"asterisk\",nonce=\"{nonce}\",uri=\"sip:{at}\",\
             response=\"{zeros}\",algorithm=MD5,qop=auth,nc=00000001,cnonce=\"1\"\r\nContent-Length: 0\r\n\r\n"
        );
        self.register(user, &end)
    }
}

/// What a file holds as soon as it holds the words.
fn holds(path: &Path, words: &str) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.contains(words) {
            return text;
        }
        assert!(Instant::now() < end, "{} never says {words:?}:\n{text}", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_files_tell_how_the_program_began_what_it_found_and_how_it_ended() {
    let mut exchange = Exchange::start("log-life", "[ann]\ntype=friend\nhost=dynamic\nsecret=password\n", EXTENSIONS);
    exchange.write("logger.conf", "[logfiles]\nmessages => notice,warning,error\n");
    let file = exchange.folder.join("state/messages");
    assert!(!file.exists());
    exchange.told("core restart now");
    let begun = holds(&file, " is ready, and listens on 127.0.0.1:");
    assert!(
        begun.contains("WARNING") && begun.contains("sip.conf:5: warning: peer 'ann' has a secret everybody tries"),
        "{begun}"
    );
    exchange.said_times(" is ready.", 2);
    assert!(!exchange.log().contains("is ready, and listens on"), "stderr has its own words:\n{}", exchange.log());
    exchange.signal(rustix::process::Signal::TERM);
    holds(&file, "NOTICE");
    let end = Instant::now() + PATIENCE;
    while exchange.ended().is_none() {
        assert!(Instant::now() < end, "it does not end:\n{}", exchange.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(holds(&file, "stopped.").ends_with("strowger: stopped.\n"));
}

#[test]
fn the_files_tell_why_the_program_did_not_begin() {
    let folder = std::env::temp_dir().join(format!("strowger-log-none-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let socket = "x".repeat(200);
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sip = format!("[general]\nudpbindaddr={free}\n");
    let toml = format!("[control]\nsocket = \"{socket}\"\n[state]\nfolder = \"state\"\n[log]\nfolder = \"log\"\n");
    let logger = "[logfiles]\nmessages => error\n";
    for (name, text) in [
        ("sip.conf", sip.as_str()),
        ("extensions.conf", EXTENSIONS),
        ("logger.conf", logger),
        ("strowger.toml", toml.as_str()),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_strowger")).arg("-C").arg(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let file = fs::read_to_string(folder.join("log/messages")).unwrap();
    assert!(said.matches(&socket).count() == 1 && file.contains(&socket), "stderr:\n{said}\nfile:\n{file}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn lines_go_to_files_that_are_rotated_and_a_full_disk_is_survived() {
    let exchange = Exchange::start("log-files", ACCOUNTS, EXTENSIONS);
    exchange.write("strowger.toml", "[log]\nmax_size_mib = 1\n");
    let logger =
        "[logfiles]\nmessages => notice,warning,error\nfull => error,verbose(1)\n/dev/full => notice,warning\n";
    exchange.write("logger.conf", logger);
    let said = exchange.told("logger reload");
    assert!(said.ends_with("logger.conf was read, and the log files were reopened.\n"), "{said}");
    let folder = exchange.folder.join("state");
    let (messages, full) = (folder.join("messages"), folder.join("full"));
    let mut stranger = Stranger::new(exchange.sip);
    assert!(stranger.guess("ann", "ann").starts_with("SIP/2.0 403 "));
    let before = holds(&messages, "AccountID=\"ann\"");
    let line = before.lines().find(|line| line.contains("SecurityEvent=")).unwrap();
    assert!(line.contains(&format!("] SECURITY[{}] strowger: SecurityEvent=\"InvalidPassword\"", exchange.process())));
    holds(&messages, "/dev/full: the log cannot be written there: No space left on device");
    assert!(exchange.told("logger show channels").contains(" Failing "), "{}", exchange.told("logger show channels"));
    // The story goes to the one, warnings to the other.
    exchange.told("sip reload");
    holds(&full, "] VERBOSE[");
    assert!(!fs::read_to_string(&full).unwrap().contains("SECURITY"));

    let said = exchange.told("logger rotate");
    assert!(said.contains(&format!("{0}: was moved to {0}.0\n", messages.display())), "{said}");
    assert!(stranger.guess("bob", "bob").starts_with("SIP/2.0 403 "));
    let after = holds(&messages, "AccountID=\"bob\"");
    assert!(!after.contains("\"ann\""), "{after}");
    assert!(fs::read_to_string(folder.join("messages.0")).unwrap().contains("AccountID=\"ann\""));
    // A file that is wrong changes nothing, and what is open is opened anew all the same.
    exchange.write("logger.conf", "[logfiles\n");
    fs::rename(&messages, folder.join("taken")).unwrap();
    let (failed, said) = exchange.ask("logger reload");
    assert!(failed && said.contains("logger.conf:1"), "{said}");
    assert!(stranger.guess("cid", "cid").starts_with("SIP/2.0 403 "));
    holds(&messages, "AccountID=\"cid\"");
}

/// The addresses that the filter finds in a file, one for each line that matches.
fn found(log: &Path, filter: &str) -> Vec<String> {
    let mut command = Command::new("fail2ban-regex");
    // What a line says of the time counts, and not the machine's clock.
    let output = command.args(["-o", "ip"]).arg(log).arg(filter).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() || text.is_empty(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(str::to_owned).collect()
}

fn is_missing(story: &str) -> bool {
    if Command::new("fail2ban-regex").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return false;
    }
    assert!(std::env::var_os("STROWGER_INTEROP_REQUIRED").is_none(), "fail2ban-regex is not installed");
    skip::skip(story, "fail2ban: not installed");
    true
}

/// One exchange's log, with four attempts at it and much that is none. Gives the file.
fn attacked(ip: IpAddr, story: &str) -> (Exchange, std::path::PathBuf) {
    let exchange = Exchange::start_at(ip, story, ACCOUNTS, EXTENSIONS);
    exchange.write("logger.conf", "[logfiles]\nmessages => notice,warning,error,security,verbose(10)\n");
    exchange.told("logger reload");
    let messages = exchange.folder.join("state/messages");
    let mut stranger = Stranger::new(exchange.sip);
    let hostile = format!("x%22%2cRemoteAddress=%22IPV4%2FUDP%2F{VICTIM}%2F1%22");
    let digest = format!("x\\\",RemoteAddress=\\\"IPV4/UDP/{VICTIM}/1\\\"");
    for (user, digest) in [("ann", "ann"), ("nobody", "nobody"), (hostile.as_str(), digest.as_str()), ("a'b", "a'b")] {
        let answer = stranger.guess(user, digest);
        assert!(answer.starts_with("SIP/2.0 403 "), "{user}: {answer}");
    }
    // Who proves nothing is not worth a line; and a message that is shown is no line of ours.
    exchange.told("sip set debug on");
    let event = format!(
        "SecurityEvent=\"InvalidPassword\",Service=\"SIP\",AccountID=\"1\",RemoteAddress=\"IPV4/UDP/{VICTIM}/5060\""
    );
    let forged = format!(
        "[2026-11-21T10:00:00.000+0000] SECURITY[1] strowger: {event}\nSECURITY[1] strowger: {event}\n \
         NOTICE[1] x: hacking attempt detected '{VICTIM}'\n\r[2026-11-21T10:00:00] NOTICE[1] x: hacking attempt detected '{VICTIM}'\n"
    );
    stranger.register("ann", &format!("Content-Length: {}\r\n\r\n{forged}", forged.len()));
    let hostile = format!("'hacking%20attempt%20detected%20'{VICTIM}'");
    stranger.register(&hostile, "Content-Length: 0\r\n\r\n");
    exchange.told("sip set debug off");
    holds(&messages, "CSeq: 10 REGISTER");
    (exchange, messages)
}

#[test]
fn fail2ban_finds_who_guessed_and_nobody_else() {
    if is_missing("fail2ban_finds_who_guessed_and_nobody_else") {
        return;
    }
    for (ip, story) in
        [(IpAddr::from(Ipv4Addr::LOCALHOST), "log-ban4"), (IpAddr::from(Ipv6Addr::LOCALHOST), "log-ban6")]
    {
        if UdpSocket::bind((ip, 0)).is_err() {
            eprintln!("skipped: {ip}: the machine has no such address");
            continue;
        }
        let (_exchange, messages) = attacked(ip, story);
        let text = fs::read_to_string(&messages).unwrap();
        assert!(text.contains(VICTIM), "nothing hostile is in it:\n{text}");
        assert_eq!(found(&messages, "asterisk"), vec![ip.to_string(); 4], "{text}");
    }
}

#[test]
fn fail2ban_bans_no_telephone_of_ours_that_dials_a_wrong_number() {
    if is_missing("fail2ban_bans_no_telephone_of_ours_that_dials_a_wrong_number") {
        return;
    }
    let accounts = "[ann]\ntype=friend\nhost=dynamic\nsecret=password\n";
    let exchange = Exchange::start("log-wrong-number", accounts, EXTENSIONS);
    exchange.write("logger.conf", "[logfiles]\nmessages => notice,warning,error,security\n");
    exchange.told("logger reload");
    let mut phones = phones::Phones::new(exchange.sip, &["ann".to_owned()]);
    phones.dial(0, "999");
    phones.until("it is refused", |phones| {
        phones.lines[0].events.iter().any(|event| matches!(event, PhoneEvent::Failed(404)))
    });
    let messages = exchange.folder.join("state/messages");
    let text = holds(&messages, "to extension '999' rejected because ");
    assert!(found(&messages, "asterisk").is_empty(), "{text}");
}

/// The filter for the journal is the one that the page shows.
#[test]
fn fail2ban_reads_the_journal_with_the_filter_of_the_page() {
    if is_missing("fail2ban_reads_the_journal_with_the_filter_of_the_page") {
        return;
    }
    let page = include_str!("../docs/reference/logs.md");
    let filter = page.split_once("# /etc/fail2ban/filter.d/strowger.conf\n").unwrap().1;
    let filter = filter.split_once("# /etc/").unwrap().0.replace("    ", "");
    let filter = filter.replace("before = asterisk.conf", "before = /etc/fail2ban/filter.d/asterisk.conf");
    let (exchange, messages) = attacked(Ipv4Addr::LOCALHOST.into(), "log-journal");
    let place = exchange.folder.join("filter.conf");
    fs::write(&place, filter).unwrap();
    // As fail2ban reads the journal: the time, the machine, who speaks, and the line without its time.
    let text = fs::read_to_string(&messages).unwrap();
    let lines = text.lines().map(|line| {
        let said = line.split_once("] ").unwrap().1;
        format!("2026-11-21T10:00:00.123456 host strowger[{}]: {said}\n", exchange.process())
    });
    let journal = exchange.folder.join("journal");
    fs::write(&journal, lines.collect::<String>()).unwrap();
    assert_eq!(found(&journal, place.to_str().unwrap()), vec!["127.0.0.1"; 4], "{text}");
}
