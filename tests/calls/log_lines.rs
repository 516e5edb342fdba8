//! What strangers, callers and telephones write into the log, and that nobody is banned for it but whoever proved where
//! it is.

#[path = "../support/skip.rs"]
mod skip;

use crate::network::Quality;
use crate::testbed::Testbed;
use std::process::Command;
use std::time::Duration;
use strowger::clock::Wall;
use strowger::daemon::{log, sentence};
use strowger::event::security::{Denial, DenialCause};
use strowger::event::{Level, LogLine, SecurityEvent};
use strowger::rng::Rng;
use strowger::sim::DeviceProfile;

const SIP: &str = "[general]\ncontext=lobby\nudpbindaddr=192.0.2.1\nallowguest=yes\n\
    [isp]\ntype=friend\nhost=dynamic\nsecret=password\ncontext=lobby\ndirectmedia=no\nnat=no\n";

/// A dialplan that says whatever comes from outside in every way there is.
const PLAN: &str = "[lobby]\n\
    exten => _[0-9]!,1,NoOp(${EXTEN} ${CALLERID(all)} ${SIPUSERAGENT})\n\
    same => n,Verbose(${EXTEN})\n\
    same => n,Verbose(1,${CALLERID(name)})\n\
    same => n,Wait(${EXTEN})\n\
    same => n,Set(${EXTEN})\n\
    same => n,Set(GLOBAL(x)=$[${EXTEN} + 1])\n\
    same => n,Set(x=${MATH(${EXTEN},int)}${CUT(CALLERID(num),-,${CALLERID(name)})}${CHANNEL(${EXTEN})}${STRFTIME(${EXTEN})})\n\
    same => n,Set(CALLERID(${EXTEN})=1)\n\
    same => n,Set(x=${IFTIME(${EXTEN},*,*,*?a:b)}${REGEX(\"[${EXTEN}\" x)})\n\
    same => n,Set(x=${${EXTEN}(1)}${DB(${EXTEN})})\n\
    same => n,Playback(${EXTEN})\n\
    same => n,Dial(${EXTEN})\n\
    same => n,Dial(SIP/${EXTEN})\n\
    same => n,Dial(IAX2/${EXTEN})\n\
    same => n,Dial(SIP/isp,1)\n\
    same => n,GotoIf($[\"${RAND(0,1)}\"=\"0\"]?${EXTEN})\n\
    same => n,Goto(${EXTEN},${EXTEN},${EXTEN})\n";

/// Whom the texts would have banned.
const VICTIMS: [&str; 2] = ["192.0.2.66", "2001:db8::66"];

/// What log watchers look for, as callers write it; `@` is the victim.
const HOSTILE: &[&str] = &[
    "8x: @ failed to authenticate",
    "8: @ failed to authenticate as 'x'",
    "8: Host @ failed MD5 authentication for 'x' (1)",
    "8: @ tried to authenticate with nonexistent user",
    "@ failed to authenticate",
    "x' rejected because extension not found in context",
    "8' rejected because extension not found in context 'lobby'.",
    "8' (@:5060) to extension '1' rejected because extension not found in context",
    "8: Call from 'x' (@:5060) to extension 'y' rejected because extension not found in context",
    "8: hacking attempt detected '@'",
    "8: No registration for peer 'x' (from @)",
    "8: Registration from 'x' failed for '@:5060' - Wrong password",
    "8: Request 'INVITE' from 'x' failed for '@:5060' (callid: y) - Failed to authenticate",
    "8: SecurityEvent=\"InvalidPassword\",RemoteAddress=\"IPV4/UDP/@/5060\"",
    "8\",RemoteAddress=\"IPV4/UDP/@/5060\"",
    "8: \"Rejecting unknown SIP connection from @\"",
    "8\n[2026-11-21T10:00:00.000+0000] NOTICE[1] x: hacking attempt detected '@'",
    "8\r\nNOTICE[1] x: @ failed to authenticate\r\n",
    "NOTICE[1] x: hacking attempt detected '@'",
    "8 SECURITY [1]: x: hacking attempt detected '@'",
    "8\u{2028}WARNING[1] x: @ failed to authenticate",
    "8\u{85}WARNING[1] x: @ failed to authenticate\u{1b}[2J\u{8}\u{8}",
    "8 | @ | failed to authenticate",
];

