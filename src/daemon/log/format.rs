//! What a line of the log looks like: in a file, in the journal, at a terminal.
//!
//! In files and in the journal every line begins with its level, also each of a message that `sip set debug` shows:
//! what a stranger sends can then never stand where a log watcher (fail2ban) looks for a level.

use super::entry::Entry;
use crate::clock::Wall;
use crate::daemon::clock::{wall, zone};
use crate::datetime::{self, ISO};
use crate::event::{Level, LogLine};
use crate::observe::escape;
use crate::observe::log_stream::ConsoleLine;
use crate::observe::wire::Kind;
use std::io::IsTerminal as _;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A file or a pipe.
    Plain,
    /// The journal, which has the time and the process itself: each line begins with its priority (sd-daemon(3)).
    Journal,
    /// A terminal: verbose output as on a console, with its time.
    Terminal,
}

impl Format {
    /// What stderr is.
    pub(super) fn of_stderr() -> Format {
        let stderr = std::io::stderr();
        if stderr.is_terminal() {
            return Format::Terminal;
        }
        // systemd names the stream it gave, since somebody may have put another in its place (systemd.exec(5)).
        let stream = rustix::fs::fstat(&stderr).map(|found| format!("{}:{}", found.st_dev, found.st_ino));
        let is_journal = stream.is_ok_and(|stream| std::env::var("JOURNAL_STREAM").is_ok_and(|named| named == stream));
        if is_journal { Format::Journal } else { Format::Plain }
    }
}

/// Adds an entry, in whole lines.
pub(super) fn print(out: &mut Vec<u8>, format: Format, date_format: &str, entry: &Entry) {
    let text = match entry.level {
        Level::Verbose(depth) => story(depth, entry.text.trim_end_matches('\n')),
        Level::Message => message(&entry.text),
        Level::Notice | Level::Warning | Level::Error | Level::Security => {
            return put(out, format, date_format, entry, &harmless(&entry.text));
        }
    };
    if format == Format::Terminal {
        return out.extend(format!("[{}] {text}\n", time(date_format, entry.at)).into_bytes());
    }
    // Only a message has line ends. A carriage return was made harmless already; so `lines` cuts at line ends alone.
    for line in text.lines() {
        put(out, format, date_format, entry, line);
    }
}

fn put(out: &mut Vec<u8>, format: Format, date_format: &str, entry: &Entry, line: &str) {
    let head = head(entry.level);
    let whole = match format {
        Format::Plain | Format::Terminal => format!("[{}] {head}{line}\n", time(date_format, entry.at)),
        Format::Journal => format!("<{}>{head}{line}\n", priority(entry.level)),
    };
    out.extend(whole.into_bytes());
}

/// A line as a file of the log has it, line end included.
pub fn in_file(line: &LogLine, at: Wall) -> String {
    let mut out = Vec::new();
    print(&mut out, Format::Plain, ISO, &Entry { at, level: line.level, text: line.text.clone(), printed: false });
    String::from_utf8_lossy(&out).into_owned()
}

/// A line that is not verbose output, with its time, in the form of Asterisk's log.
pub(super) fn dated(date_format: &str, at: Wall, level: Level, message: &str) -> String {
    format!("[{}] {}{}", time(date_format, at), head(level), harmless(message))
}

fn head(level: Level) -> String {
    format!("{}[{}] strowger: ", word(level), std::process::id())
}

fn time(date_format: &str, at: Wall) -> String {
    datetime::strftime_in(at, &zone(at), date_format)
}

/// A level's name.
pub(super) fn word(level: Level) -> &'static str {
    match level {
        Level::Verbose(_) | Level::Message => "VERBOSE",
        Level::Notice => "NOTICE",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
        Level::Security => "SECURITY",
    }
}

/// The priority of syslog(3).
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warning | Level::Security => 4,
        Level::Notice => 5,
        Level::Verbose(_) | Level::Message => 6,
    }
}

/// A line of verbose output as the console prints it: the higher its level, the further it is indented.
pub fn story(level: u8, line: &str) -> String {
    let prefix = match level {
        0 => "",
        1 => " ",
        2 => "  == ",
        3 => "    -- ",
        _ => "       > ",
    };
    format!("{prefix}{}", harmless(line))
}

/// A SIP message: its line ends stay.
fn message(text: &str) -> String {
    let lines: Vec<String> =
        text.trim_end_matches('\n').split('\n').map(|line| no_level(&escape::lines(line))).collect();
    lines.join("\n")
}

/// A line without anything that controls a terminal or begins another line.
fn harmless(line: &str) -> String {
    no_level(&escape::line(line))
}

/// No level's name before a bracket, as lines of a log begin: a log watcher whose filter takes the head of verbose output
/// for a syslog tag would look behind it.
fn no_level(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for letter in line.chars() {
        if letter == '[' && ends_with_level(&shown) { shown.push_str("%5B") } else { shown.push(letter) }
    }
    shown
}

fn ends_with_level(text: &str) -> bool {
    let words = ["VERBOSE", "NOTICE", "WARNING", "ERROR", "SECURITY"];
    let end = text.trim_end();
    words.iter().any(|word| end.ends_with(word))
}

/// A line as consoles show it: verbose output without its time, as on Asterisk's console, all else as in the log.
pub(super) fn console_line(line: &LogLine) -> ConsoleLine {
    let (kind, level) = match line.level {
        Level::Verbose(level) => {
            let text = story(level, line.text.trim_end_matches('\n'));
            return ConsoleLine { kind: Kind::Story, level, text };
        }
        Level::Message => return ConsoleLine { kind: Kind::Story, level: 0, text: message(&line.text) },
        Level::Notice => (Kind::Notice, 0),
        Level::Warning => (Kind::Warning, 0),
        Level::Error => (Kind::Error, 0),
        Level::Security => (Kind::Security, 0),
    };
    ConsoleLine { kind, level, text: dated(ISO, wall(), line.level, &line.text) }
}

/// A line as plain text without the time, or nothing when it lies above `verbose`.
pub fn plain(line: &LogLine, verbose: u8) -> Option<String> {
    match line.level {
        Level::Verbose(level) if level > verbose => None,
        Level::Verbose(level) => Some(story(level, &line.text)),
        Level::Message => Some(message(&line.text)),
        Level::Notice | Level::Warning | Level::Error | Level::Security => {
            Some(format!("{}: {}", word(line.level), escape::line(&line.text)))
        }
    }
}
