//! Which devices the hint of an extension names, asked by nobody's program.

use super::environment::{ChannelEnv, Shared};
use super::parties::Parties;
use crate::dialplan::substitute::hint_devices;
use crate::dialplan::{ChannelId, hint};
use crate::pbx::core::{Core, Directory};

/// The devices that the hint of an extension names, variables in it replaced; none: it has no hint.
pub(crate) fn devices_of(
    (context, exten): (&str, &str),
    parties: &Parties,
    shared: &Shared,
    directory: &dyn Directory,
    core: &Core,
) -> Option<Vec<String>> {
    // No channel has this number: a hint that asks for something of one is told nothing.
    let environment = ChannelEnv { parties, core, shared, directory, id: ChannelId(u64::MAX), random: 0 };
    let devices = hint_devices(&environment, context, exten)?;
    Some(hint::names(&devices).map(str::to_owned).collect())
}
