//! musiconhold.conf: the classes of music on hold, each a folder of files.

use super::diagnostic::Diagnostic;
use super::ini::{Document, Section};
use super::small_files::{self, Ignored};
use super::value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The class that is played where none is named, or none of that name is there.
pub const DEFAULT: &str = "default";
/// The most classes.
const MAX_CLASSES: usize = 1000;

/// In which order the files of a class are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By name.
    #[default]
    Alphabetical,
    /// By name, beginning with any of them.
    RandomStart,
    /// In another order for each caller.
    Random,
}

/// A class of music.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MusicClass {
    /// The folder with its files; one that is not absolute lies where the sounds lie.
    pub directory: PathBuf,
    /// In which order they are played.
    pub sort: Sort,
}

impl Default for MusicClass {
    fn default() -> MusicClass {
        MusicClass { directory: PathBuf::from("moh"), sort: Sort::default() }
    }
}

/// The classes, by name in lower case. There is always one of the name `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MusicClasses(BTreeMap<String, MusicClass>);

impl Default for MusicClasses {
    fn default() -> MusicClasses {
        MusicClasses(BTreeMap::from([(DEFAULT.to_owned(), MusicClass::default())]))
    }
}

impl MusicClasses {
    /// The class of that name.
    pub fn get(&self, name: &str) -> Option<&MusicClass> {
        self.0.get(&name.trim().to_ascii_lowercase())
    }

    /// Their names, sorted.
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Options of Asterisk that are not read: its name, what asks for what happens anyway, and why it has no effect.
const IGNORED: &[Ignored] = &[
    ("application", &[""], "programs that play are not run: put files into a folder (mode=files, directory=)"),
    ("format", &["slin", "sln", "ulaw", "alaw", "wav", ""], "each file's own format is read"),
    ("digit", &[""], "callers cannot choose the music by a key"),
    ("announcement", &[""], "nothing is said between the files"),
    ("entry", &[""], "lists of files are not there yet: put the files into a folder (mode=files, directory=)"),
    ("loop_last", &["no", ""], "all files are played again from the first"),
    ("kill_escalation_delay", &[""], "no programs are run that could be ended"),
    ("kill_method", &[""], "no programs are run that could be ended"),
    ("answeredonly", &["no", ""], "a caller who is not answered hears the music as early media: answer first"),
    ("cachertclasses", &["no", ""], "classes come from this file alone"),
    ("preferchannelclass", &["yes", ""], "a class that is named comes before that of the channel"),
];

/// Reads the classes of a document.
pub fn parse(document: &Document) -> (MusicClasses, Vec<Diagnostic>) {
    let (mut classes, mut said) = (MusicClasses::default(), Vec::new());
    for section in &document.sections {
        if section.name.eq_ignore_ascii_case("general") {
            let entries = section.entries.iter();
            said.extend(entries.filter_map(|entry| small_files::ignored(entry, &[], IGNORED).err()));
        } else if classes.0.len() >= MAX_CLASSES {
            let say = format!("[{}] is one class too many: it is left out", section.name);
            said.push(Diagnostic::warning(section.place.clone(), say).hint(format!("there may be {MAX_CLASSES}")));
        } else if let Some(class) = read(section, &mut said) {
            classes.0.insert(section.name.to_ascii_lowercase(), class);
        }
    }
    (classes, said)
}

/// One class; none when it is of a kind that is not there.
fn read(section: &Section, said: &mut Vec<Diagnostic>) -> Option<MusicClass> {
    let mut directory = None;
    let mut sort = Sort::default();
    let mut is_files = true;
    for entry in &section.entries {
        match entry.name.to_ascii_lowercase().as_str() {
            "mode" if entry.value.eq_ignore_ascii_case("files") => {}
            "mode" => {
                is_files = false;
                let say = format!("[{}] is left out: mode={} is not supported", section.name, entry.value);
                let hint = "use mode=files with directory=: a folder of sound files";
                said.push(Diagnostic::warning(entry.place.clone(), say).hint(hint));
            }
            "directory" if !entry.value.is_empty() => directory = Some(PathBuf::from(&entry.value)),
            "directory" => said.push(small_files::bad(entry, "a folder")),
            "sort" => match entry.value.to_ascii_lowercase().as_str() {
                "random" => sort = Sort::Random,
                "randstart" => sort = Sort::RandomStart,
                "alpha" | "" => sort = Sort::Alphabetical,
                _ => said.push(small_files::bad(entry, "alpha, random or randstart")),
            },
            // The older word for sort=random.
            "random" => {
                if value::is_one_of(&entry.value, value::TRUE_WORDS) {
                    sort = Sort::Random;
                }
            }
            _ => said.extend(small_files::ignored(entry, &["mode", "directory", "sort", "random"], IGNORED).err()),
        }
    }
    if !is_files {
        return None;
    }
    let Some(directory) = directory else {
        let say = format!("[{}] has no directory: it is left out", section.name);
        said.push(Diagnostic::warning(section.place.clone(), say).hint("write directory=, a folder of sound files"));
        return None;
    };
    Some(MusicClass { directory, sort })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ini;

    fn parsed(text: &str) -> (MusicClasses, Vec<String>) {
        let (document, none) = ini::parse("musiconhold.conf", text.as_bytes(), &mut ini::no_includes);
        assert_eq!(none, []);
        let (classes, said) = parse(&document);
        (classes, said.iter().map(|one| format!("{}: {}", one.place, one.message)).collect())
    }

    #[test]
    fn classes_are_folders() {
        let (classes, said) = parsed(
            "[general]\ncachertclasses=no\n[default]\nmode=files\ndirectory=moh\n\
             [Sales]\nmode=files\ndirectory=/srv/music\nsort=random\nformat=slin\n[old]\ndirectory=x\nrandom=yes\n",
        );
        assert_eq!(said, [""; 0]);
        assert_eq!(classes.names(), ["default", "old", "sales"]);
        assert_eq!(classes.get("default"), Some(&MusicClass::default()));
        let sales = MusicClass { directory: "/srv/music".into(), sort: Sort::Random };
        assert_eq!((classes.get("SALES"), classes.get("old").unwrap().sort), (Some(&sales), Sort::Random));
    }

    #[test]
    fn other_modes_are_said_by_name_and_left_out() {
        let (classes, said) = parsed(
            "[default]\nmode=custom\napplication=/usr/bin/mpg123 -q\n[none]\nmode=files\n[odd]\ndirectory=x\nsort=loud\nvolume=3\n",
        );
        assert_eq!(classes.names(), ["default", "odd"]);
        assert_eq!(classes.get("default"), Some(&MusicClass::default()), "that of the program is always there");
        assert_eq!(
            said,
            [
                "musiconhold.conf:2: [default] is left out: mode=custom is not supported",
                "musiconhold.conf:3: 'application' is not supported and is ignored",
                "musiconhold.conf:4: [none] has no directory: it is left out",
                "musiconhold.conf:8: 'loud' is not a valid value of 'sort': the line is ignored",
                "musiconhold.conf:9: unknown option 'volume'",
            ]
        );
    }
}
