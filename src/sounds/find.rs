//! From a name to a file, as Asterisk finds it: the call's language with and without its country, then no language, then
//! English; in each the formats in the order of the table.

use super::places::{ENGLISH, Places};
use super::watch;
use crate::audio::recording::{ENDINGS, Kind};
use crate::wording::outside;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The longest name of a sound.
const MAX_NAME: usize = 512;
/// How deep folders may lie in a folder with sounds.
const MAX_DEPTH: usize = 4;
/// Maximum number of entries of a folder that are looked at.
const MAX_ENTRIES: usize = 4096;

/// A sound file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub kind: Kind,
}

/// The file of this name for this language.
///
/// # Errors
/// There is none: why, in a sentence that says where it was looked for.
pub fn find(places: &Places, name: &str, language: &str) -> Result<Found, String> {
    let shown = outside(name);
    if !is_proper(name) {
        return Err(format!("'{shown}' is no name of a sound: '..', an empty or a very long one is not looked for"));
    }
    let wanted = places.language(language);
    let language = if is_language(wanted) { wanted } else { ENGLISH };
    let mut unsupported = None;
    let mut look = |candidates: Vec<PathBuf>| candidates.into_iter().find_map(|stem| at(&stem, &mut unsupported));
    let absolute = Path::new(name).parent().unwrap_or(Path::new(name));
    let found = if name.starts_with('/') {
        let own = spoken(language).into_iter().chain([String::new()]).map(|folder| inside(Path::new(name), &folder));
        watch::look(absolute).and_then(|_look| look(own.collect()))
    } else {
        let own = |folder: &PathBuf| {
            let languages = spoken(language).into_iter().flat_map(|one| named(folder, &one)).chain([String::new()]);
            languages.map(|one| stem(places, folder, &one, name)).collect::<Vec<_>>()
        };
        let english = |folder: &PathBuf| {
            named(folder, ENGLISH).into_iter().map(|one| stem(places, folder, &one, name)).collect::<Vec<_>>()
        };
        let folders = || places.folders().iter();
        let first = folders().find_map(|folder| watch::look(folder).and_then(|_look| look(own(folder))));
        first.or_else(|| folders().find_map(|folder| watch::look(folder).and_then(|_look| look(english(folder)))))
    };
    if let Some(found) = found.or(unsupported) {
        return Ok(found);
    }
    let hint = match name.rsplit_once('.') {
        Some((bare, ending)) if Kind::of_ending(ending).is_some() => {
            format!(": a name is written without its ending, '{}'", outside(bare))
        }
        _ => String::new(),
    };
    Err(format!("There is no sound '{shown}' (language {language}) {}{hint}", looked(places, name)))
}

/// Where it was looked for.
fn looked(places: &Places, name: &str) -> String {
    if name.starts_with('/') {
        let hangs = Path::new(name).parent().is_some_and(|folder| watch::look(folder).is_none());
        let why = if hangs { ", whose folder does not answer (a network mount that hangs?)" } else { "" };
        return format!("at that path{why}");
    }
    let hung = watch::hung(places.folders());
    let there: Vec<String> = places
        .folders()
        .iter()
        .filter(|folder| watch::look(folder).is_some_and(|_look| folder.is_dir()))
        .map(|folder| outside(&folder.to_string_lossy()).to_string())
        .collect();
    let where_ = match there.is_empty() {
        true => "anywhere: no folder with sounds is installed (strowger sounds list)".to_owned(),
        false => format!("in {}", there.join(", ")),
    };
    let hung: Vec<String> = hung.iter().map(|folder| outside(&folder.to_string_lossy()).to_string()).collect();
    match hung.is_empty() {
        true => where_,
        false => format!("{where_}; {} does not answer (a network mount that hangs?)", hung.join(", ")),
    }
}

