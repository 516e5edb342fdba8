//! What a configuration sets of the switch, at the start and at every reload.

use super::signalling;
use crate::config::Config;
use crate::dialplan::Dialplan;
use crate::guard::admission::Admission;
use crate::names::Names;
use crate::pbx::switch::{Listening, SwitchSettings};
use crate::sip::digest::nonce::NonceKey;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an exchange keeps from its start to its end and every configuration is completed with.
#[derive(Clone)]
pub(super) struct SettingsBase {
    pub(super) key: NonceKey,
    pub(super) listening: Listening,
    /// Where recordings with a relative name go; none: nowhere.
    pub(super) recordings: Option<String>,
    /// The environment of the process.
    pub(super) process: Arc<BTreeMap<String, String>>,
}

/// Maximum number of environment variables that the dialplan sees, and of bytes in one.
const MAX_VARIABLES: usize = 1000;
const MAX_VALUE: usize = 4096;

/// The environment of the process, as far as it is text and not too long.
pub(super) fn process_environment() -> Arc<BTreeMap<String, String>> {
    let texts =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Arc::new(texts.filter(|(_, value)| value.len() <= MAX_VALUE).take(MAX_VARIABLES).collect())
}

impl SettingsBase {
    /// What this configuration sets of the switch.
    pub(super) fn with(&self, config: &Config, dialplan: Dialplan) -> SwitchSettings {
        let general = Arc::new(config.sip.general.clone());
        let peers = Arc::new(config.sip.peers.clone());
        SwitchSettings {
            local_towards: signalling::routes(&peers, &general, &Names::new()),
            peers,
            dialplan: Arc::new(dialplan),
            strictness: config.rtp.strictness,
            admission: Arc::new(Admission::new(&config.sip, self.key.clone())),
            listening: self.listening,
            pins: config.pins.clone(),
            indications: Arc::new(config.indications.clone()),
            music: Arc::new(config.music.clone()),
            notify_types: Arc::new(config.notify_types.clone()),
            features: Arc::new(config.features.clone()),
            parking: Arc::new(config.parking.clone()),
            recordings: self.recordings.clone(),
            process: Arc::clone(&self.process),
            product: general.user_agent.clone(),
            general,
        }
    }
}
