//! sip.conf, typed: `[general]` and the peers.

use super::general::General;
use super::peer::Peer;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What sip.conf says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SipConf {
    /// `[general]`.
    pub general: General,
    /// The peers by name.
    pub peers: BTreeMap<String, Arc<Peer>>,
}
