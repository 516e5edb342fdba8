//! Which call file is the oldest: a folder is read slice by slice, turn by turn, and of the files found the oldest are kept in
//! the order of their times. A folder of any size costs a turn no more than a slice.

use std::collections::BTreeSet;
use std::fs::ReadDir;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Maximum number of entries looked at in a turn.
pub(super) const SLICE: usize = 10_000;
/// Maximum number of files that are kept; the newest beyond it are found again when the others are done.
pub(super) const KEPT: usize = 10_000;
/// A folder that takes several turns is read anew after so many, or when nothing is due of what was kept.
const TURNS: u32 = 60;

/// Files by the time they were written, or are to be looked at; the oldest first.
type Files = BTreeSet<(SystemTime, PathBuf)>;

/// The files in some folders.
pub(super) struct Queue {
    folders: Vec<PathBuf>,
    slice: usize,
    most: usize,
    waiting: Files,
    scan: Option<Scan>,
    /// How many turns ago the latest scan came to its end; none: another begins.
    age: Option<u32>,
}

/// Folders that are being read.
struct Scan {
    left: Vec<PathBuf>,
    entries: Option<ReadDir>,
    found: Files,
}

impl Queue {
    /// The files in these folders.
    pub(super) fn new(folders: Vec<PathBuf>, slice: usize, most: usize) -> Queue {
        Queue { folders, slice, most, waiting: Files::new(), scan: None, age: None }
    }

    /// Reads the next slice; what is due is served meanwhile. `is_taken`: nobody wants this file.
    pub(super) fn read_on(&mut self, now: SystemTime, is_taken: impl Fn(&Path) -> bool) {
        let has_due = self.waiting.first().is_some_and(|(time, _)| *time <= now);
        self.age = self.age.map(|age| age.saturating_add(1)).filter(|age| has_due && *age < TURNS);
        let is_new = self.scan.is_none() && self.age.is_none();
        let scan = match &mut self.scan {
            Some(scan) => scan,
            none if is_new => {
                let left = self.folders.iter().rev().cloned().collect();
                none.insert(Scan { left, entries: None, found: Files::new() })
            }
            _ => return,
        };
        if scan.read(self.slice, self.most, &is_taken) {
            self.waiting = self.scan.take().map(|scan| scan.found).unwrap_or_default();
            // One that took no more than this turn is followed by another in the next.
            self.age = (!is_new).then_some(0);
        }
    }

    /// The oldest file, when it is due; it is not given again before the folder is read anew.
    pub(super) fn take(&mut self, now: SystemTime) -> Option<(SystemTime, PathBuf)> {
        let (time, _) = self.waiting.first()?;
        if *time > now {
            return None;
        }
        self.waiting.pop_first()
    }

    /// It could not be looked at now: it is the next again.
    pub(super) fn put_back(&mut self, file: (SystemTime, PathBuf)) {
        self.waiting.insert(file);
    }
}

impl Scan {
    /// Reads so many entries; true when all are read.
    fn read(&mut self, slice: usize, most: usize, is_taken: &impl Fn(&Path) -> bool) -> bool {
        for _ in 0..slice {
            let Some(entries) = &mut self.entries else {
                let Some(folder) = self.left.pop() else { return true };
                // A folder that is not there has no files.
                self.entries = std::fs::read_dir(folder).ok();
                continue;
            };
            match entries.next() {
                Some(Ok(entry)) => {
                    let path = entry.path();
                    let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
                    if is_hidden || is_taken(&path) {
                        continue;
                    }
                    let Some(metadata) = entry.metadata().ok().filter(|metadata| !metadata.is_dir()) else { continue };
                    let Ok(modified) = metadata.modified() else { continue };
                    self.found.insert((modified, path));
                    if self.found.len() > most {
                        self.found.pop_last();
                    }
                }
                Some(Err(_)) | None => self.entries = None,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::time::Duration;

    #[test]
    fn the_oldest_come_first_however_many_there_are_and_however_small_the_turns() {
        let folder = std::env::temp_dir().join(format!("strowger-queue-{}", std::process::id()));
        fs::create_dir_all(folder.join("inside")).unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let write = |name: &str, age: u64| {
            fs::write(folder.join(name), "x").unwrap();
            File::open(folder.join(name)).unwrap().set_modified(start - Duration::from_secs(age)).unwrap();
        };
        for number in 0..100u64 {
            write(&format!("f{:02}", (number * 37) % 100), number);
        }
        write(".hidden", 500);
        fs::write(folder.join("later"), "x").unwrap();
        let mut queue = Queue::new(vec![folder.join("none"), folder.clone()], 7, 20);
        let mut turns = 0;
        let mut taken: Vec<String> = Vec::new();
        while taken.len() < 100 && turns < 200 {
            turns += 1;
            queue.read_on(start, |path| path.ends_with("f00"));
            while let Some((_, path)) = queue.take(start) {
                taken.push(path.file_name().unwrap().to_string_lossy().into_owned());
                fs::remove_file(path).unwrap();
            }
        }
        let expected: Vec<String> = (0..100u64).rev().map(|number| format!("f{:02}", (number * 37) % 100)).collect();
        assert_eq!(taken, expected.into_iter().filter(|name| name != "f00").collect::<Vec<_>>());
        assert!(queue.take(start).is_none(), "what is to come is waited for");
        fs::remove_dir_all(folder).unwrap();
    }
}