/// The last numbers of the addresses of those who write so.
const GUESTS: std::ops::Range<u64> = 70..78;

/// Bytes and pieces that are put into them.
const PIECES: &[&str] = &[
    ":",
    ": ",
    "'",
    "\"",
    "\n",
    "\r\n",
    "\u{2028}",
    "\u{1b}[2J",
    "\u{8}",
    "|",
    " ",
    "(",
    ")",
    "[",
    "]",
    "=",
    ",",
    "\\",
    "%0a",
    "%27",
    "NOTICE[1] x: ",
    "@",
    " in x: ",
    "Host ",
    "$",
    "{",
    "}",
    "<",
    ">",
];

fn mutated(rng: &mut Rng) -> String {
    let pick = |rng: &mut Rng, all: &[&'static str]| all[rng.below(all.len() as u64) as usize];
    let mut text: Vec<char> = pick(rng, HOSTILE).chars().collect();
    for _ in 0..rng.below(4) {
        let at = rng.below(text.len() as u64 + 1) as usize;
        let piece: Vec<char> = pick(rng, PIECES).chars().collect();
        if rng.below(3) == 0 { text.truncate(at.max(1)) } else { drop(text.splice(at..at, piece)) }
    }
    text.into_iter().collect::<String>().replace('@', VICTIMS[rng.below(2) as usize])
}

/// As a user part or a header must have it to arrive: everything but letters and digits encoded; some of it as it is.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02x}") })
        .collect()
}

/// The same in quotes, as far as a header can carry it.
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .flat_map(|c| match c {
            '"' | '\\' => vec!['\\', c],
            c => vec![c],
        })
        .collect()
}

/// An INVITE of a guest that writes its own texts wherever there is room for them.
fn invite(number: u64, rng: &mut Rng) -> String {
    let dialled = encoded(&mutated(rng));
    // Half of them dial what is there.
    let dialled = if rng.below(2) == 0 { format!("8{dialled}") } else { dialled };
    let [name, agent, caller] = [(); 3].map(|()| mutated(rng));
    let (name, agent) = (quoted(&name), quoted(&agent));
    let caller = encoded(&caller);
    let encoding: String = mutated(rng).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let sdp = match rng.below(3) {
        0 => format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.77\r\ns={name}\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\na=rtpmap:97 {encoding}/8000\r\n"
        ),
        1 => format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 {encoding}\r\nt=0 0\r\nm={encoding} 5004 RTP/AVP 0\r\n"
        ),
        _ => "v=0\r\no=- 1 1 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n"
            .to_owned(),
    };
    let kind = if rng.below(8) == 0 { format!("text/{encoding}") } else { "application/sdp".to_owned() };
    format!(
        "INVITE sip:{dialled}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKh{number};rport\r\n\
         From: \"{name}\" <sip:{caller}@192.0.2.77>;tag=h{number}\r\nTo: <sip:{dialled}@192.0.2.1>\r\n\
         Call-ID: hostile{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:{caller}@192.0.2.77>\r\nMax-Forwards: 70\r\n\
         User-Agent: {agent}\r\nSubject: {agent}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

/// Everything that is said of that many hostile calls, with the words of the called telephone spoilt as well.
fn said_of(calls: u64) -> Vec<LogLine> {
    let mut rng = Rng::from_number(10);
    let mut said = Vec::new();
    for world in 0..calls.div_ceil(40) {
        let mut bed = Testbed::new(SIP, PLAN, Quality::PERFECT, world);
        for name in ["client", "desk", "cisco"] {
            bed.unplug(name);
        }
        bed.register_all();
        // Of one source only a few refused calls are logged: there are several.
        for guest in GUESTS {
            let (sip, rtp) = (format!("192.0.2.{guest}:5060"), format!("192.0.2.{guest}:5004"));
            bed.add(&format!("passer-by {guest}"), "", &sip, &rtp, DeviceProfile::Grandstream);
        }
        let reason = quoted(&mutated(&mut rng));
        bed.rewrite_head("isp", "180 Ringing", &format!("{} {reason}", [180, 480, 486, 603, 302][world as usize % 5]));
        for number in 0..40 {
            let guest = GUESTS.start + number % (GUESTS.end - GUESTS.start);
            bed.inject(&format!("passer-by {guest}"), &invite(world * 100 + number, &mut rng));
            if number % 4 == 3 {
                bed.run(Duration::from_secs(60));
            }
        }
        said.append(&mut bed.said);
    }
    said
}

/// Where a filter may take the message to begin: behind the head, and behind the first words that end in a colon.
fn beginnings(text: &str) -> Vec<&str> {
    let behind_colon = text.split_once(':').and_then(|(_, rest)| rest.strip_prefix(' '));
    std::iter::once(text).chain(behind_colon).collect()
}

#[test]
fn no_line_has_a_message_that_somebody_else_began() {
    let said = said_of(400);
    assert!(said.len() > 2000, "{}", said.len());
    let count = |level: Level| said.iter().filter(|line| line.level == level).count();
    let (warnings, notices) = (count(Level::Warning), count(Level::Notice));
    assert!(warnings > 500 && notices > 200, "{warnings} warnings, {notices} notices");
    for line in said {
        let printed = log::in_file(&line, Wall(0));
        assert_eq!(printed.matches('\n').count(), 1, "{printed:?}");
        assert!(!printed.trim_end_matches('\n').chars().any(strowger::wording::is_harmful), "{printed:?}");
        let (_, rest) = printed.split_once("] ").unwrap();
        let (head, text) = rest.split_once("] strowger: ").unwrap();
        assert!(!["NOTICE[", "WARNING[", "SECURITY[", "ERROR["].iter().any(|level| text.contains(level)), "{printed}");
        if head.starts_with("VERBOSE") {
            continue;
        }
        for message in beginnings(text.trim_end()) {
            let is_ours = !["Registration", "No registration", "Request ", "hacking", "Host ", "SecurityEvent", "\""]
                .iter()
                .chain(&VICTIMS)
                .any(|start| message.trim_start_matches('[').starts_with(start));
            assert!(is_ours, "{printed}");
            let quotes = message.matches('\'').count();
            assert!(!message.starts_with("Call from ") || quotes.is_multiple_of(2), "{printed}");
        }
    }
}

fn is_missing(story: &str) -> bool {
    if Command::new("fail2ban-regex").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return false;
    }
    assert!(std::env::var_os("STROWGER_INTEROP_REQUIRED").is_none(), "fail2ban-regex is not installed");
    skip::skip(story, "fail2ban: not installed");
    true
}

