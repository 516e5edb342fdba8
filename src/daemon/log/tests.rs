//! The log against files of every kind.

use super::entry::{Entry, MAX_BYTES, MAX_LINES, Waiting};
use super::format::{self, Format};
use super::*;
use crate::clock::Wall;
use crate::config::ini;
use crate::config::logger_conf::{self, LoggerConf};
use crate::daemon::clock::wall;
use crate::datetime::ISO;
use crate::event::Level;
use crate::observe::control_api::LogOrder;
use crate::observe::wire::Kind;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tokio::sync::oneshot;

/// A folder of its own, gone with the value, and a log that writes there.
struct Place {
    folder: PathBuf,
    log: Log,
}

fn conf(text: &str) -> LoggerConf {
    let (document, _) = ini::parse("logger.conf", text.as_bytes(), &mut ini::no_includes);
    logger_conf::parse(&document).0
}

fn settings(folder: &Path, text: &str) -> Settings {
    // Nothing of it goes to the stderr of the tests.
    let text = format!("{text}\nconsole => error\n");
    Settings { conf: conf(&text), folder: folder.to_owned(), max_size: 1000, verbose: 3 }
}

impl Place {
    fn new(name: &str, text: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("strowger-log-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let reread: Reread =
            Box::new(|| (Some(conf("[logfiles]\nother => notice\nconsole => error\n")), "read\n".into()));
        let log = Log::start(Settings { verbose: 0, ..settings(&folder, text) }, LogStream::default(), reread).unwrap();
        Place { folder, log }
    }

    fn notice(&self, text: &str) {
        self.log.write(Level::Notice, text.to_owned());
        self.log.flush();
    }

    fn order(&self, what: LogOrder) -> String {
        let (reply, answer) = oneshot::channel();
        self.log.order(what, reply);
        answer.blocking_recv().unwrap().text
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// The files, but what `flush` does not wait for is not there.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_file_gets_the_levels_it_names() {
    let place =
        Place::new("levels", "[general]\ndateformat=%Y\n[logfiles]\nmessages => notice\nfull => error,verbose(2)");
    let year = crate::datetime::strftime_in(wall(), &crate::daemon::clock::zone(wall()), "%Y");
    for (level, text) in [
        (Level::Notice, "n\u{1b}[2J\nforged"),
        (Level::Warning, "w"),
        (Level::Error, "e"),
        (Level::Security, "s"),
        (Level::Verbose(2), "told\nand more\r\n"),
        (Level::Verbose(0), "SECURITY [1] x"),
        (Level::Message, "BYE x\r\n\tNOTICE[1] x: y\n"),
        (Level::Verbose(3), "too deep"),
    ] {
        place.log.write(level, text.to_owned());
    }
    place.log.flush();
    let pid = std::process::id();
    // Nobody names `security`: it goes where Asterisk's notice of the same would.
    let notices = format!("[{year}] NOTICE[{pid}] strowger: n?[2J?forged\n[{year}] SECURITY[{pid}] strowger: s\n");
    assert_eq!(place.read("messages"), notices);
    let head = format!("[{year}] VERBOSE[{pid}] strowger: ");
    let told = "  == told?and more?";
    let story = format!(
        "[{year}] ERROR[{pid}] strowger: e\n{head}{told}\n{head}SECURITY %5B1] x\n{head}BYE x?\n{head}\tNOTICE%5B1] x: y\n"
    );
    assert_eq!(place.read("full"), story);
    assert_eq!(fs::metadata(place.folder.join("full")).unwrap().permissions().mode() & 0o137, 0);
}

#[test]
fn security_lines_go_where_they_are_wanted_alone() {
    let place = Place::new("security", "[logfiles]\nmessages => notice\nsecurity => security");
    place.log.write(Level::Security, "s".to_owned());
    place.log.flush();
    assert_eq!(place.read("messages"), "");
    assert!(place.read("security").ends_with(" strowger: s\n"));
}

#[test]
fn the_journal_has_the_time_and_wants_the_priority() {
    let entry = Entry {
        at: Wall(0),
        level: Level::Message,
        printed: false,
        text: "<--- SIP --->\n<1>SECURITY[1] x: y\n".to_owned(),
    };
    let mut out = Vec::new();
    format::print(&mut out, Format::Journal, ISO, &entry);
    let head = format!("<6>VERBOSE[{}] strowger: ", std::process::id());
    assert_eq!(String::from_utf8(out).unwrap(), format!("{head}<--- SIP --->\n{head}<1>SECURITY%5B1] x: y\n"));
    let mut out = Vec::new();
    format::print(&mut out, Format::Terminal, "%Y", &Entry { level: Level::Verbose(3), text: "a".to_owned(), ..entry });
    assert_eq!(String::from_utf8(out).unwrap(), "[1970]     -- a\n");
}

#[test]
fn rotation_keeps_the_old_files_there_were_room_for() {
    for (strategy, newest, kept) in [
        ("sequential", "messages.5", ["messages", "messages.2", "messages.3", "messages.4", "messages.5"]),
        ("rotate", "messages.0", ["messages", "messages.0", "messages.1", "messages.2", "messages.3"]),
    ] {
        let text = format!("[general]\nrotatestrategy={strategy}\n[logfiles]\nmessages => notice");
        let place = Place::new(strategy, &text);
        for number in 0..6 {
            place.notice(&format!("line {number}"));
            let said = place.order(LogOrder::Rotate);
            assert!(said.contains(": was moved to "), "{said}");
        }
        place.notice("line 6");
        assert_eq!(place.names(), kept);
        assert!(place.read(newest).ends_with(" line 5\n"), "{strategy}: {}", place.read(newest));
        assert!(place.read("messages").ends_with(" line 6\n"));
    }
}

#[test]
fn rotation_by_the_clock_and_by_nobody() {
    let place = Place::new("clock", "[general]\nrotatestrategy=timestamp\n[logfiles]\nmessages => notice");
    for _ in 0..6 {
        place.notice("line");
        place.order(LogOrder::Rotate);
    }
    place.notice("line");
    let names = place.names();
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names.iter().skip(1).all(|name| name.len() == "messages.1795251890".len()), "{names:?}");
    let place = Place::new("nobody", "[general]\nrotatestrategy=none\n[logfiles]\nmessages => notice");
    for _ in 0..100 {
        place.notice("far more than a thousand bytes in all");
    }
    assert!(place.order(LogOrder::Rotate).ends_with("messages: reopened (rotatestrategy=none)\n"));
    assert_eq!(place.names(), ["messages"]);
}

#[test]
fn no_file_grows_beyond_its_size() {
    let place = Place::new("size", "[logfiles]\nmessages => notice");
    for number in 0..200 {
        place.notice(&format!("line {number:0100}"));
    }
    let names = place.names();
    assert_eq!(names.len(), 5, "{names:?}");
    for name in &names {
        let size = place.read(name).len();
        assert!((1..=1000).contains(&size), "{name}: {size}");
    }
    assert!(place.read("messages").ends_with("199\n"));
}

#[test]
fn a_file_that_another_program_moves_away_is_begun_anew() {
    let place = Place::new("moved", "[logfiles]\nmessages => notice");
    place.notice("before");
    fs::rename(place.folder.join("messages"), place.folder.join("taken")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    place.notice("after");
    assert!(place.read("taken").ends_with(" before\n") && place.read("messages").ends_with(" after\n"));
}

#[test]
fn what_cannot_be_written_is_said_once_to_the_others_and_survived() {
    let place = Place::new("full", "[logfiles]\nmessages => notice,warning\n/dev/full => notice\nfolder/ => notice");
    fs::create_dir(place.folder.join("folder")).ok();
    place.notice("one");
    place.notice("two");
    let read = place.read("messages");
    assert_eq!(read.matches("/dev/full: the log cannot be written there: No space left").count(), 1, "{read}");
    assert!(read.contains(" one\n") && read.ends_with(" two\n"), "{read}");
    let table = place.order(LogOrder::Show);
    assert!(table.starts_with("Channel "), "{table}");
    assert!(table.contains("/dev/full                           File     default    Failing   NOTICE"), "{table}");
    assert!(table.contains("Console  default    Enabled   ERROR VERBOSE(0)\n"), "{table}");
    assert!(table.contains("/dev/full: No space left on device"), "{table}");
}

#[test]
fn a_pipe_that_nobody_reads_holds_nothing_up() {
    let place = Place::new("pipe", "[logfiles]\nmessages => notice,warning");
    let pipe = place.folder.join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let text = "[logfiles]\nmessages => notice,warning\npipe => notice";
    place.log.renew(settings(&place.folder, text));
    place.notice("goes on");
    let read = place.read("messages");
    assert!(read.contains("pipe: the log cannot be written there: ") && read.ends_with(" goes on\n"), "{read}");
}

#[test]
fn a_writer_that_is_stuck_costs_lines_and_says_how_many() {
    let (work, inbox) = sync_channel(MAX_LINES);
    let waiting = Arc::new(Waiting::default());
    let log = Log { work, waiting: waiting.clone() };
    let long = "x".repeat(MAX_BYTES / 4);
    for _ in 0..6 {
        log.write(Level::Notice, long.clone());
    }
    assert_eq!(waiting.lost.load(Ordering::Relaxed), 2);
    assert_eq!(waiting.bytes.load(Ordering::Relaxed), MAX_BYTES);
    for _ in 0..MAX_LINES {
        log.write(Level::Notice, String::new());
    }
    assert_eq!(waiting.lost.load(Ordering::Relaxed), 6);
    let (reply, answer) = oneshot::channel();
    log.order(LogOrder::Rotate, reply);
    assert!(answer.blocking_recv().unwrap().failed);
    drop(log);
    let folder = std::env::temp_dir().join(format!("strowger-log-{}-stuck", std::process::id()));
    let settings = Settings { max_size: u64::MAX, ..settings(&folder, "[logfiles]\nmessages => warning") };
    writer::Writer::new(settings, LogStream::default(), Box::new(|| (None, String::new())), waiting.clone())
        .run(&inbox);
    let read = fs::read_to_string(folder.join("messages")).unwrap();
    assert!(read.contains(" strowger: 6 lines of the log were lost: "), "{read}");
    assert_eq!(waiting.bytes.load(Ordering::Relaxed), 0);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn other_settings_are_put_in_force() {
    let place = Place::new("renew", "[logfiles]\nmessages => notice");
    assert!(!place.log.takes(Level::Verbose(4)));
    place.log.renew(settings(&place.folder, "[logfiles]\nfull => notice,verbose(4)"));
    place.notice("new");
    assert!(place.log.takes(Level::Verbose(4)) && !place.log.takes(Level::Verbose(5)));
    assert!(place.read("full").ends_with(" new\n"));
    assert_eq!(place.order(LogOrder::Reload), "read\nlogger.conf was read, and the log files were reopened.\n");
    place.notice("newer");
    assert!(place.read("other").ends_with(" newer\n"));
    assert_eq!(place.names(), ["full", "messages", "other"]);
}

#[test]
fn consoles_hear_what_the_log_leaves_out_by_its_own_verbosity() {
    let shown = format::console_line(&LogLine { level: Level::Verbose(4), text: "a\x1b[2J\n".to_owned() });
    assert_eq!((shown.kind, shown.level, shown.text.as_str()), (Kind::Story, 4, "       > a?[2J"));
    let shown = format::console_line(&LogLine { level: Level::Warning, text: "w".to_owned() });
    assert!(shown.kind == Kind::Warning && shown.text.starts_with('[') && shown.text.ends_with(" strowger: w"));
    assert!(shown.text.contains(&format!(" WARNING[{}] ", std::process::id())));
}

#[test]
fn the_story_is_set_in_as_on_asterisks_console() {
    assert_eq!(story(2, "a"), "  == a");
    assert_eq!(story(3, "a"), "    -- a");
    assert_eq!(story(4, "a"), "       > a");
    assert!(!story(3, "x\u{1b}[2Jy").contains('\u{1b}'));
}

/// Whoever may write a file need not be allowed to rename it.
#[test]
fn a_file_that_cannot_become_an_old_one_is_written_on() {
    let place =
        Place::new("stays", "[general]\nrotatestrategy=rotate\n[logfiles]\nmessages => notice\nother => warning");
    for number in 0..4 {
        fs::create_dir_all(place.folder.join(format!("messages.{number}/in the way"))).unwrap();
    }
    for number in 0..40 {
        place.notice(&format!("line {number} {}", "x".repeat(100)));
    }
    let lines = place.read("messages");
    assert_eq!(lines.lines().count(), 40, "{lines}");
    place.notice("once more");
    let said = place.read("other");
    assert_eq!(said.matches("cannot be rotated, and keeps growing").count(), 1, "{said}");
    assert!(place.order(LogOrder::Show).contains("Enabled"));
}
