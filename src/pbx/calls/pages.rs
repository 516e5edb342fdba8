//! Pages: one telephone is heard by many. What there is to know of each.

use crate::dialplan::ChannelId;
use crate::pbx::mixing::MixId;
use std::collections::BTreeMap;

/// All pages, by the channel that began each.
pub(super) type Pages = BTreeMap<ChannelId, Page>;

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The telephones that have answered.
    pub(super) members: Vec<ChannelId>,
    /// Where everybody hears everybody; none: only the one who pages is heard.
    pub(super) mix: Option<MixId>,
    /// What each telephone is played first.
    pub(super) announcement: Option<String>,
    /// The telephone of the one who pages, from when it speaks.
    pub(super) speaker: Option<ChannelId>,
}
