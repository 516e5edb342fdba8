//! logger.conf, typed: which lines of the log go to which file.

use super::diagnostic::{Diagnostic, Place};
use super::ini::{Document, Entry};
use super::small_files::{self, Ignored};
use super::suggest::nearest;
use super::value;

/// What logger.conf says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoggerConf {
    /// `dateformat`: how a line's time is written, as strftime(3) has it; none: ISO 8601 with milliseconds.
    pub date_format: Option<String>,
    /// `appendhostname`: the machine's name stands at the end of each file's name.
    pub append_host_name: bool,
    /// `rotatestrategy`.
    pub rotation: Rotation,
    /// `console`: what stderr (the journal, for a service) gets; none: everything.
    pub console: Option<Levels>,
    /// The files, none twice.
    pub files: Vec<LogFile>,
}

/// A file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its name as written; a relative one starts at the log folder.
    pub name: String,
    /// What goes there.
    pub levels: Levels,
    /// Where that is said.
    pub place: Place,
}

/// What becomes of the old file at a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// `NAME.N`: the newest has the highest number.
    #[default]
    Sequential,
    /// `NAME.0` is the newest; the others move one up.
    Rotate,
    /// `NAME.SECONDS`, since 1970.
    Timestamp,
    /// Nothing: another program (logrotate) rotates it.
    None,
}

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels {
    /// `notice`: worth knowing.
    pub notice: bool,
    /// `warning`: worth acting on.
    pub warning: bool,
    /// `error`: something does not work.
    pub error: bool,
    /// `security`: a refused request with a proven source.
    pub security: bool,
    /// `verbose`: the progress of calls.
    pub story: Story,
}

impl Levels {
    /// Every level; verbose at the usual depth.
    pub const ALL: Levels = Levels { notice: true, warning: true, error: true, security: true, story: Story::Usual };
}

/// How much verbose output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Story {
    /// None.
    #[default]
    No,
    /// `verbose`: as much as the exchange logs (`[log] verbose` in strowger.toml, `-v`).
    Usual,
    /// `verbose(N)`: up to this verbosity.
    UpTo(u8),
}

/// Maximum number of files.
const MAX_FILES: usize = 32;

const KNOWN: &[&str] = &["dateformat", "appendhostname", "rotatestrategy"];

const NO_QUEUES: &str = "there are no call queues";
const IGNORED: &[Ignored] = &[
    ("use_callids", value::FALSE_WORDS, "lines carry no number of the call; the channel's name stands in them"),
    ("queue_log", value::FALSE_WORDS, NO_QUEUES),
    ("queue_log_name", &["queue_log"], NO_QUEUES),
    ("queue_log_to_file", value::FALSE_WORDS, NO_QUEUES),
    ("queue_log_realtime_use_gmt", value::FALSE_WORDS, NO_QUEUES),
    ("queue_adaptive_realtime", value::FALSE_WORDS, NO_QUEUES),
    ("exec_after_rotate", &[""], "no program is run; a timer of systemd or cron can look for the old files"),
    ("logger_queue_limit", &[], "4 MiB of lines wait for a slow disk at most; what comes beyond is counted and said"),
    ("rotatetimestamp", value::FALSE_WORDS, "write 'rotatestrategy=timestamp'"),
];

const LEVELS: &[&str] = &["notice", "warning", "error", "security", "verbose", "debug", "dtmf", "fax", "trace", "*"];

/// Reads the settings of a document.
pub fn parse(document: &Document) -> (LoggerConf, Vec<Diagnostic>) {
    let mut conf = LoggerConf::default();
    let mut diagnostics: Vec<Diagnostic> =
        small_files::without(document, "logger.conf", &["general", "logfiles"], "everything goes to the console")
            .into_iter()
            .collect();
    for entry in document.section("general").into_iter().flat_map(|section| &section.entries) {
        if let Err(said) = general(&mut conf, entry) {
            diagnostics.push(said);
        }
    }
    let channels = document.sections.iter().filter(|section| section.name.eq_ignore_ascii_case("logfiles"));
    for entry in channels.flat_map(|section| &section.entries) {
        channel(&mut conf, entry, &mut diagnostics);
    }
    (conf, diagnostics)
}

