//! THE table of a script's commands.

use super::talk::{Answering, Talk};
use super::{media, say, state};

/// A command.
pub(super) struct Command {
    /// Its name, one or more words.
    pub(super) name: &'static str,
    /// How it is written, for who wrote it otherwise.
    pub(super) usage: &'static str,
    /// It works on a channel that is hung up, too.
    pub(super) dead: bool,
    pub(super) run: for<'a> fn(&'a mut Talk, &'a [String]) -> Answering<'a>,
}

const fn row(
    name: &'static str,
    usage: &'static str,
    dead: bool,
    run: for<'a> fn(&'a mut Talk, &'a [String]) -> Answering<'a>,
) -> Command {
    Command { name, usage, dead, run }
}

/// Every command, by name.
pub(super) const TABLE: &[Command] = &[
    row("ANSWER", "", false, state::answer),
    row("CHANNEL STATUS", "[channel]", false, state::channel_status),
    row("CONTROL STREAM FILE", "file digits [skip-ms] [forward] [rewind] [pause]", false, media::control_stream_file),
    row("DATABASE DEL", "family key", true, state::database_del),
    row("DATABASE DELTREE", "family [key]", true, state::database_deltree),
    row("DATABASE GET", "family key", true, state::database_get),
    row("DATABASE PUT", "family key value", true, state::database_put),
    row("EXEC", "application [arguments]", true, state::exec),
    row("GET DATA", "file [timeout-ms] [max-digits]", false, media::get_data),
    row("GET FULL VARIABLE", "text [channel]", true, state::get_full_variable),
    row("GET OPTION", "file digits [timeout-ms]", false, media::get_option),
    row("GET VARIABLE", "name", true, state::get_variable),
    row("GOSUB", "context extension priority [arguments]", false, state::gosub),
    row("HANGUP", "[channel]", false, state::hangup),
    row("NOOP", "[text]", true, state::noop),
    row("RECEIVE CHAR", "timeout-ms", false, state::no_text),
    row("RECORD FILE", "file format digits timeout-ms [offset] [BEEP] [s=silence]", false, media::record_file),
    row("SAY ALPHA", "text digits", false, say::alpha),
    row("SAY DATE", "seconds digits", false, say::date),
    row("SAY DATETIME", "seconds digits [format] [zone]", false, say::date_time),
    row("SAY DIGITS", "number digits", false, say::digits),
    row("SAY NUMBER", "number digits [gender]", false, say::number),
    row("SAY PHONETIC", "text digits", false, say::phonetic),
    row("SAY TIME", "seconds digits", false, say::time),
    row("SEND TEXT", "text", false, state::no_text),
    row("SET AUTOHANGUP", "seconds", false, state::set_autohangup),
    row("SET CALLERID", "number", false, state::set_caller),
    row("SET CONTEXT", "context", false, state::set_context),
    row("SET EXTENSION", "extension", false, state::set_extension),
    row("SET MUSIC", "on|off [class]", false, state::set_music),
    row("SET PRIORITY", "priority", false, state::set_priority),
    row("SET VARIABLE", "name value", true, state::set_variable),
    row("STREAM FILE", "file digits [offset]", false, media::stream_file),
    row("TDD MODE", "on|off", false, state::no_text),
    row("VERBOSE", "text [level]", true, state::verbose),
    row("WAIT FOR DIGIT", "timeout-ms", false, media::wait_for_digit),
];

/// The command that a line begins with, and the words behind its name.
pub(super) fn find(words: &[String]) -> Option<(&'static Command, &[String])> {
    let found = TABLE.iter().filter_map(|command| Some((command, after(command.name, words)?)));
    // The longest name is meant.
    found.min_by_key(|(_, rest)| rest.len())
}

fn after<'a>(name: &str, words: &'a [String]) -> Option<&'a [String]> {
    let mut rest = words;
    for part in name.split(' ') {
        let (first, others) = rest.split_first()?;
        if !first.eq_ignore_ascii_case(part) {
            return None;
        }
        rest = others;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_is_meant() {
        assert!(TABLE.windows(2).all(|pair| matches!(pair, [a, b] if a.name < b.name)));
        let read = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            find(&words).map(|(command, rest)| (command.name, rest.len()))
        };
        assert_eq!(read("get variable X"), Some(("GET VARIABLE", 1)));
        assert_eq!(read("Database Deltree cid"), Some(("DATABASE DELTREE", 1)));
        assert_eq!((read("GET"), read("SPEECH CREATE x"), read("ASYNCAGI BREAK")), (None, None, None));
    }
}
