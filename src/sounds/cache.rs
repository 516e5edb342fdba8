//! Sounds that were read, while there is room, and names that were not found, for a moment.

use crate::audio::sound::Sound;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Memory for sounds that no call plays, in bytes: 70 minutes.
pub const ROOM: usize = 64 * 1024 * 1024;

/// When a file was changed, and how long it is: another answer, another sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) changed: Option<SystemTime>,
    pub(super) size: u64,
}

struct Kept {
    stamp: Stamp,
    sound: Result<Sound, String>,
    /// When it was asked for last.
    used: u64,
}

/// See the module.
pub(super) struct Cache {
    kept: BTreeMap<PathBuf, Kept>,
    room: usize,
    size: usize,
    turn: u64,
}

impl Cache {
    pub(super) fn new(room: usize) -> Cache {
        Cache { kept: BTreeMap::new(), room, size: 0, turn: 0 }
    }

    /// What was read of this file, if it is still the same.
    pub(super) fn get(&mut self, path: &Path, stamp: Stamp) -> Option<Result<Sound, String>> {
        self.turn = self.turn.saturating_add(1);
        let kept = self.kept.get_mut(path).filter(|kept| kept.stamp == stamp)?;
        kept.used = self.turn;
        Some(kept.sound.clone())
    }

    /// Keeps what was read; what was not asked for the longest makes room.
    pub(super) fn put(&mut self, path: PathBuf, stamp: Stamp, sound: Result<Sound, String>) {
        self.remove(&path);
        let size = weight(&sound);
        if size > self.room {
            return;
        }
        while self.size.saturating_add(size) > self.room {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(path, _)| path.clone());
            let Some(oldest) = oldest else { return };
            self.remove(&oldest);
        }
        self.size = self.size.saturating_add(size);
        self.kept.insert(path, Kept { stamp, sound, used: self.turn });
    }

    fn remove(&mut self, path: &Path) {
        if let Some(kept) = self.kept.remove(path) {
            self.size = self.size.saturating_sub(weight(&kept.sound));
        }
    }
}

/// The memory it takes, with what stands around it.
fn weight(sound: &Result<Sound, String>) -> usize {
    sound.as_ref().map_or(0, Sound::size).saturating_add(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_makes_room_and_a_changed_file_is_another() {
        let stamp = |size| Stamp { changed: None, size };
        let sound = |samples: usize| Ok(Sound::of_samples(&vec![0; samples]));
        let mut cache = Cache::new(3 * (2_000 + 1_024));
        for name in ["a", "b", "c"] {
            cache.put(name.into(), stamp(1), sound(1_000));
        }
        assert!(cache.get(Path::new("a"), stamp(1)).is_some());
        cache.put("d".into(), stamp(1), sound(1_000));
        let has = |cache: &mut Cache, name: &str| cache.get(Path::new(name), stamp(1)).is_some();
        assert_eq!(["a", "b", "c", "d"].map(|name| has(&mut cache, name)), [true, false, true, true]);
        assert!(cache.get(Path::new("a"), stamp(2)).is_none());
        cache.put("a".into(), stamp(2), sound(1_001));
        assert!(cache.get(Path::new("a"), stamp(2)).is_some());
        cache.put("big".into(), stamp(1), sound(10_000));
        assert!(!has(&mut cache, "big") && cache.size <= cache.room);
    }
}