fn general(conf: &mut LoggerConf, entry: &Entry) -> Result<(), Diagnostic> {
    let bad = |accepted: &str| small_files::bad(entry, accepted);
    match entry.name.to_ascii_lowercase().as_str() {
        "dateformat" => {
            // A log whose lines have no time, or begin with a line end, can be read by nobody.
            let is_good = entry.value.contains('%') && !["%n", "%t"].iter().any(|end| entry.value.contains(end));
            conf.date_format = Some(entry.value.clone()).filter(|_| is_good);
            conf.date_format.as_ref().ok_or_else(|| bad("a format as of strftime(3), such as '%F %T.%3q'"))?;
        }
        "appendhostname" => conf.append_host_name = value::boolean(&entry.value).ok_or_else(|| bad("yes, no"))?,
        "rotatestrategy" => {
            conf.rotation = match entry.value.to_ascii_lowercase().as_str() {
                "sequential" => Rotation::Sequential,
                "rotate" => Rotation::Rotate,
                "timestamp" => Rotation::Timestamp,
                "none" => Rotation::None,
                _ => return Err(bad("sequential, rotate, timestamp, none")),
            }
        }
        _ => return small_files::ignored(entry, KNOWN, IGNORED),
    }
    Ok(())
}

fn channel(conf: &mut LoggerConf, entry: &Entry, said: &mut Vec<Diagnostic>) {
    let name = entry.name.trim();
    let warn = |say: String, hint: &str| Diagnostic::warning(entry.place.clone(), say).hint(hint);
    if name.to_ascii_lowercase().starts_with("syslog.") {
        let hint = "a service's lines are in the journal (journalctl -u strowger), which can hand them on to syslog";
        return said.push(warn(format!("'{name}' is not supported: nothing is sent to syslog"), hint));
    }
    let levels = levels(entry, said);
    if name.eq_ignore_ascii_case("console") {
        conf.console = Some(levels);
    } else if conf.files.iter().any(|file| file.name == name) {
        let say = format!("'{name}' has a line above: this one is left out");
        said.push(warn(say, "write all levels of a file into one line"));
    } else if conf.files.len() >= MAX_FILES {
        said.push(warn(format!("'{name}' is one file too many"), "there may be 32: the line is left out"));
    } else {
        conf.files.push(LogFile { name: name.to_owned(), levels, place: entry.place.clone() });
    }
}

/// Reads `[formatter]level,level...`.
fn levels(entry: &Entry, said: &mut Vec<Diagnostic>) -> Levels {
    let mut warn = |say: String, hint: String| said.push(Diagnostic::warning(entry.place.clone(), say).hint(hint));
    let mut list = entry.value.as_str();
    if let Some((formatter, rest)) = list.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        list = rest;
        if !value::is_one_of(formatter.trim(), &["default", "plain"]) {
            let hint = "lines are written as everywhere: take it out".to_owned();
            warn(format!("'[{formatter}]' is not supported"), hint);
        }
    }
    let mut levels = Levels::default();
    let mut silent = Vec::new();
    for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let word = word.to_ascii_lowercase();
        let (name, depth) = match word.split_once('(') {
            Some((name, depth)) => (name.trim(), Some(depth.trim_end_matches(')').trim())),
            None => (word.as_str(), None),
        };
        match name {
            "notice" => levels.notice = true,
            "warning" => levels.warning = true,
            "error" => levels.error = true,
            "security" => levels.security = true,
            "*" => levels = Levels { story: levels.story.max(Story::Usual), ..Levels::ALL },
            "verbose" => match depth {
                None | Some("*") => levels.story = Story::Usual,
                Some(depth) => match depth.parse() {
                    Ok(depth) => levels.story = Story::UpTo(depth),
                    Err(_) => {
                        levels.story = Story::Usual;
                        warn(
                            format!("'{depth}' is not a verbosity"),
                            "write a number from 1 to 4: 'verbose(3)'".into(),
                        );
                    }
                },
            },
            "debug" | "dtmf" | "fax" | "trace" => silent.push(name.to_owned()),
            _ => {
                let meant = nearest(name, LEVELS.iter().copied());
                let meant = meant.map(|name| format!(" (did you mean '{name}'?)")).unwrap_or_default();
                let hint = format!("there are {}", LEVELS.join(", "));
                warn(format!("'{word}' is not a level{meant}: it is left out"), hint);
            }
        }
    }
    if !silent.is_empty() {
        let hint = "'verbose(4)' tells most; the console's 'sip set debug on' has messages shown, where 'verbose' goes";
        warn(format!("no line ever has the level '{}'", silent.join("' or '")), hint.into());
    }
    if levels == Levels::default() {
        warn(format!("nothing goes to '{}'", entry.name), "name levels: notice,warning,error,security".into());
    }
    levels
}

