//! Playing sounds to a channel: they are ordered all at once, played without a gap when they are there, and cut off by
//! a digit.

use super::bridge::Bridges;
use super::call_sound;
use super::channel::{Activity, Channel, Loading, Playing};
use super::early_media::EarlyMedia;
use super::limit_sound::LimitWarning;
use super::local;
use super::music::{self, Loaded};
use super::parties::Parties;
use crate::audio::sound::Sound;
use crate::dialplan::{AppReply, ChannelId, Digits, PlayRequest, Played, PlayedFrom};
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::pbx::media::{MediaCommand, StreamId};
use crate::pbx::sounds::{SoundOrder, SoundReply, Wanted};
use std::time::Duration;

/// Maximum number of sounds that are played one after the other: a caller's name may be spelled, a book not.
const MAX_SOUNDS: usize = 256;

/// Plays sounds: works on all channels and bridges.
pub(super) struct Prompts<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Prompts<'_> {
    /// Orders the sounds that are to be played, unless a digit that ends them came already.
    /// `from`: where they begin, and that the reply says where they ended.
    pub(super) fn begin(&mut self, id: ChannelId, mut request: PlayRequest, from: Option<Duration>) {
        if let Some(digit) = take_digit(self.parties, id, request.stop_on) {
            return self.parties.resume(id, reply(Played::Digit(digit), from));
        }
        let Some(channel) = self.parties.channel_mut(id) else { return };
        if request.sounds.len() > MAX_SOUNDS {
            let (given, channel) = (request.sounds.len(), channel.name.clone());
            let reason = format!("{channel}: of {given} sounds at once the first {MAX_SOUNDS} are played");
            self.core.emit(CallEvent::NotPlayed { channel, reason });
            request.sounds.truncate(MAX_SOUNDS);
        }
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let order = self.core.fresh_id();
        let wanted = Wanted::Names { names: request.sounds.clone(), language: request.language.clone() };
        channel.activity = Activity::LoadingSounds(Loading { order, request, from, beside: false });
        self.core.out.sounds.push(SoundOrder { channel: id, order, wanted });
    }

    /// Orders sounds that are played beside what the program does next.
    pub(super) fn begin_beside(&mut self, id: ChannelId, request: PlayRequest) {
        self.begin(id, request, None);
        if let Some(Activity::LoadingSounds(loading)) =
            self.parties.channel_mut(id).map(|channel| &mut channel.activity)
        {
            loading.beside = true;
        }
    }

    /// Plays a sound that is there already, unless a digit that ends it came.
    pub(super) fn begin_sound(&mut self, id: ChannelId, sound: Sound, stop_on: Digits) {
        match take_digit(self.parties, id, stop_on) {
            Some(digit) => self.parties.resume(id, AppReply::Played(Played::Digit(digit))),
            None => self.start(id, &[sound], stop_on, (None, None)),
        }
    }

    /// Sounds are there: those that were found are played, each that was not is logged.
    pub(super) fn loaded(&mut self, reply: SoundReply) {
        let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
        let Some(reply) = (LimitWarning { parties, bridges, core }).loaded(reply) else { return };
        let Some(reply) = call_sound::loaded(self.parties, reply, self.core) else { return };
        let channel = reply.channel;
        let reply = match music::loaded(self.parties, reply, self.core) {
            Loaded::Others(reply) => reply,
            Loaded::Done => return,
            Loaded::Ring => return self.early().ring(channel),
        };
        let id = reply.channel;
        let Some(channel) = self.parties.channel_mut(id) else { return };
        if channel.dial_mut().is_some_and(|dial| dial.announcement.take_if(|order| *order == reply.order).is_some()) {
            return self.announce(id, reply.sounds);
        }
        let Activity::LoadingSounds(loading) = &mut channel.activity else { return };
        if loading.order != reply.order {
            return;
        }
        let (names, stop_on) = (std::mem::take(&mut loading.request.sounds), loading.request.stop_on);
        let (from, beside) = (loading.from, loading.beside);
        let name = channel.name.clone();
        let (mut found, mut missing) = (Vec::new(), None);
        for (sound, wanted) in reply.sounds.into_iter().zip(names) {
            match sound {
                Ok(sound) => found.push(sound),
                Err(reason) => {
                    self.core.emit(CallEvent::NotPlayed { channel: name.clone(), reason });
                    missing.get_or_insert(wanted);
                }
            }
        }
        if beside {
            let started = match found.is_empty() {
                true => Err("none of the sounds is there".to_owned()),
                false => self.play_beside(id, &found),
            };
            return self.parties.resume(id, AppReply::PlaysBeside(started));
        }
        if found.is_empty() {
            return self.finish(id, missing.map_or(Played::All, Played::Missing));
        }
        self.start(id, &found, stop_on, (missing, from));
    }

    /// Plays sounds. Kept until they end: a name that was not found, and where the first of them begins.
    fn start(
        &mut self,
        id: ChannelId,
        sounds: &[Sound],
        stop_on: Digits,
        (missing, from): (Option<String>, Option<Duration>),
    ) {
        let telephone = local::caller(self.parties, id);
        if telephone != id && !self.may_play_before_the_answer(telephone, id) {
            return self.finish(id, Played::Failed("the caller hears another line".to_owned()));
        }
        let started = self.parties.with_party(telephone, self.core, |party, cx| {
            party.channel.played_by = (telephone != id).then_some(id);
            party.send_early_media(cx)?;
            party.start_playing(sounds, samples(from.unwrap_or_default()), false, cx.core)
        });
        let failed = match started {
            Some(Ok(play)) => {
                if let Some(channel) = self.parties.channel_mut(id) {
                    channel.activity =
                        Activity::Playing(Playing { play, stop_on, missing, from, since: self.core.now.mono });
                }
                return;
            }
            Some(Err(why)) => why,
            None => "the channel has no telephone".to_owned(),
        };
        self.finish(id, Played::Failed(failed));
    }

    /// Plays sounds while the program goes on; says how long they are.
    fn play_beside(&mut self, id: ChannelId, sounds: &[Sound]) -> Result<Duration, String> {
        let telephone = local::caller(self.parties, id);
        if telephone != id && !self.may_play_before_the_answer(telephone, id) {
            return Err("the caller hears another line".to_owned());
        }
        let started = self.parties.with_party(telephone, self.core, |party, cx| {
            party.send_early_media(cx)?;
            party.start_playing(sounds, 0, false, cx.core)
        });
        started.unwrap_or_else(|| Err("the channel has no telephone".to_owned()))?;
        let samples: usize = sounds.iter().map(Sound::samples).sum();
        Ok(Duration::from_millis(u64::try_from(samples / 8).unwrap_or(u64::MAX)))
    }

    /// What a caller is played while the line that answered is played something: until both are connected.
    fn announce(&mut self, caller: ChannelId, sounds: Vec<Result<Sound, String>>) {
        let sounds: Result<Vec<Sound>, String> = sounds.into_iter().collect();
        let started = sounds.and_then(|sounds| {
            let started = self.parties.with_party(caller, self.core, |party, cx| {
                if party.may_be_forged() {
                    return Err("nothing proves yet that it hears us".to_owned());
                }
                party.send_early_media(cx)?;
                party.start_playing(&sounds, 0, false, cx.core)
            });
            started.unwrap_or_else(|| Err("the channel has no telephone".to_owned()))
        });
        match started {
            Ok(_) => self
                .parties
                .channel_mut(caller)
                .and_then(Channel::dial_mut)
                .into_iter()
                .for_each(|dial| dial.tone = true),
            Err(reason) => {
                let channel = self.parties.name_of(caller);
                self.core.emit(CallEvent::NotPlayed { channel, reason });
            }
        }
    }

    /// May a dialplan that a call was sent into play to its caller: is it answered, or the first with any sound?
    fn may_play_before_the_answer(&mut self, telephone: ChannelId, id: ChannelId) -> bool {
        match local::unanswered_half(self.parties, id) {
            Some((outer, half)) => outer == telephone && self.early().begin_prompt(outer, half),
            None => true,
        }
    }

    /// A digit ends the sounds, whether they have begun or not.
    pub(super) fn cut(&mut self, id: ChannelId, digit: char) {
        let has_begun = self.parties.channel(id).is_some_and(|it| matches!(it.activity, Activity::Playing(_)));
        let telephone = local::caller(self.parties, id);
        if has_begun && let Some(stream) = self.parties.channel(telephone).and_then(Channel::stream) {
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
        self.finish(id, Played::Digit(digit));
    }

    fn finish(&mut self, id: ChannelId, played: Played) {
        // What comes next has to be heard itself.
        if let Some((outer, half)) = local::unanswered_half(self.parties, id) {
            self.early().lost(outer, half);
        }
        let position = self.parties.channel(id).and_then(|channel| match &channel.activity {
            Activity::LoadingSounds(loading) => loading.from,
            Activity::Playing(playing) => Some(playing.from? + self.core.now.mono.since(playing.since)),
            _ => None,
        });
        self.parties.resume(id, reply(played, position));
    }

    /// The sounds ended, or were cut off.
    pub(super) fn played(&mut self, stream: StreamId, play: u64) {
        let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
        if call_sound::played(parties, bridges, (stream, play), core)
            || (LimitWarning { parties, bridges, core }).played(stream, play)
        {
            return;
        }
        let Some(id) = self.parties.channel_of_stream(stream).map(|channel| channel.id) else { return };
        let id = self.parties.channel(id).and_then(|channel| channel.played_by).unwrap_or(id);
        let Some(channel) = self.parties.channel_mut(id) else { return };
        if let Activity::Playing(playing) = &mut channel.activity
            && playing.play == play
        {
            let missing = playing.missing.take();
            self.finish(id, missing.map_or(Played::All, Played::Missing));
        }
    }

    fn early(&mut self) -> EarlyMedia<'_> {
        EarlyMedia { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}

/// The reply of the verb that was asked: with a position, or without.
fn reply(played: Played, position: Option<Duration>) -> AppReply {
    match position {
        Some(position) => AppReply::PlayedFrom(PlayedFrom { played, position }),
        None => AppReply::Played(played),
    }
}

/// How many samples a time has.
fn samples(time: Duration) -> usize {
    usize::try_from(time.as_millis().saturating_mul(8)).unwrap_or(usize::MAX)
}

/// Takes the first digit that is kept when it is one of these; others that came before are nobody's.
pub(super) fn take_digit(parties: &mut Parties, id: ChannelId, wanted: Digits) -> Option<char> {
    let channel = parties.channel_mut(id)?;
    let kept = std::mem::take(&mut channel.digits);
    let mut kept = kept.into_iter().skip_while(|digit| !wanted.contains(*digit));
    let digit = kept.next();
    channel.digits = kept.collect();
    digit
}
