//! Where sound files are looked for, and in which order: what the owner named, what he put beside the configuration and
//! the state, what Asterisk left, the human voices of Debian's packages, our own voice, and what was recorded.

use crate::config::{Config, Source};
use std::path::{Path, PathBuf};

/// Asterisk's own folder, when no `astdatadir` says otherwise.
const ASTERISK: &str = "/var/lib/asterisk";
/// Where Debian's packages of Asterisk's sounds put them.
pub const DEBIAN: &str = "/usr/share/asterisk";
/// Where our own package puts ours.
const OURS: &str = "/usr/share/strowger";
/// The language that is tried last.
pub(super) const ENGLISH: &str = "en";
/// How far above the program a checkout's own folder may lie: `target/debug/deps/` and the program itself.
const CHECKOUT_DEPTH: usize = 5;

/// Folders with sound files, first those that are looked into first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    folders: Vec<PathBuf>,
    default_language: String,
    prefix: bool,
}

impl Places {
    /// The folders of this configuration, of an exchange whose state lies there and whose program is that.
    pub fn of(config: &Config, state: Option<&Path>, program: Option<&Path>) -> Places {
        let directory = match &config.source {
            Source::Texts => None,
            Source::Directory(directory) => Some(directory.as_path()),
        };
        let beside = |path: &PathBuf| directory.map_or_else(|| path.clone(), |directory| directory.join(path));
        let mut folders: Vec<PathBuf> = config.toml.sounds.folder.iter().map(beside).collect();
        folders.extend(config.asterisk.data.iter().map(|folder| beside(folder).join("sounds")));
        folders.extend(directory.into_iter().chain(state).map(|folder| folder.join("sounds")));
        folders.extend([ASTERISK, DEBIAN, OURS].map(|folder| Path::new(folder).join("sounds")));
        folders.extend(program.map(ours).unwrap_or_default());
        // What was recorded by a relative name is found by it, and takes no prompt's place.
        folders.extend(config.asterisk.spool.iter().map(|spool| spool.join("monitor")));
        folders.extend(state.map(|state| state.join("recordings")));
        Places::new(folders, &config.asterisk.default_language, config.asterisk.language_prefix)
    }

    /// The folders of this configuration for this program.
    pub fn of_this_program(config: &Config, state: Option<&Path>) -> Places {
        Places::of(config, state, std::env::current_exe().ok().as_deref())
    }

    /// These folders; `default_language` is that of calls which have none (empty: English).
    pub fn new(mut folders: Vec<PathBuf>, default_language: &str, prefix: bool) -> Places {
        let mut seen = std::collections::BTreeSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        Places { folders, default_language: default_language.to_owned(), prefix }
    }

    /// The folders, in order.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The language of a call that has none of its own.
    pub(super) fn language<'a>(&'a self, wanted: &'a str) -> &'a str {
        [wanted, &self.default_language, ENGLISH].into_iter().find(|one| !one.is_empty()).unwrap_or_default()
    }

    /// Does the language stand before a name's folders (`en/digits/1`), or behind them (`digits/en/1`)?
    pub(super) fn is_prefix(&self) -> bool {
        self.prefix
    }
}

/// Our own voice, for a program that no package installed: beside it, or in the checkout it was built in.
fn ours(program: &Path) -> Vec<PathBuf> {
    let Some(folder) = program.parent() else { return Vec::new() };
    let mut found = vec![folder.join("../share/strowger/sounds"), folder.join("sounds")];
    let above = program.ancestors().skip(1).take(CHECKOUT_DEPTH);
    let checkout = above.into_iter().find(|folder| folder.join("Cargo.toml").is_file());
    found.extend(checkout.map(|folder| folder.join("sounds")));
    found
}
