//! Where scripts are.

use super::settings::Settings;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

/// The script's path; an error says where it was looked for, or what keeps it from running.
pub(super) fn find(name: &str, settings: &Settings) -> Result<PathBuf, String> {
    let given = Path::new(name);
    let places: Vec<PathBuf> = if given.is_absolute() {
        vec![given.to_owned()]
    } else if given.components().any(|part| matches!(part, Component::ParentDir)) {
        return Err("a script's name may not lead upwards ('..')".to_owned());
    } else {
        settings.script_folders.iter().map(|folder| folder.join(given)).collect()
    };
    match places.iter().find(|place| place.is_file()) {
        None => {
            let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
            Err(format!("there is no such script: looked for {}", places.join(" and ")))
        }
        Some(place) => match place.metadata() {
            Ok(found) if found.permissions().mode() & 0o111 == 0 => {
                Err(format!("{} is not executable: chmod +x {}", place.display(), place.display()))
            }
            _ => Ok(place.clone()),
        },
    }
}
