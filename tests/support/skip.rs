//! Stories that need what is not here.

#![allow(dead_code)] // not every test asks for everything

use std::io::Write as _;

/// Skips a story by name; `tests/run.sh` counts those in the file `STROWGER_SKIPPED`.
pub fn skip(story: &str, why: &str) {
    eprintln!("skipped: {story} ({why})");
    if let Some(path) = std::env::var_os("STROWGER_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{story} ({why})").unwrap();
    }
}

/// The same, which is a failure where no story may be skipped (`STROWGER_INTEROP_REQUIRED`).
pub fn skip_unless_required(story: &str, why: &str) {
    assert!(std::env::var_os("STROWGER_INTEROP_REQUIRED").is_none(), "{story}: {why}");
    skip(story, why);
}

/// Whether a program is in the PATH.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
