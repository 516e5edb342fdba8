//! The log: the switch's lines as tracing events, and their print on stderr in the shape Asterisk's readers know.

use super::Sink;
use crate::calendar;
use crate::daemon::clock::wall;
use crate::observe::live::{Live, Said};
use crate::observe::text;
use crate::observe::wire::Kind;
use crate::pbx::effect::{Level, Line};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tracing::field::{Field, Visit};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// A sink that makes a tracing event of every line; lines of the story above `verbose`, which a reload may change, are left out.
pub fn sink(verbose: Arc<AtomicU8>) -> Sink {
    Arc::new(move |line: &Line| match line.level {
        Level::Verbose(level) if level > verbose.load(Ordering::Relaxed) => {}
        Level::Verbose(level) => tracing::info!(target: "story", level, "{}", line.text),
        Level::Notice => tracing::info!(target: "notice", "{}", line.text),
        Level::Warning => tracing::warn!(target: "warning", "{}", line.text),
        Level::Error => tracing::error!(target: "error", "{}", line.text),
        Level::Security => tracing::warn!(target: "security", "{}", line.text),
    })
}

/// The same lines to consoles, too, which choose themselves how much of the story they show.
pub fn with_consoles(sink: Sink, live: Live) -> Sink {
    Arc::new(move |line: &Line| {
        sink(line);
        if live.is_heard() {
            live.say(said(line));
        }
    })
}

/// A line as consoles show it: the story without its time, as on Asterisk's console, all else as in the log.
fn said(line: &Line) -> Said {
    let (kind, level, word) = match line.level {
        Level::Verbose(level) => {
            let text = story(level, line.text.trim_end_matches('\n'));
            return Said { kind: Kind::Story, level, text };
        }
        Level::Notice => (Kind::Notice, 0, "NOTICE"),
        Level::Warning => (Kind::Warning, 0, "WARNING"),
        Level::Error => (Kind::Error, 0, "ERROR"),
        Level::Security => (Kind::Security, 0, "SECURITY"),
    };
    Said { kind, level, text: dated(word, &line.text) }
}

/// A line of the log in the shape Asterisk's readers know.
fn dated(word: &str, message: &str) -> String {
    format!("[{}] {word}[{}] strowger: {}", calendar::iso(wall()), std::process::id(), text::line(message))
}

/// Sends all tracing events to stderr, one line each. Once in a process.
pub fn to_stderr() {
    // A second call changes nothing.
    let _ = tracing_subscriber::fmt().with_writer(std::io::stderr).event_format(Shape).try_init();
}

/// A line as plain text without the time, or nothing when it lies above `verbose`.
pub fn plain(line: &Line, verbose: u8) -> Option<String> {
    let word = match line.level {
        Level::Verbose(level) if level > verbose => return None,
        Level::Verbose(level) => return Some(story(level, &line.text)),
        Level::Notice => "NOTICE",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
        Level::Security => "SECURITY",
    };
    Some(format!("{word}: {}", text::line(&line.text)))
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
    format!("{prefix}{}", text::lines(line))
}

struct Shape;

impl<S, N> FormatEvent<S, N> for Shape
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &tracing::Event<'_>) -> fmt::Result {
        let mut found = Found::default();
        event.record(&mut found);
        let word = match event.metadata().target() {
            "story" => {
                return writeln!(out, "[{}] {}", calendar::iso(wall()), story(found.level, &found.message));
            }
            "notice" => "NOTICE",
            "security" => "SECURITY",
            _ => match *event.metadata().level() {
                tracing::Level::ERROR => "ERROR",
                tracing::Level::WARN => "WARNING",
                tracing::Level::INFO => "NOTICE",
                tracing::Level::DEBUG | tracing::Level::TRACE => "DEBUG",
            },
        };
        writeln!(out, "{}", dated(word, &found.message))
    }
}

#[derive(Default)]
struct Found {
    message: String,
    level: u8,
}

impl Visit for Found {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "level" {
            self.level = u8::try_from(value).unwrap_or(u8::MAX);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_set_in_as_on_asterisks_console() {
        assert_eq!(story(2, "a"), "  == a");
        assert_eq!(story(3, "a"), "    -- a");
        assert_eq!(story(4, "a"), "       > a");
    }

    #[test]
    fn consoles_hear_what_the_log_leaves_out_by_its_own_verbosity() {
        let heard = said(&Line { level: Level::Verbose(4), text: "a\x1b[2J\n".to_owned() });
        assert_eq!((heard.kind, heard.level, heard.text.as_str()), (Kind::Story, 4, "       > a?[2J"));
        let heard = said(&Line { level: Level::Warning, text: "w".to_owned() });
        assert!(heard.kind == Kind::Warning && heard.text.starts_with('[') && heard.text.ends_with(" strowger: w"));
        assert!(heard.text.contains(&format!(" WARNING[{}] ", std::process::id())));
    }

    #[test]
    fn a_line_cannot_drive_the_terminal() {
        assert!(!story(3, "x\u{1b}[2Jy").contains('\u{1b}'));
    }
}
