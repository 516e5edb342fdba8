//! What was typed at consoles, kept for the next one: one command a line, in a file that only its owner reads.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::observe::socket_path::Surroundings;

/// Commands that are remembered.
pub(super) const LENGTH: usize = 1000;
/// A file beyond this is begun anew with its latest commands.
const TOO_LONG: u64 = 512 * 1024;

/// The file, for a user who has a place for such things.
pub(super) fn file(around: &Surroundings) -> Option<PathBuf> {
    let own = around.xdg_state_home.clone().or_else(|| Some(around.home.as_ref()?.join(".local/state")));
    own.filter(|folder| folder.is_absolute()).map(|folder| folder.join("strowger/console_history"))
}

/// The commands typed before, oldest first; none when there is no such file.
pub(super) fn load(file: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(2 * TOO_LONG).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.len().saturating_sub(LENGTH);
    lines.get(first..).unwrap_or_default().iter().map(|line| (*line).to_owned()).collect()
}

/// Adds one. Consoles that are open at the same time all add to the same file.
///
/// # Errors
/// The folder cannot be made, or the file cannot be written.
pub(super) fn add(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut open = OpenOptions::new();
    let mut out = open.append(true).create(true).mode(0o600).open(file)?;
    if out.metadata()?.permissions().mode() & 0o077 != 0 {
        out.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    if out.metadata()?.len() > TOO_LONG {
        let kept = load(file);
        let half = kept.len() / 2;
        out.set_len(0)?;
        out.write_all((kept.get(half..).unwrap_or_default().join("\n") + "\n").as_bytes())?;
    }
    // One write: the lines of two consoles never mix.
    out.write_all(format!("{}\n", line.replace(['\n', '\r'], " ")).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_for_its_owner_alone_and_does_not_grow_for_ever() {
        let folder = std::env::temp_dir().join(format!("strowger-history-{}", std::process::id()));
        let around = Surroundings { xdg_state_home: Some(folder.clone()), ..Surroundings::default() };
        let file = file(&around).unwrap();
        assert!(load(&file).is_empty());
        add(&file, "sip show peers").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        add(&file, "help\nx").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&file), ["sip show peers", "help x"]);
        for number in 0..LENGTH + 5 {
            add(&file, &format!("{number} {}", "x".repeat(600))).unwrap();
        }
        assert!(std::fs::metadata(&file).unwrap().len() <= TOO_LONG + 1024);
        let kept = load(&file);
        assert!(kept.len() <= LENGTH && kept.last().unwrap().starts_with(&format!("{} ", LENGTH + 4)));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn without_a_home_there_is_none() {
        assert_eq!(file(&Surroundings::default()), None);
        let home = Surroundings { home: Some("/home/ann".into()), ..Surroundings::default() };
        assert_eq!(file(&home), Some("/home/ann/.local/state/strowger/console_history".into()));
    }
}
