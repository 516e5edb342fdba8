//! One file of the log: opened, written, begun anew when it is large, and what becomes of the old ones.

use crate::clock::Wall;
use crate::config::logger_conf::Rotation;
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Old files kept of each.
pub(super) const KEPT: u64 = 4;
/// A file that could not be written is tried again after this time.
const AGAIN: Duration = Duration::from_secs(10);
/// How often it is looked whether the file is still there under its name.
const LOOK: Duration = Duration::from_secs(1);

/// One file of the log.
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    open: Option<Open>,
    /// Why nothing can be written; logged once.
    pub(super) trouble: Option<String>,
    /// When to try again.
    again: Option<Instant>,
    /// Lines that are missing in it since then.
    missing: u64,
    /// The last line in it may be half a line.
    is_cut: bool,
    /// Why it cannot become an old file; logged once.
    stays: Option<String>,
    /// When that is tried again.
    stays_until: Option<Instant>,
}

struct Open {
    file: File,
    found: Metadata,
    length: u64,
    looked: Instant,
}

impl Open {
    /// Nothing when another program moved it away; looked at from time to time.
    fn if_still_there(mut self, path: &Path, now: Instant) -> Option<Open> {
        if now.saturating_duration_since(self.looked) < LOOK {
            return Some(self);
        }
        let found = fs::metadata(path).ok()?;
        if (found.dev(), found.ino()) != (self.found.dev(), self.found.ino()) {
            return None;
        }
        // Another program may have emptied it.
        self.length = size(&found);
        self.looked = now;
        Some(self)
    }
}

/// What became of a piece of the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is in the file, or known not to be.
    Quietly,
    /// To be logged elsewhere: the file cannot be written from now on.
    Trouble(String),
    /// To be logged elsewhere: it can be written again.
    Again(String),
}

impl LogFile {
    pub(super) fn new(path: PathBuf) -> LogFile {
        LogFile {
            path,
            open: None,
            trouble: None,
            again: None,
            missing: 0,
            is_cut: false,
            stays: None,
            stays_until: None,
        }
    }

    /// Opens it anew at the next line.
    pub(super) fn reopen(&mut self) {
        self.open = None;
        self.again = None;
        self.stays_until = None;
    }

    /// Adds whole lines. A file that would grow beyond `max_size` becomes an old one first, if there is rotation.
    pub(super) fn write(&mut self, lines: &[u8], max_size: u64, rotation: Rotation, at: Wall) -> Written {
        let now = Instant::now();
        let count = lines.iter().fold(0u64, |sum, byte| sum.saturating_add(u64::from(*byte == b'\n')));
        if self.again.is_some_and(|again| now < again) {
            self.missing = self.missing.saturating_add(count);
            return Written::Quietly;
        }
        match self.try_write(lines, max_size, rotation, at, now) {
            Ok(news) => {
                self.again = None;
                let (missing, path) = (std::mem::take(&mut self.missing), self.path.display());
                match (self.trouble.take(), news) {
                    (Some(_), _) => {
                        Written::Again(format!("{path}: the log is written again; {missing} lines are missing"))
                    }
                    (None, Some(why)) => {
                        Written::Trouble(format!("{path}: cannot be rotated, and keeps growing: {why}"))
                    }
                    (None, None) => Written::Quietly,
                }
            }
            Err(error) => {
                self.open = None;
                self.again = Some(now + AGAIN);
                self.missing = self.missing.saturating_add(count);
                let why = reason(&error);
                let is_news = self.trouble.as_ref() != Some(&why);
                self.trouble = Some(why.clone());
                if is_news {
                    Written::Trouble(format!("{}: the log cannot be written there: {why}", self.path.display()))
                } else {
                    Written::Quietly
                }
            }
        }
    }

