//! Where the log goes: stderr and the files of logger.conf, each with the levels it takes.

use super::file::{LogFile, Written};
use super::format::{self, Format};
use super::{Entry, Settings};
use crate::clock::Wall;
use crate::config::logger_conf::{Levels, Story};
use crate::event::Level;
use std::io::Write as _;
use std::path::PathBuf;

/// One of the places.
pub(super) struct LogTarget {
    pub(super) target: Target,
    levels: Levels,
    /// Lines taken and not yet written.
    lines: Vec<u8>,
}

/// Its kind.
pub(super) enum Target {
    Stderr(Format),
    File(Box<LogFile>),
}

/// The channels of some settings. Files that were open stay what they were: a trouble that was said is not said again.
pub(super) fn channels(settings: &Settings, before: Vec<LogTarget>) -> Vec<LogTarget> {
    let conf = &settings.conf;
    let mut known: Vec<LogFile> = before.into_iter().filter_map(|channel| channel.target.file()).collect();
    let is_security_placed =
        conf.files.iter().map(|file| file.levels).chain(conf.console).any(|levels| levels.security);
    // Asterisk says a refusal as a notice: a logger.conf made for that keeps what its owner has a ban tool read.
    let placed =
        |levels: Levels| Levels { security: levels.security || (levels.notice && !is_security_placed), ..levels };
    let mut channels = vec![LogTarget::new(Target::Stderr(Format::of_stderr()), console(settings, placed))];
    for file in &conf.files {
        let path = path(settings, &file.name);
        let open = known.iter().position(|known| known.path == path).map(|at| known.swap_remove(at));
        let mut open = open.unwrap_or_else(|| LogFile::new(path));
        open.reopen();
        channels.push(LogTarget::new(Target::File(Box::new(open)), placed(file.levels)));
    }
    channels
}

/// On stderr the story is told as everywhere, unless logger.conf says how deep: as on Asterisk's console.
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
    fn new(target: Target, levels: Levels) -> LogTarget {
        LogTarget { target, levels, lines: Vec::new() }
    }

    /// How deep the story is that it takes; `usual` where logger.conf names no depth. None: nothing of it.
    pub(super) fn depth(&self, usual: u8) -> Option<u8> {
        match self.levels.story {
            Story::No => None,
            Story::Usual => Some(usual),
            Story::UpTo(depth) => Some(depth),
        }
    }

    /// Takes an entry, if it is for it.
    pub(super) fn take(&mut self, entry: &Entry, settings: &Settings) {
        if entry.printed && matches!(self.target, Target::Stderr(_)) {
            return;
        }
        let is_for_it = match entry.level {
            Level::Verbose(depth) => self.depth(settings.verbose).is_some_and(|deepest| depth <= deepest),
            Level::Notice => self.levels.notice,
            Level::Warning => self.levels.warning,
            Level::Error => self.levels.error,
            Level::Security => self.levels.security,
        };
        if is_for_it {
            let face = match &self.target {
                Target::Stderr(face) => *face,
                Target::File(_) => Format::Paper,
            };
            format::print(&mut self.lines, face, settings.date_format(), entry);
        }
    }

    /// Opens it, so that whoever reads it finds it there.
    pub(super) fn open(&mut self, settings: &Settings, at: Wall) -> Written {
        match &mut self.target {
            Target::Stderr(_) => Written::Quietly,
            Target::File(file) => file.write(&[], settings.max_size, settings.conf.rotation, at),
        }
    }

    /// Writes what it took.
    pub(super) fn write(&mut self, settings: &Settings, at: Wall) -> Written {
        if self.lines.is_empty() {
            return Written::Quietly;
        }
        let lines = std::mem::take(&mut self.lines);
        match &mut self.target {
            Target::Stderr(_) => {
                // Nobody reads it any more: there is nobody to tell.
                let _ = std::io::stderr().write_all(&lines);
                Written::Quietly
            }
            Target::File(file) => file.write(&lines, settings.max_size, settings.conf.rotation, at),
        }
    }

    /// A line of `logger show channels`.
    pub(super) fn row(&self, settings: &Settings) -> String {
        let (name, kind, status) = match &self.target {
            Target::Stderr(_) => (String::new(), "Console", "Enabled"),
            Target::File(file) if file.trouble.is_some() => (file.path.display().to_string(), "File", "Failing"),
            Target::File(file) => (file.path.display().to_string(), "File", "Enabled"),
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

impl Target {
    fn file(self) -> Option<LogFile> {
        match self {
            Target::File(file) => Some(*file),
            Target::Stderr(_) => None,
        }
    }
}
