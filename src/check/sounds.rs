//! Sounds that the dialplan names and that are not there. Who may look for files says which those are.

use super::survey::{Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::dialplan::arguments;
use std::collections::BTreeSet;

/// Applications that play sounds, and which of their arguments names them.
const PLAYERS: &[(&str, usize)] = &[("Playback", 0), ("Background", 0), ("ControlPlayback", 0), ("Read", 1)];

/// Each name once, at the first line that plays it. `missing` says why there is no such sound, in a whole sentence.
pub(super) fn findings(survey: &Survey, missing: &dyn Fn(&str) -> Option<String>) -> Vec<Diagnostic> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for step in &survey.steps {
        for call in step.calls() {
            let Some((player, place)) = PLAYERS.iter().find(|(name, _)| call.is(name)) else { continue };
            let names = arguments::pieces(&call.args, ',', 9);
            let names = names.get(*place).map_or("", String::as_str);
            for name in names.split('&').map(str::trim).filter(|name| !name.is_empty() && !is_computed(name)) {
                if !seen.insert(name.to_owned()) {
                    continue;
                }
                if let Some(why) = missing(name) {
                    let message = format!("{player} plays '{name}', which is not there");
                    found.push(finding::SOUND_MISSING.at(step.place, message).hint(why));
                }
            }
        }
    }
    found
}