    /// Gives why the file could not become an old one, when that is news.
    fn try_write(
        &mut self,
        lines: &[u8],
        max_size: u64,
        rotation: Rotation,
        at: Wall,
        now: Instant,
    ) -> io::Result<Option<String>> {
        let length = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let open = self.opened(now)?;
        let is_full = open.length > 0 && open.length.saturating_add(length) > max_size;
        let is_stuck = self.stays_until.is_some_and(|until| now < until);
        let mut news = None;
        if is_full && rotation != Rotation::None && !is_stuck {
            let why = self.rotate(rotation, at).err().map(|error| reason(&error));
            self.stays_until = why.is_some().then(|| now + AGAIN);
            news = why.clone().filter(|_| why != self.stays);
            self.stays = why;
        }
        let is_cut = self.is_cut;
        let open = self.opened(now)?;
        if is_cut {
            open.file.write_all(b"\n")?;
        }
        open.length = open.length.saturating_add(length);
        let done = open.file.write_all(lines);
        self.is_cut = done.is_err();
        done.map(|()| news)
    }

    fn opened(&mut self, now: Instant) -> io::Result<&mut Open> {
        let open = match self.open.take().and_then(|open| open.if_still_there(&self.path, now)) {
            Some(open) => open,
            None => open(&self.path, now)?,
        };
        Ok(self.open.insert(open))
    }

    /// Makes an old file of it, and begins another. Gives the old one's name; none when there is nothing in it.
    ///
    /// # Errors
    /// The file cannot be renamed; it is written on as it is.
    pub(super) fn rotate(&mut self, rotation: Rotation, at: Wall) -> io::Result<Option<PathBuf>> {
        self.reopen();
        if !fs::metadata(&self.path).is_ok_and(|found| found.is_file() && found.len() > 0) {
            return Ok(None);
        }
        let old = match rotation {
            Rotation::None => return Ok(None),
            Rotation::Sequential => {
                let numbers = numbers(&self.path);
                let next = numbers.last().map_or(0, |last| last.saturating_add(1));
                let surplus = numbers.iter().filter(|number| number.saturating_add(KEPT) <= next);
                surplus.for_each(|number| forget(&self.path, *number));
                numbered(&self.path, next)
            }
            Rotation::Rotate => {
                forget(&self.path, KEPT - 1);
                for number in (0..KEPT - 1).rev() {
                    // Most of them are not there yet.
                    let _ = fs::rename(numbered(&self.path, number), numbered(&self.path, number + 1));
                }
                numbered(&self.path, 0)
            }
            Rotation::Timestamp => {
                let numbers = numbers(&self.path);
                let surplus = (numbers.len() + 1).saturating_sub(usize::try_from(KEPT).unwrap_or(usize::MAX));
                numbers.iter().take(surplus).for_each(|number| forget(&self.path, *number));
                let mut seconds = u64::try_from(at.0.div_euclid(1000)).unwrap_or(0);
                while numbers.contains(&seconds) {
                    seconds = seconds.saturating_add(1);
                }
                numbered(&self.path, seconds)
            }
        };
        fs::rename(&self.path, &old)?;
        Ok(Some(old))
    }
}

fn open(path: &Path, looked: Instant) -> io::Result<Open> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640);
    // A pipe that nobody reads would hold the opening up.
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    let file = options.open(path)?;
    let found = file.metadata()?;
    let kind = found.file_type();
    if !kind.is_file() && !kind.is_char_device() {
        return Err(io::Error::other("it is not an ordinary file"));
    }
    Ok(Open { length: size(&found), file, found, looked })
}

/// A device (/dev/null) has none.
fn size(found: &Metadata) -> u64 {
    if found.is_file() { found.len() } else { 0 }
}

/// The reason, with what to do.
fn reason(error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "; give the exchange's user the right to write there",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room on that disk",
        io::ErrorKind::ReadOnlyFilesystem => {
            "; a service may write only to its own folders, unless ReadWritePaths= of the unit names another"
        }
        _ => "",
    };
    format!("{error}{hint}")
}

/// The numbers of the old files there are, ascending.
fn numbers(path: &Path) -> Vec<u64> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| {
        let file = entry.file_name();
        let digits = file.to_str()?.strip_prefix(name)?.strip_prefix('.')?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let mut numbers: Vec<u64> = entries.filter_map(number).collect();
    numbers.sort();
    numbers
}

fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(format!(".{number}"));
    PathBuf::from(whole)
}

fn forget(path: &Path, number: u64) {
    // What cannot be deleted stays.
    let _ = fs::remove_file(numbered(path, number));
}
