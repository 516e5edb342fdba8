//! What the calls of a line do together, and which lines changed.

use super::occupancy::{LineUse, Part, Seen};
use super::parties::Parties;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// The channels of a line, both directions, oldest first, each with its leg.
pub(super) fn channels_of<'a>(parties: &'a Parties, line: &str) -> Vec<Seen<'a>> {
    let found = parties.occupancy.candidates(line).into_iter();
    let found = found.filter_map(|id| Some((parties.channel(id)?, parties.leg_of(id))));
    found.filter(|(channel, _)| channel.line() == line).collect()
}

/// What the calls of a line do.
pub(super) fn use_of(parties: &Parties, line: &str) -> LineUse {
    LineUse::of(channels_of(parties, line).into_iter())
}

/// The lines whose calls changed since this was asked last.
pub(super) fn take_changed(parties: &mut Parties) -> BTreeSet<SmolStr> {
    let touched = parties.occupancy.take_touched().into_iter();
    let parts: Vec<_> =
        touched.map(|id| (id, parties.channel(id).map(|channel| Part::of((channel, parties.leg_of(id)))))).collect();
    parts.into_iter().flat_map(|(id, part)| parties.occupancy.update(id, part)).collect()
}
