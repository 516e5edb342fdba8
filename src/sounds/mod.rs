//! Where sounds come from: finds files by the names a dialplan uses, reads and converts them, and keeps them while there
//! is room. It opens files, so a thread of its own has it, and the switch orders what it needs.

mod cache;
mod find;
mod places;
mod watch;

pub use cache::ROOM;
pub use find::{Found, below, find, in_folder};
pub use places::{DEBIAN, Places};
pub use watch::LIMIT;

use crate::audio::recording::{self, Kind};
use crate::audio::sound::{self, Sound};
use crate::pbx::sounds::Wanted;
use crate::wording::outside;
use cache::{Cache, Stamp};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 128 * 1024 * 1024;
/// Music of a folder beyond this is left out, in bytes as it is kept.
const MAX_MUSIC: usize = ROOM / 2;
/// How long a name that was not found is not looked for again, and how many such names are kept.
const FORGET: Duration = Duration::from_secs(5);
const MAX_MISSING: usize = 1024;

/// The sounds that can be had, by several threads at once: while one reads, the others go on.
pub struct Library(Mutex<Shelf>);

struct Shelf {
    places: Arc<Places>,
    cache: Cache,
    missing: BTreeMap<(String, String), (Instant, String)>,
}

impl Library {
    /// The sounds of these folders.
    pub fn new(places: Places) -> Library {
        let shelf = Shelf { places: Arc::new(places), cache: Cache::new(ROOM), missing: BTreeMap::new() };
        Library(Mutex::new(shelf))
    }

    /// Looks into other folders from now on.
    pub fn move_to(&self, places: Places) {
        let mut shelf = self.shelf();
        shelf.places = Arc::new(places);
        shelf.missing.clear();
    }

    /// Each of the sounds that are wanted, or why it cannot be had.
    pub fn load(&self, wanted: &Wanted) -> Vec<Result<Sound, String>> {
        match wanted {
            Wanted::Names { names, language } => names.iter().map(|name| self.named(name, language)).collect(),
            Wanted::Folder(folder) => self.music(folder),
        }
    }

    /// Never held while the disk is waited for.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, name: &str, language: &str) -> Result<Sound, String> {
        if is_made(name) {
            return made(name).ok_or_else(|| format!("There is no sound '{}'", outside(name)));
        }
        let key = (name.to_owned(), language.to_owned());
        let places = {
            let shelf = self.shelf();
            if let Some((since, why)) = shelf.missing.get(&key)
                && since.elapsed() < FORGET
            {
                return Err(why.clone());
            }
            Arc::clone(&shelf.places)
        };
        match find(&places, name, language) {
            Ok(found) => self.read(&found),
            Err(why) => made(name).ok_or_else(|| {
                let mut shelf = self.shelf();
                if shelf.missing.len() >= MAX_MISSING {
                    shelf.missing.clear();
                }
                shelf.missing.insert(key, (Instant::now(), why.clone()));
                why
            }),
        }
    }

    fn music(&self, folder: &Path) -> Vec<Result<Sound, String>> {
        let (mut all, mut size) = (Vec::new(), 0usize);
        let mut why = format!("There is no sound in the folder '{}'", outside(&folder.to_string_lossy()));
        let places = Arc::clone(&self.shelf().places);
        for found in in_folder(&places, folder) {
            match self.read(&found) {
                Ok(sound) if size.saturating_add(sound.size()) <= MAX_MUSIC => {
                    size = size.saturating_add(sound.size());
                    all.push(Ok(sound));
                }
                Ok(_) => break,
                Err(refused) => why = refused,
            }
        }
        if all.is_empty() { vec![Err(why)] } else { all }
    }

    fn read(&self, found: &Found) -> Result<Sound, String> {
        let folder = found.path.parent().unwrap_or(&found.path);
        let hung = || unreadable(found, "its folder does not answer (a network mount that hangs?)");
        let _look = watch::look(folder).ok_or_else(hung)?;
        let stamp = stamp(&found.path).map_err(|error| unreadable(found, &error.to_string()))?;
        if let Some(kept) = self.shelf().cache.get(&found.path, stamp) {
            return kept;
        }
        let sound = samples(found).map(|(samples, _)| Sound::of_samples(&samples));
        self.shelf().cache.put(found.path.clone(), stamp, sound.clone());
        sound
    }
}

/// Names that no file may take: they are made to measure.
fn is_made(name: &str) -> bool {
    name.starts_with("silence/") || name.starts_with("tone/")
}

fn made(name: &str) -> Option<Sound> {
    Some(Sound::of_samples(&sound::find(name)?))
}

/// Why this name cannot be played in this language, in a whole sentence; `None`: it can. The file is not read.
pub fn missing(places: &Places, name: &str, language: &str) -> Option<String> {
    let why = match find(places, name, language) {
        Ok(found) if found.kind.is_played() => return None,
        Ok(found) => samples(&found).err()?,
        Err(why) => why,
    };
    sound::find(name).is_none().then_some(why)
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let found = fs::metadata(path)?;
    Ok(Stamp { changed: found.modified().ok(), size: found.len() })
}

fn unreadable(found: &Found, why: &str) -> String {
    format!("The sound {} cannot be played: {why}", outside(&found.path.to_string_lossy()))
}

/// The samples of a file, 8,000 a second, and what the file is.
///
/// # Errors
/// It cannot be read, or played: a sentence that says what to do.
pub fn samples(found: &Found) -> Result<(Vec<i16>, String), String> {
    let refused = |why: String| unreadable(found, &why);
    if let Kind::Unsupported(_) = found.kind {
        return recording::read(found.kind, &[]).map_err(|why| refused(why.to_string()));
    }
    // A pipe would be waited for without end, already when it is opened.
    if !fs::metadata(&found.path).map_err(|error| refused(error.to_string()))?.is_file() {
        return Err(refused("it is no ordinary file".to_owned()));
    }
    let file = File::open(&found.path).map_err(|error| refused(error.to_string()))?;
    // What has no size may be a file of the kernel, and such a one can be waited for without end.
    if file.metadata().map_err(|error| refused(error.to_string()))?.len() == 0 {
        return Err(refused("it is empty; record or convert it again".to_owned()));
    }
    let mut bytes = Vec::new();
    let length = file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| refused(error.to_string()))?;
    if length as u64 > MAX_FILE {
        return Err(refused(format!("it is larger than {} MiB; cut it", MAX_FILE / 1024 / 1024)));
    }
    recording::read(found.kind, &bytes).map_err(|why| refused(why.to_string()))
}

#[cfg(test)]
mod tests;
