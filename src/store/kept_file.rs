//! Small files of the state folder that are replaced as a whole, and that only their owner may read.

use super::folder;
use crate::clock::Wall;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// A larger one is none of ours, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Writes a file anew: whoever reads it sees the old one or the new one, whole. One that is as it should be is left.
///
/// # Errors
/// It cannot be written.
pub fn write(folder: &Path, name: &str, text: &[u8]) -> io::Result<()> {
    if read(folder, name).is_some_and(|(old, _)| old == text) {
        return Ok(());
    }
    folder::usable(folder)?;
    let new = folder.join(format!("{name}.new"));
    // What a kill left behind may have any mode.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// A file, and when it was written.
pub fn read(folder: &Path, name: &str) -> Option<(Vec<u8>, Wall)> {
    let file = File::open(folder.join(name)).ok()?;
    let about = file.metadata().ok().filter(|about| about.is_file() && about.len() <= MAX_FILE)?;
    let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut text = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut text).ok()?;
    Some((text, Wall(i64::try_from(since.as_millis()).ok()?)))
}
