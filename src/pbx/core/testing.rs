//! A core for the tests of what stands on it.

use super::Core;
use crate::clock::{Now, Time, Wall};
use crate::config::{ini, sip_conf};
use crate::dialplan::Dialplan;
use crate::guard::admission::Admission;
use crate::pbx::settings::SwitchSettings;
use crate::registrar::next_hop::Listening;
use crate::rng::Rng;
use crate::rtp::strict::Strictness;
use crate::sip::digest::nonce::NonceKey;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// So many seconds after the start.
pub fn at(seconds: u64) -> Now {
    Now { mono: Time::from_start(Duration::from_secs(seconds)), wall: Wall(1_795_000_000_000) }
}

/// A core with this sip.conf at 192.0.2.1:5060, in which nothing happened yet.
pub fn core(sip_conf: &str) -> Core {
    let (document, _) = ini::parse("sip.conf", sip_conf.as_bytes(), &mut ini::no_includes);
    let (conf, _) = sip_conf::parse(&document, &Default::default());
    let settings = SwitchSettings {
        admission: Arc::new(Admission::new(&conf, NonceKey::new([7; 32], 1))),
        general: Arc::new(conf.general.clone()),
        peers: Arc::new(conf.peers.clone()),
        dialplan: Arc::new(Dialplan::new()),
        strictness: Strictness::Strict,
        listening: Listening::udp("192.0.2.1:5060".parse().unwrap()),
        local_towards: BTreeMap::new(),
        pins: Default::default(),
        indications: Arc::default(),
        music: Arc::default(),
        notify_types: Arc::default(),
        features: Arc::default(),
        parking: Arc::default(),
        recordings: None,
        process: Default::default(),
        product: String::new(),
    };
    Core::new(at(0), settings, Rng::from_number(1))
}
