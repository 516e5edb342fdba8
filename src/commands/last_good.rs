//! The configuration that was in force when the one of the files cannot be used at a start: better the telephones of
//! yesterday than none.

use super::places::places;
use crate::cli::Common;
use crate::config::load::{self, LastGood, Loaded};
use crate::daemon::{LAST_GOOD, keep_last_good};
use crate::datetime::moment;
use crate::store::kept_file;
use std::path::Path;

/// What was loaded; or, when it cannot be used, the last that could, with the sentence that says so.
pub(super) fn or_last_good(loaded: Loaded, common: &Common, place: &Path) -> (Loaded, Option<String>) {
    if loaded.config.is_some() {
        return (loaded, None);
    }
    let folders = places(common, load::state_folder(place).as_deref(), None).state;
    let mut found = folders.iter().filter_map(|folder| kept_file::read(folder, LAST_GOOD));
    let Some((text, since)) = found.next() else { return (loaded, None) };
    let Some(kept) = LastGood::from_bytes(&text) else { return (loaded, None) };
    let good = load::load_last_good(place, kept);
    if good.config.is_none() {
        return (loaded, None);
    }
    let text = format!(
        "the configuration of {} cannot be used as it is: started with the last one that could, of {}; correct the errors \
         above, then 'core reload'",
        place.display(),
        moment(since)
    );
    (good, Some(text))
}

/// Keeps the configuration that is in force; the sentence to log when it cannot be kept.
pub(super) fn keep(loaded: &Loaded, state: Option<&Path>) -> Result<(), String> {
    match state.zip(loaded.kept()) {
        Some((state, good)) => keep_last_good(state, &good),
        None => Ok(()),
    }
}
