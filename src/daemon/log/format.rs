//! What a line of the log looks like: in a file, in the journal, at a terminal.
//!
//! In files and in the journal every line begins with its level, also each of a message that `sip set debug` shows: what
//! a stranger sends can then never stand where a log watcher (fail2ban) looks for a level.

use super::Entry;
use crate::clock::Wall;
use crate::daemon::clock::zone;
use crate::datetime;
use crate::event::Level;
use crate::observe::escape;
use std::io::IsTerminal as _;

/// Where lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A file or a pipe.
    Paper,
    /// The journal, which has the time and the process itself: each line begins with its priority (sd-daemon(3)).
    Journal,
    /// A person reads it as it comes: the story as on a console, with its time.
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
        if is_journal { Format::Journal } else { Format::Paper }
    }
}

/// Adds an entry, in whole lines.
pub(super) fn print(out: &mut Vec<u8>, face: Format, format: &str, entry: &Entry) {
    let Level::Verbose(depth) = entry.level else {
        return put(out, face, format, entry, &escape::line(&entry.text));
    };
    let told = story(depth, entry.text.trim_end_matches('\n'));
    if face == Format::Terminal {
        return out.extend(format!("[{}] {told}\n", time(format, entry.at)).into_bytes());
    }
    // A carriage return was made harmless already; so `lines` cuts at line ends alone.
    for line in told.lines() {
        put(out, face, format, entry, line);
    }
}

fn put(out: &mut Vec<u8>, face: Format, format: &str, entry: &Entry, line: &str) {
    let head = head(entry.level);
    let whole = match face {
        Format::Paper | Format::Terminal => format!("[{}] {head}{line}\n", time(format, entry.at)),
        Format::Journal => format!("<{}>{head}{line}\n", priority(entry.level)),
    };
    out.extend(whole.into_bytes());
}

/// A line that is no story, with its time, in the shape Asterisk's readers know.
pub(super) fn dated(format: &str, at: Wall, level: Level, message: &str) -> String {
    format!("[{}] {}{}", time(format, at), head(level), escape::line(message))
}

fn head(level: Level) -> String {
    format!("{}[{}] strowger: ", word(level), std::process::id())
}

fn time(format: &str, at: Wall) -> String {
    datetime::strftime_in(at, &zone(at), format)
}

/// A level's name.
pub(super) fn word(level: Level) -> &'static str {
    match level {
        Level::Verbose(_) => "VERBOSE",
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
        Level::Verbose(_) => 6,
    }
}

/// A line of the story as the console prints it: the deeper, the further in.
pub fn story(level: u8, line: &str) -> String {
    let prefix = match level {
        0 => "",
        1 => " ",
        2 => "  == ",
        3 => "    -- ",
        _ => "       > ",
    };
    format!("{prefix}{}", escape::lines(line))
}