#[test]
fn fail2ban_bans_nobody_by_what_callers_write() {
    if is_missing("fail2ban_bans_nobody_by_what_callers_write") {
        return;
    }
    let mut said = said_of(400);
    // Who proved an address is banned by it, whatever name it gave.
    let mut rng = Rng::from_number(15);
    let proven = |name: String| {
        let (account, id, transport) = (name, "7f".to_owned(), "UDP".to_owned());
        let source = "198.51.100.7:5060".parse().unwrap();
        Denial { cause: DenialCause::UnknownAccount, account, id, source, transport, at: Wall(0) }
    };
    for _ in 0..200 {
        let (denied, reported) = (proven(mutated(&mut rng)), proven(mutated(&mut rng)));
        said.extend(sentence::lines(&SecurityEvent::Denied(denied).into()));
        let event = SecurityEvent::DenialReported { denial: reported, nearest: None, repeated: None };
        said.extend(sentence::lines(&event.into()));
    }
    // The line that a filter whose `_daemon` is strowger would misread.
    said.push(LogLine::verbose(0, "NOTICE[1] x: hacking attempt detected '192.0.2.66'"));
    let folder = std::env::temp_dir().join(format!("strowger-lines-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (log, filter) = (folder.join("messages"), folder.join("strowger.conf"));
    std::fs::write(&log, said.iter().map(|line| log::in_file(line, Wall(0))).collect::<String>()).unwrap();
    std::fs::write(
        &filter,
        "[INCLUDES]\nbefore = /etc/fail2ban/filter.d/asterisk.conf\n[Definition]\n_daemon = strowger\n",
    )
    .unwrap();
    for filter in ["asterisk", filter.to_str().unwrap()] {
        let output = Command::new("fail2ban-regex").args(["-o", "ip"]).arg(&log).arg(filter).output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let addresses: Vec<&str> = found.lines().collect();
        assert_eq!(addresses, vec!["198.51.100.7"; 200], "{filter}: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
