//! The folders of an exchange that runs.

use crate::cli::Common;
use crate::observe::socket_path::{self, Surroundings};
use crate::store::Places;
use std::path::Path;

/// Where what outlives a restart is kept: the folder and the folder of logs
/// that strowger.toml names, else the usual ones.
pub(super) fn places(common: &Common, state: Option<&Path>, log: Option<&Path>) -> Places {
    let identity = socket_path::identity(common.config.as_deref());
    let state = match state {
        Some(folder) => vec![identity.join(folder)],
        None => socket_path::state_places(&Surroundings::of_this_process(), &identity),
    };
    let named = log.map(|folder| identity.join(folder));
    Places { state, log: named.or_else(|| Surroundings::of_this_process().log_folder()) }
}
