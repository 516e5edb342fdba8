//! Where the log goes: stderr and the files of logger.conf, each with the levels it takes.

use super::entry::Entry;
use super::file::{LogFile, Written};
use super::format::{self, Format};
use super::settings::Settings;
use crate::clock::Wall;
use crate::config::logger_conf::{Levels, Story};
use crate::event::Level;
use std::io::Write as _;
use std::path::PathBuf;

/// Where lines of some levels go.
pub(super) struct LogTarget {
    pub(super) kind: TargetKind,
    levels: Levels,
    /// Lines taken and not yet written.
    lines: Vec<u8>,
}

/// What a target is.
pub(super) enum TargetKind {
    Stderr(Format),
    File(Box<LogFile>),
}

/// The targets of these settings. Files that were open stay what they were: a failure that was logged is not logged
/// again.
pub(super) fn targets(settings: &Settings, before: Vec<LogTarget>) -> Vec<LogTarget> {
    let conf = &settings.conf;
    let mut known: Vec<LogFile> = before.into_iter().filter_map(|target| target.kind.file()).collect();
    let is_security_placed =
        conf.files.iter().map(|file| file.levels).chain(conf.console).any(|levels| levels.security);
    // Asterisk logs a refusal as a notice: a logger.conf made for that keeps what a ban tool reads.
    let placed =
        |levels: Levels| Levels { security: levels.security || (levels.notice && !is_security_placed), ..levels };
    let mut targets = vec![LogTarget::new(TargetKind::Stderr(Format::of_stderr()), console(settings, placed))];
    for file in &conf.files {
        let path = path(settings, &file.name);
        let open = known.iter().position(|known| known.path == path).map(|at| known.swap_remove(at));
        let mut open = open.unwrap_or_else(|| LogFile::new(path));
        open.reopen();
        targets.push(LogTarget::new(TargetKind::File(Box::new(open)), placed(file.levels)));
    }
    targets
}

/// Stderr takes verbose output as everything does, unless logger.conf names a verbosity: as on Asterisk's console.
fn console(settings: &Settings, placed: impl Fn(Levels) -> Levels) -> Levels {
    let levels = settings.conf.console.map_or(Levels::ALL, placed);
    let story = if levels.story == Story::No { Story::Usual } else { levels.story };
    Levels { story, ..levels }
}

fn path(settings: &Settings, name: &str) -> PathBuf {
    let mut name = name.to_owned();
    if settings.conf.append_host_name {
        name.push('.');
        name.push_str(&rustix::system::uname().nodename().to_string_lossy());
    }
    settings.folder.join(name)
}

impl LogTarget {
    fn new(kind: TargetKind, levels: Levels) -> LogTarget {
        LogTarget { kind, levels, lines: Vec::new() }
    }

    /// The verbosity it takes; `usual` where logger.conf names none. None: no verbose output.
    pub(super) fn depth(&self, usual: u8) -> Option<u8> {
        match self.levels.story {
            Story::No => None,
            Story::Usual => Some(usual),
            Story::UpTo(depth) => Some(depth),
        }
    }

    /// Takes an entry, if it is for it.
    pub(super) fn take(&mut self, entry: &Entry, settings: &Settings) {
        if entry.printed && matches!(self.kind, TargetKind::Stderr(_)) {
            return;
        }
        let is_for_it = match entry.level {
            Level::Verbose(depth) => self.depth(settings.verbose).is_some_and(|deepest| depth <= deepest),
            Level::Message => self.depth(settings.verbose).is_some(),
            Level::Notice => self.levels.notice,
            Level::Warning => self.levels.warning,
            Level::Error => self.levels.error,
            Level::Security => self.levels.security,
        };
        if is_for_it {
            let format = match &self.kind {
                TargetKind::Stderr(format) => *format,
                TargetKind::File(_) => Format::Plain,
            };
            format::print(&mut self.lines, format, settings.date_format(), entry);
        }
    }

    /// Opens it, so that a reader finds it there.
    pub(super) fn open(&mut self, settings: &Settings, at: Wall) -> Written {
        match &mut self.kind {
            TargetKind::Stderr(_) => Written::Quietly,
            TargetKind::File(file) => file.write(&[], settings.max_size, settings.conf.rotation, at),
        }
    }

    /// Writes what it took.
    pub(super) fn write(&mut self, settings: &Settings, at: Wall) -> Written {
        if self.lines.is_empty() {
            return Written::Quietly;
        }
        let lines = std::mem::take(&mut self.lines);
        match &mut self.kind {
            TargetKind::Stderr(_) => {
                // When stderr is closed there is nowhere to report it.
                let _ = std::io::stderr().write_all(&lines);
                Written::Quietly
            }
            TargetKind::File(file) => file.write(&lines, settings.max_size, settings.conf.rotation, at),
        }
    }

    /// A line of `logger show channels`.
    pub(super) fn row(&self, settings: &Settings) -> String {
        let (name, kind, status) = match &self.kind {
            TargetKind::Stderr(_) => (String::new(), "Console", "Enabled"),
            TargetKind::File(file) if file.trouble.is_some() => (file.path.display().to_string(), "File", "Failing"),
            TargetKind::File(file) => (file.path.display().to_string(), "File", "Enabled"),
        };
        let levels = self.levels;
        let words = [
            (levels.notice, "NOTICE"),
            (levels.warning, "WARNING"),
            (levels.error, "ERROR"),
            (levels.security, "SECURITY"),
        ];
        let mut list: Vec<String> =
            words.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| (*word).to_owned()).collect();
        list.extend(self.depth(settings.verbose).map(|depth| format!("VERBOSE({depth})")));
        format!("{} {}\n", columns([&name, kind, "default", status]), list.join(" "))
    }
}

/// The columns of `logger show channels` but the last.
pub(super) fn columns([name, kind, formatter, status]: [&str; 4]) -> String {
    format!("{name:<35} {kind:<8.8} {formatter:<10.10} {status:<9.9}")
}

impl TargetKind {
    fn file(self) -> Option<LogFile> {
        match self {
            TargetKind::File(file) => Some(*file),
            TargetKind::Stderr(_) => None,
        }
    }
}
