//! Pickup: a channel answers in place of a line that rings. Which line that is, is found here.

use super::bridge::Bridges;
use super::call_sound;
use super::channel::{Channel, ChannelState};
use super::local;
use super::moving::Moving;
use super::parties::Parties;
use crate::config::peer::Peer;
use crate::dialplan::handover::{NotPickedUp, PickupTarget};
use crate::dialplan::{AppReply, ChannelId, Position, Program};
use crate::event::Handover;
use crate::pbx::core::Core;

/// Picks calls up, with all channels and bridges at hand.
pub(super) struct Pickup<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Pickup<'_> {
    /// Answers the first of these that rings, by this channel; its program goes on when none is.
    pub(super) fn pick_up(&mut self, by: ChannelId, targets: &[PickupTarget]) {
        let mut why = "Nothing rings there that could be picked up".to_owned();
        for ringing in targets.iter().flat_map(|target| self.ringing(by, target)).collect::<Vec<_>>() {
            let (line, name) = (self.parties.name_of(ringing), self.parties.name_of(by));
            let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
            match (Moving { parties, bridges, core }).pick_up(ringing, by) {
                Ok(()) => {
                    self.core.emit(Handover::PickedUp { channel: line, by: name });
                    let by_code = targets.contains(&PickupTarget::Group);
                    let sound = self.core.config.features.pickup_sound.clone();
                    return call_sound::play(self.parties, by, if by_code { &sound } else { "" }, self.core);
                }
                Err(reason) => why = format!("{name} cannot pick up the call at {line}: {}", reason.words()),
            }
        }
        let is_group = targets.contains(&PickupTarget::Group);
        let sound = if is_group { self.core.config.features.pickup_fail_sound.clone() } else { String::new() };
        self.parties.resume(by, AppReply::NotPickedUp(NotPickedUp { why, sound }));
    }

    /// The lines that ring and that this means, those that have rung longest first.
    fn ringing(&self, by: ChannelId, target: &PickupTarget) -> Vec<ChannelId> {
        let Some(own) = self.parties.channel(by).and_then(Channel::peer) else { return Vec::new() };
        let is_meant = |channel: &&Channel| {
            let caller = channel.called_by.filter(|caller| local::caller(self.parties, *caller) != by);
            let caller = caller.and_then(|caller| self.parties.channel(caller));
            caller.is_some_and(|caller| rings(channel, caller) && means(target, own, channel, caller))
        };
        let mut found: Vec<&Channel> = self.parties.channels().filter(is_meant).collect();
        found.sort_by_key(|channel| channel.created);
        found.into_iter().map(|channel| channel.id).collect()
    }
}

/// Is it a line that a Dial has called, and that nobody has answered?
fn rings(channel: &Channel, caller: &Channel) -> bool {
    let is_called = caller.dial().is_some() && channel.sip().is_some() && channel.outgoing.is_none();
    let is_free = channel.bridge.is_none() && channel.callee.work.is_none() && !channel.dead;
    is_called && is_free && channel.answered.is_none() && channel.state != ChannelState::Up
}

fn means(target: &PickupTarget, own: &Peer, channel: &Channel, caller: &Channel) -> bool {
    match target {
        PickupTarget::Group => channel.peer().is_some_and(|peer| own.groups.pickups.meet(&peer.groups.calls)),
        PickupTarget::Extension { exten, context } => {
            let is_it = |place: &Position| place.exten == *exten && place.context == *context;
            let now = caller.program.as_ref().map(Program::position);
            now.iter().chain(&caller.entered).any(is_it)
        }
        PickupTarget::Mark(mark) => {
            let inherited = caller.program.as_ref().map(Program::inherited).unwrap_or_default();
            let mut all = channel.callee.variables.iter().chain(&inherited);
            all.any(|(name, value)| name.trim_start_matches('_') == "PICKUPMARK" && value == mark)
        }
        PickupTarget::Channel { name, is_prefix } => {
            let begins =
                |text: &str| channel.name.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text));
            let line = channel.name.rsplit_once('-').map_or("", |(line, _)| line);
            channel.name.eq_ignore_ascii_case(name) || line.eq_ignore_ascii_case(name) || (*is_prefix && begins(name))
        }
    }
}
