//! What applications see of the exchange while their program runs: the dialplan that is in force.

use super::peers::Peers;
use super::tree::Dialplan;
use crate::clock::Wall;
use std::sync::Arc;

/// What applications see of the exchange. It is there only while the program runs, so that one that waits holds no
/// dialplan that a reload has replaced.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// The dialplan.
    pub(super) plan: Arc<Dialplan>,
    /// The peers of sip.conf.
    pub(super) peers: Peers,
    /// The time for which its includes count.
    pub(super) now: Wall,
}
