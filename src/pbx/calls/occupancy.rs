//! What the calls of each line do, kept up as channels change: lamps are told of the lines that changed, and nobody looks
//! through all channels for it.

use super::channel::{Channel, ChannelState};
use super::leg::Leg;
use crate::dialplan::ChannelId;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// What a channel is to its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    line: SmolStr,
    doing: Doing,
}

impl Part {
    /// What this channel is to its line.
    pub(super) fn of(seen: Seen<'_>) -> Part {
        Part { line: seen.0.line().into(), doing: doing(seen) }
    }
}

/// What a call does, as lamps show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Rings,
    Talks,
    Holds,
}

/// A channel, and its leg when it has one.
pub(super) type Seen<'a> = (&'a Channel, Option<&'a Leg>);

fn doing((channel, leg): Seen<'_>) -> Doing {
    let holds = || leg.and_then(|leg| leg.agreement.remote.as_ref()).is_some_and(|remote| remote.is_hold());
    match channel.state {
        // A called line whose phone rings, or is about to.
        ChannelState::Down | ChannelState::Ringing => Doing::Rings,
        ChannelState::Ring | ChannelState::Up if holds() => Doing::Holds,
        ChannelState::Ring | ChannelState::Up => Doing::Talks,
    }
}

/// What the calls of a line do together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineUse {
    /// Calls, whatever they do.
    pub calls: u32,
    /// Those that ring.
    pub ringing: u32,
    /// Those that the line holds.
    pub held: u32,
}

impl LineUse {
    /// What these channels of one line do together.
    pub(super) fn of<'a>(channels: impl Iterator<Item = Seen<'a>>) -> LineUse {
        let mut all = LineUse::default();
        for seen in channels {
            let doing = doing(seen);
            all.calls = all.calls.saturating_add(1);
            all.ringing = all.ringing.saturating_add(u32::from(doing == Doing::Rings));
            all.held = all.held.saturating_add(u32::from(doing == Doing::Holds));
        }
        all
    }
}

/// Which channels a line has, and which lines changed.
#[derive(Debug, Default)]
pub struct Occupancy {
    parts: BTreeMap<ChannelId, Part>,
    lines: BTreeMap<SmolStr, BTreeSet<ChannelId>>,
    touched: BTreeSet<ChannelId>,
}

impl Occupancy {
    /// A channel may have changed, or be gone.
    pub(super) fn touch(&mut self, id: ChannelId) {
        self.touched.insert(id);
    }

    /// The channels that a line may have, oldest first: one that was touched since may be of another line, or gone.
    pub(super) fn candidates(&self, line: &str) -> BTreeSet<ChannelId> {
        self.lines.get(line).into_iter().flatten().chain(&self.touched).copied().collect()
    }

    /// The channels that may have changed, or be gone, since this was asked last.
    pub(super) fn take_touched(&mut self) -> BTreeSet<ChannelId> {
        std::mem::take(&mut self.touched)
    }

    /// This is what a channel is now, if it is there. Gives the lines on which that changes something.
    pub(super) fn update(&mut self, id: ChannelId, now: Option<Part>) -> Vec<SmolStr> {
        let now = now.filter(|part| !part.line.is_empty());
        let mut changed = Vec::new();
        if self.parts.get(&id) == now.as_ref() {
            return changed;
        }
        if let Some(before) = self.parts.remove(&id) {
            self.leave(&before.line, id);
            changed.push(before.line);
        }
        if let Some(now) = now {
            self.lines.entry(now.line.clone()).or_default().insert(id);
            changed.push(now.line.clone());
            self.parts.insert(id, now);
        }
        changed
    }

    fn leave(&mut self, line: &SmolStr, id: ChannelId) {
        if let Some(channels) = self.lines.get_mut(line) {
            channels.remove(&id);
            if channels.is_empty() {
                self.lines.remove(line);
            }
        }
    }
}
