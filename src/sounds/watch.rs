//! Folders that do not answer: a network mount that hangs stops whoever looks into it, for minutes or for ever. Each look
//! is noted, and a folder that somebody waits for already is not looked into again until it answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After so long a folder does not answer.
pub const LIMIT: Duration = Duration::from_secs(3);

/// Looks under way, by number: into which folder, and since when.
type Looks = BTreeMap<u64, (PathBuf, Instant)>;

/// The looks under way, and the latest number.
static LOOKS: Mutex<(Looks, u64)> = Mutex::new((BTreeMap::new(), 0));

/// A look into a folder, which ends with this.
pub(super) struct Look(u64);

/// Begins a look into a folder; none: it does not answer.
pub(super) fn look(folder: &Path) -> Option<Look> {
    let mut looks = LOOKS.lock().unwrap_or_else(PoisonError::into_inner);
    let (under_way, last) = &mut *looks;
    let hangs = |(one, since): &(PathBuf, Instant)| one == folder && since.elapsed() >= LIMIT;
    if under_way.values().any(hangs) {
        return None;
    }
    *last = last.saturating_add(1);
    under_way.insert(*last, (folder.to_owned(), Instant::now()));
    Some(Look(*last))
}

/// The folders among these that do not answer.
pub(super) fn hung<'a>(folders: impl IntoIterator<Item = &'a PathBuf>) -> Vec<&'a PathBuf> {
    folders.into_iter().filter(|folder| look(folder).is_none()).collect()
}

impl Drop for Look {
    fn drop(&mut self) {
        LOOKS.lock().unwrap_or_else(PoisonError::into_inner).0.remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_somebody_waits_for_is_not_looked_into_until_it_answers() {
        let (one, two) = (PathBuf::from("/watch/one"), PathBuf::from("/watch/two"));
        let held = look(&one).unwrap();
        let number = held.0;
        assert!(look(&one).is_some(), "it may yet answer");
        LOOKS.lock().unwrap().0.get_mut(&number).unwrap().1 -= LIMIT;
        assert!(look(&one).is_none() && look(&two).is_some());
        assert_eq!(hung([&one, &two]), [&one]);
        drop(held);
        assert!(look(&one).is_some());
    }
}
