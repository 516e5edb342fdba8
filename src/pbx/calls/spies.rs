//! Who listens to whom.

use crate::dialplan::ChannelId;
use crate::pbx::media::StreamId;
use crate::pbx::mixing::{MixId, SpyPlan};
use std::collections::BTreeMap;

/// All who listen, by the channel whose program does.
pub(super) type Spies = BTreeMap<ChannelId, Spying>;

/// One listens to another.
#[derive(Debug, Clone)]
pub(super) struct Spying {
    /// The telephone that listens.
    pub(super) listener: ChannelId,
    /// The channel that is listened to.
    pub(super) target: ChannelId,
    /// Its stream.
    pub(super) stream: StreamId,
    /// The mix of the listener.
    pub(super) mix: MixId,
    /// How.
    pub(super) plan: SpyPlan,
}
