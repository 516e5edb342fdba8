//! Looks through the halves of calls into the dialplan ([`LocalHalf`](super::local_half::LocalHalf)), which have neither
//! leg nor ports: who is at the end of them.

use super::bridge::{Bridge, Bridges};
use super::channel::Channel;
use super::leg::Leg;
use super::parties::Parties;
use crate::dialplan::ChannelId;

/// Maximum number of pairs one behind the other.
pub(super) const MAX_DEPTH: usize = 16;

/// Of a half that runs the dialplan: who called its other half, and that.
pub(super) fn called_half(parties: &Parties, id: ChannelId) -> Option<(ChannelId, ChannelId)> {
    let half = parties.channel(id)?.local().filter(|half| !half.is_called)?;
    let called = parties.channel(half.other)?;
    Some((called.called_by?, called.id))
}

/// The same while that other half is not answered.
pub(super) fn unanswered_half(parties: &Parties, id: ChannelId) -> Option<(ChannelId, ChannelId)> {
    let (caller, half) = called_half(parties, id)?;
    parties.channel(half)?.bridge.is_none().then_some((caller, half))
}

/// The half that runs the dialplan for a half that is called.
pub(super) fn running_half(parties: &Parties, id: ChannelId) -> Option<ChannelId> {
    let half = parties.channel(id)?.local().filter(|half| half.is_called)?;
    parties.channel(half.other).map(|running| running.id)
}

/// The telephone that calls in the end; the channel itself when it is one.
pub(super) fn caller(parties: &Parties, id: ChannelId) -> ChannelId {
    let mut at = id;
    for _ in 0..MAX_DEPTH {
        let Some((caller, _)) = called_half(parties, at) else { break };
        at = caller;
    }
    at
}

/// Whose program hears what is dialled on a telephone: its own, or that of the dialplan it was sent into.
pub(super) fn listener(parties: &Parties, bridges: &Bridges, id: ChannelId) -> ChannelId {
    let mut at = id;
    for _ in 0..MAX_DEPTH {
        let Some(channel) = parties.channel(at) else { break };
        let bridge = channel.bridge.and_then(|bridge| bridges.get(bridge));
        let talked_to = bridge.into_iter().flat_map(Bridge::members).filter(|member| *member != at);
        let called = channel.dial().into_iter().flat_map(|dial| dial.branches.iter().map(|(line, _)| *line));
        let Some(running) = called.chain(talked_to).find_map(|other| running_half(parties, other)) else { break };
        at = running;
    }
    at
}

/// The line whose early media a called channel has; the channel itself when it is one.
pub(super) fn sounding(parties: &Parties, id: ChannelId) -> ChannelId {
    let mut at = id;
    for _ in 0..MAX_DEPTH {
        let running = running_half(parties, at).and_then(|running| parties.channel(running)?.dial()?.early_line());
        let Some(line) = running else { break };
        at = line;
    }
    at
}

/// The lines that ring for a called channel, itself when it is one; the half that runs the dialplan where none does.
pub(super) fn rung(parties: &Parties, id: ChannelId) -> Vec<ChannelId> {
    let (mut found, mut open) = (Vec::new(), vec![id]);
    while let Some(at) = open.pop() {
        let Some(running) = running_half(parties, at) else {
            found.push(at);
            continue;
        };
        let branches = parties.channel(running).and_then(Channel::dial).map(|dial| dial.branches.as_slice());
        match branches.unwrap_or_default() {
            [] => found.push(running),
            branches => open.extend(branches.iter().rev().map(|(line, _)| *line)),
        }
    }
    found
}

/// What a person calls a channel of [`rung`]: its line, or the extension that it runs.
pub(super) fn place_name(channel: &Channel) -> String {
    match (&channel.entered, channel.line()) {
        (Some(at), "") => format!("{}@{}", at.exten, at.context),
        (_, line) => line.to_owned(),
    }
}

/// Is it a caller to whom nothing final was said?
pub(super) fn is_unanswered_caller(parties: &Parties, id: ChannelId) -> bool {
    unanswered_half(parties, id).is_some() || parties.leg_of(id).is_some_and(Leg::is_unanswered_caller)
}

/// How many pairs lie between a channel and the telephone that calls.
pub(super) fn depth(parties: &Parties, id: ChannelId) -> usize {
    let (mut at, mut depth) = (id, 0);
    while let Some((caller, _)) = called_half(parties, at).filter(|_| depth < MAX_DEPTH) {
        (at, depth) = (caller, depth + 1);
    }
    depth
}

/// How many pairs are open for the telephone that calls in the end.
pub(super) fn pairs_of(parties: &Parties, id: ChannelId) -> usize {
    let telephone = caller(parties, id);
    let running = parties.channels().filter(|channel| channel.local().is_some_and(|half| !half.is_called));
    running.filter(|channel| caller(parties, channel.id) == telephone).count()
}

/// Where a call was forwarded to until it came to this channel.
pub(super) fn forwards(parties: &Parties, id: ChannelId) -> Vec<String> {
    parties.channel(id).and_then(|channel| channel.local()).map(|half| half.forwards.clone()).unwrap_or_default()
}