/// Is it a name, and none that leads out of the folders? What a telephone dialled may be in it.
fn is_proper(name: &str) -> bool {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::RootDir);
    !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.contains('\0')
        && Path::new(name).components().all(is_plain)
        && !name.ends_with('/')
}

/// A language as it may be part of a path.
fn is_language(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A language and what it is without country and style: `en_GB`, `en`.
fn spoken(language: &str) -> Vec<String> {
    let shorter = |of: &String| of.rfind('_').map(|end| of.chars().take(end).collect());
    std::iter::successors(Some(language.to_owned()), shorter).filter(|one| !one.is_empty()).collect()
}

/// The folders of a language in `folder`: its own, then those with a country and a voice in their name, as Debian has
/// them (`en_US_f_Allison`).
fn named(folder: &Path, language: &str) -> Vec<String> {
    let mut others: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .take(MAX_ENTRIES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.strip_prefix(language).is_some_and(|rest| rest.starts_with('_')))
        .collect();
    others.sort();
    let mut all = vec![language.to_owned()];
    all.append(&mut others);
    all
}

fn stem(places: &Places, folder: &Path, language: &str, name: &str) -> PathBuf {
    if places.is_prefix() { folder.join(language).join(name) } else { inside(&folder.join(name), language) }
}

/// A path with the language's folder before its last part.
fn inside(path: &Path, language: &str) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(last)) => parent.join(language).join(last),
        _ => path.to_owned(),
    }
}

/// The file of this name, in the first format there is; one that cannot be played is kept for want of another.
fn at(stem: &Path, unsupported: &mut Option<Found>) -> Option<Found> {
    for (ending, kind) in ENDINGS {
        let mut path = stem.as_os_str().to_owned();
        path.push(".");
        path.push(ending);
        let path = PathBuf::from(path);
        if !fs::metadata(&path).is_ok_and(|found| found.is_file()) {
            continue;
        }
        let found = Found { path, kind: *kind };
        if kind.is_played() {
            return Some(found);
        }
        unsupported.get_or_insert(found);
    }
    None
}

/// The sound files of a folder, sorted by name, each name once.
pub fn in_folder(places: &Places, folder: &Path) -> Vec<Found> {
    let is_plain = folder.components().all(|part| matches!(part, Component::Normal(_) | Component::RootDir));
    if !is_plain || folder.as_os_str().is_empty() {
        return Vec::new();
    }
    let beside =
        places.folders().iter().flat_map(|place| [place.parent().map(|up| up.join(folder)), Some(place.join(folder))]);
    let candidates = if folder.is_absolute() { vec![folder.to_owned()] } else { beside.flatten().collect() };
    candidates.iter().map(|folder| playable(folder)).find(|found| !found.is_empty()).unwrap_or_default()
}

fn playable(folder: &Path) -> Vec<Found> {
    let Some(_look) = watch::look(folder) else { return Vec::new() };
    let mut stems: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .take(MAX_ENTRIES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().and_then(|ending| Kind::of_ending(ending.to_str()?)).is_some())
        .map(|path| path.with_extension(""))
        .collect();
    stems.sort();
    stems.dedup();
    stems.iter().filter_map(|stem| at(stem, &mut None)).collect()
}

/// The names of all sounds in a folder and the folders in it, sorted, each once.
pub fn below(folder: &Path) -> Vec<String> {
    let mut names = std::collections::BTreeSet::new();
    let mut waiting = vec![(folder.to_owned(), 0usize)];
    while let Some((next, depth)) = waiting.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten().take(MAX_ENTRIES) {
            let path = entry.path();
            if path.is_dir() && depth < MAX_DEPTH {
                waiting.push((path, depth.saturating_add(1)));
            } else if path.extension().and_then(|ending| Kind::of_ending(ending.to_str()?)).is_some() {
                let stem = path.with_extension("");
                names.extend(stem.strip_prefix(folder).ok().map(|name| name.display().to_string()));
            }
        }
    }
    names.into_iter().collect()
}
