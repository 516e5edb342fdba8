//! How an interlude ends: the channel has its own program again.

use super::channel::{Activity, Channel};
use super::interlude::{Finished, Interlude};
use crate::dialplan::{Program, mid_call};
use crate::pbx::core::Core;

/// Ends a channel's interlude. None: it was in none.
pub(super) fn take_back(channel: &mut Channel, cause: u16, core: &mut Core) -> Option<Finished> {
    let Interlude { partner, purpose, program, connected, watch, .. } = *channel.interlude.take()?;
    let variable = |program: &Program| program.variable(mid_call::NUMBER);
    let number = channel.program.as_ref().and_then(variable).unwrap_or_default();
    let branches = channel.stop_activity(cause, core).branches;
    channel.activity = connected.map_or(Activity::Called, Activity::Bridged);
    (channel.program, channel.watch) = (program, watch);
    channel.digits.clear();
    Some(Finished { partner, purpose, number, branches })
}
