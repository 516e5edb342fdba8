//! Devices whose configuration is made here, and cannot be made as it is written.

use super::survey::Survey;
use crate::clock::Wall;
use crate::config::diagnostic::Diagnostic;
use crate::provision::Stock;

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let config = survey.config;
    let is_said = config.sip.peers.values().any(|peer| peer.device.is_said());
    if !is_said && config.toml.device.is_empty() && config.templates.is_empty() {
        return Vec::new();
    }
    // What time it is changes nothing of what is wrong.
    Stock::of(config, survey.plan, Wall(0)).1
}
