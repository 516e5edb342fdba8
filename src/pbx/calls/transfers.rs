//! The transfers under way: a table.

use crate::dialplan::ChannelId;
use crate::pbx::core::LegId;
use crate::sip::timer::TimerId;
use std::collections::BTreeMap;

/// All transfers under way, by the channel that goes on elsewhere.
pub type Transfers = BTreeMap<ChannelId, Transfer>;

/// One transfer.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// Whose telephone asked for it.
    pub by: ChannelId,
    /// The leg on which it asked.
    pub leg: LegId,
    /// It was told that it rings.
    pub rings: bool,
    /// When it waits no longer.
    pub limit: TimerId,
}