impl Story {
    fn max(self, other: Story) -> Story {
        if self == Story::No { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostic::Counts;
    use crate::config::ini;

    fn read(text: &str) -> (LoggerConf, Vec<String>) {
        let (document, none) = ini::parse("logger.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let (conf, diagnostics) = parse(&document);
        (conf, diagnostics.iter().map(|d| format!("{}: {}", d.place, d.message)).collect())
    }

    #[test]
    fn every_setting() {
        let (conf, said) = read(
            "[general]\ndateformat=%F %T\nappendhostname=yes\nrotatestrategy=Rotate\nqueue_log=no\n\
             [logfiles]\nmessages => notice,warning,error\nfull => [plain]notice, warning ,error,verbose(5),security\n\
             /var/log/x => *\nconsole => warning,verbose\n",
        );
        assert!(said.is_empty(), "{said:?}");
        assert_eq!(conf.date_format.as_deref(), Some("%F %T"));
        assert!(conf.append_host_name);
        assert_eq!(conf.rotation, Rotation::Rotate);
        let some = Levels { notice: true, warning: true, error: true, ..Levels::default() };
        let files: Vec<(&str, Levels)> = conf.files.iter().map(|file| (file.name.as_str(), file.levels)).collect();
        let full = Levels { security: true, story: Story::UpTo(5), ..some };
        assert_eq!(files, [("messages", some), ("full", full), ("/var/log/x", Levels::ALL)]);
        assert_eq!(conf.console, Some(Levels { warning: true, story: Story::Usual, ..Levels::default() }));
        assert_eq!(read(""), (LoggerConf::default(), Vec::new()));
    }

    #[test]
    fn what_is_wrong_or_without_effect_is_said() {
        let (conf, said) = read(
            "[general]\ndateformat=now\nrotatestrategy=daily\nuse_callids=yes\nappendhostnam=yes\n\
             [logfiles]\nsyslog.local0 => notice\nfull => [json]notice,debug,dtmf,verbos,verbose(x)\nfull => error\nnone =>\n",
        );
        assert_eq!(
            said,
            [
                "logger.conf:2: 'now' is not a valid value of 'dateformat': the line is ignored",
                "logger.conf:3: 'daily' is not a valid value of 'rotatestrategy': the line is ignored",
                "logger.conf:4: 'use_callids' is not supported and is ignored",
                "logger.conf:5: unknown option 'appendhostnam' (did you mean 'appendhostname'?)",
                "logger.conf:7: 'syslog.local0' is not supported: nothing is sent to syslog",
                "logger.conf:8: '[json]' is not supported",
                "logger.conf:8: 'verbos' is not a level (did you mean 'verbose'?): it is left out",
                "logger.conf:8: 'x' is not a verbosity",
                "logger.conf:8: no line ever has the level 'debug' or 'dtmf'",
                "logger.conf:9: 'full' has a line above: this one is left out",
                "logger.conf:10: nothing goes to 'none'",
            ]
        );
        let names: Vec<&str> = conf.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, conf.console), (vec!["full", "none"], None));
    }

    #[test]
    fn a_file_that_names_itself_again_and_again_is_bounded() {
        let many: String = (0..100).map(|number| format!("file{number} => error\n")).collect();
        let (conf, said) = read(&format!("[logfiles]\n{many}"));
        assert_eq!((conf.files.len(), said.len()), (MAX_FILES, 100 - MAX_FILES));
    }

    #[test]
    fn every_option_with_every_value_is_a_warning_at_most() {
        for option in KNOWN.iter().chain(IGNORED.iter().map(|(name, ..)| name)) {
            for value in ["", "nonsense", "-1", "99999999999999999999", ","] {
                let text = format!("[general]\n{option}={value}\n[logfiles]\nfull={value}\nconsole={value}\n");
                let (document, _) = ini::parse("logger.conf", text.as_bytes(), &mut ini::no_includes);
                let (_, said) = parse(&document);
                assert!(Counts::of(&said).is_good(), "{option}={value}: {said:?}");
            }
        }
        let (document, _) = ini::parse("logger.conf", b"[log]\nfull=notice\n", &mut ini::no_includes);
        let (conf, said) = parse(&document);
        assert_eq!((conf, said.len()), (LoggerConf::default(), 1));
    }
}
