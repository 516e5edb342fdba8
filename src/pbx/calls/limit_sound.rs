//! Sounds that are played into a call with a time limit (option L of `Dial`). Whoever hears one does not hear the other
//! meanwhile; then both are connected as before.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::callee_work::Warnings;
use super::channel::Channel;
use super::hangup::Hangup;
use super::limit_warning::order;
use super::parties::Parties;
use crate::audio::sound::Sound;
use crate::dialplan::ChannelId;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::pbx::media::StreamId;
use crate::pbx::sounds::SoundReply;

/// Works on calls with warnings, with all channels and bridges at hand.
pub(super) struct LimitWarning<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

/// The time of a call with a limit is over.
pub(super) fn time_over(parties: &mut Parties, bridges: &mut Bridges, callee: ChannelId, core: &mut Core) {
    LimitWarning { parties, bridges, core }.time_over(callee);
}

impl LimitWarning<'_> {
    /// The time is over: the last sound is played first, when there is one.
    fn time_over(&mut self, callee: ChannelId) {
        let channel = self.parties.channel_mut(callee).filter(|channel| !channel.dead && channel.bridge.is_some());
        if let Some(channel) = channel
            && let Some(warnings) = channel.callee.warnings.as_mut()
            && let Some(last) = warnings.last.take()
        {
            warnings.is_ending = true;
            return order(channel, vec![last], self.core);
        }
        self.hangup().by_limit(callee);
    }

    /// Sounds are there; gives back what is not for a warning.
    pub(super) fn loaded(&mut self, reply: SoundReply) -> Option<SoundReply> {
        let callee = reply.channel;
        let channel = self.parties.channel_mut(callee);
        let Some(warnings) = channel.and_then(|channel| channel.callee.warnings.as_mut()) else { return Some(reply) };
        if warnings.order.take_if(|order| *order == reply.order).is_none() {
            return Some(reply);
        }
        let (heard_by, caller, is_ending) = (warnings.heard_by, warnings.caller, warnings.is_ending);
        let name = self.parties.name_of(callee);
        let mut found: Vec<Sound> = Vec::new();
        for sound in reply.sounds {
            match sound {
                Ok(sound) => found.push(sound),
                Err(reason) => self.core.emit(CallEvent::NotPlayed { channel: name.clone(), reason }),
            }
        }
        let talks = self.talk_to_each_other(caller, callee);
        let hear = [caller, callee].into_iter().zip(heard_by).filter(|(_, hears)| *hears && talks);
        let mut playing = Vec::new();
        for (id, _) in hear.filter(|_| !found.is_empty()) {
            let started = self.parties.with_party(id, self.core, |party, cx| {
                party.start_playing(&found, 0, false, cx.core).map(|play| (party.stream, play))
            });
            match started {
                Some(Ok(play)) => playing.push(play),
                Some(Err(reason)) => self.core.emit(CallEvent::NotPlayed { channel: name.clone(), reason }),
                None => {}
            }
        }
        let is_silent = playing.is_empty();
        if let Some(warnings) = self.warnings(callee) {
            warnings.playing = playing;
        }
        if is_silent && is_ending {
            self.hangup().by_limit(callee);
        }
        None
    }

    /// A sound has ended; says whether it was a warning. When nothing more is played both are connected again.
    pub(super) fn played(&mut self, stream: StreamId, play: u64) -> bool {
        let Some(channel) = self.parties.channel_of_stream(stream) else { return false };
        let own = |channel: &&Channel| {
            channel.callee.warnings.as_ref().is_some_and(|warnings| warnings.playing.contains(&(stream, play)))
        };
        let Some(bridge) = channel.bridge else { return false };
        let mates = self.parties.channels().filter(|channel| channel.bridge == Some(bridge));
        let Some(callee) = mates.filter(own).map(|channel| channel.id).next() else { return false };
        let Some(warnings) = self.warnings(callee) else { return false };
        warnings.playing.retain(|one| *one != (stream, play));
        let (caller, is_ending, is_over) = (warnings.caller, warnings.is_ending, warnings.playing.is_empty());
        if is_over && is_ending {
            self.hangup().by_limit(callee);
        } else if is_over && self.talk_to_each_other(caller, callee) {
            Bridging { parties: self.parties, bridges: self.bridges, core: self.core }.bridge_media(caller, callee);
        }
        true
    }

    fn warnings(&mut self, callee: ChannelId) -> Option<&mut Warnings> {
        self.parties.channel_mut(callee)?.callee.warnings.as_deref_mut()
    }

    fn talk_to_each_other(&self, caller: ChannelId, callee: ChannelId) -> bool {
        let bridge = |id: ChannelId| self.parties.channel(id).and_then(|channel| channel.bridge);
        bridge(caller).is_some() && bridge(caller) == bridge(callee)
    }

    fn hangup(&mut self) -> Hangup<'_> {
        Hangup { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
