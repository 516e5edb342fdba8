//! The peers of sip.conf, as far as programs need to know of them.

use crate::config::peer::Peer;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The peers of sip.conf, by name.
pub type Peers = Arc<BTreeMap<String, Arc<Peer>>>;
