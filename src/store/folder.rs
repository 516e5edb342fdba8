//! The state folder: which one, its modes, the nonce key in it, and what is moved aside.

use crate::clock::Wall;
use rustix::fs::{Access, AtFlags};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The nonce key's file.
const KEY: &str = "nonce.key";
/// Damaged files kept for whoever wants to look at them; older ones are deleted, or a failing disk would fill up with
/// them.
const KEPT: usize = 3;

/// Is there a file, and not an empty one?
pub(super) fn holds_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// The first folder that can be written to, made if need be; the error says for each why it cannot.
pub(super) fn choose(places: &[PathBuf]) -> Result<PathBuf, String> {
    let mut reasons = Vec::new();
    for place in places {
        match usable(place) {
            Ok(()) => return Ok(place.clone()),
            Err(error) => reasons.push(format!("{}: {error}", place.display())),
        }
    }
    Err(reasons.join("; "))
}

/// Makes the folder for the owner alone, if it is not there, and sees whether it can be written to.
pub(super) fn usable(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    Ok(rustix::fs::accessat(rustix::fs::CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?)
}

/// Makes an empty file that only its owner may read, unless there is one.
pub(super) fn touch(path: &Path, mode: u32) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(mode).open(path).map(drop)
}

/// The nonce key kept in the folder; or `fresh`, kept from now on.
pub(super) fn keep_key(folder: &Path, fresh: [u8; 32]) -> io::Result<[u8; 32]> {
    let path = folder.join(KEY);
    if let Some(kept) = read_key(&path) {
        return Ok(kept);
    }
    usable(folder)?;
    let text: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = folder.join("nonce.key.new");
    // What a kill left behind may have any mode.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    File::open(folder)?.sync_all()?;
    Ok(fresh)
}

/// 64 hexadecimal digits; anything else is no key of ours, and a new one is made.
fn read_key(path: &Path) -> Option<[u8; 32]> {
    let mut text = String::new();
    File::open(path).ok()?.take(80).read_to_string(&mut text).ok()?;
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (index, byte) in key.iter_mut().enumerate() {
        let digits = text.get(index * 2..index * 2 + 2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}

/// Moves a database and its log aside: `state.db` becomes `state.db.damaged-SECONDS`. Gives the new name.
pub(super) fn move_aside(path: &Path, wall: Wall) -> io::Result<PathBuf> {
    let base = with_end(path, &format!(".damaged-{}", wall.0.div_euclid(1000)));
    let mut to = base.clone();
    for number in 2..100 {
        if !to.exists() {
            break;
        }
        to = with_end(&base, &format!("-{number}"));
    }
    fs::rename(path, &to)?;
    // The log belongs to the file, also where somebody repairs it; the index beside it is made anew by whoever opens
    // it.
    let _ = fs::rename(with_end(path, "-wal"), with_end(&to, "-wal"));
    let _ = fs::remove_file(with_end(path, "-shm"));
    forget_oldest(path);
    Ok(to)
}

fn forget_oldest(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return };
    let start = format!("{name}.damaged-");
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut damaged: Vec<_> = entries
        .flatten()
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| name.starts_with(&start) && !name.ends_with("-wal"))
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    damaged.sort();
    let surplus = damaged.len().saturating_sub(KEPT);
    for (_, path) in damaged.into_iter().take(surplus) {
        // What cannot be deleted stays.
        let _ = fs::remove_file(with_end(&path, "-wal"));
        let _ = fs::remove_file(path);
    }
}

/// The path with something more at its end.
pub(super) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(end);
    PathBuf::from(whole)
}
