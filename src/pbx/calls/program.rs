//! Programs run: what an application asks for is done or begun here, and its answer given.

use super::bridge::Bridges;
use super::channel::{Activity, Channel, MAX_DIGITS, Playing};
use super::dialing::Dialing;
use super::early_media::EarlyMedia;
use super::environment::ChannelEnv;
use super::hangup::Hangup;
use super::leg::Leg;
use super::local;
use super::parties::Parties;
use super::tones;
use crate::audio::{sound, tone};
use crate::dialplan::{AppReply, AppRequest, ChannelId, Digits, PlayRequest, Played, Progress, Tone, UNTIL_HANGUP};
use crate::pbx::cause;
use crate::pbx::core::{CallTimer, Core, Directory, Timer};
use crate::pbx::media::{MediaCommand, StreamId};
use std::collections::VecDeque;
use std::time::Duration;

/// Dialplan steps a program may take in one go.
const BUDGET: u32 = 200;

/// Runs programs: works on all channels and bridges.
pub(super) struct Applications<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Applications<'_> {
    /// Lets a channel's program go on.
    pub(super) fn advance(&mut self, id: ChannelId, shared: &super::environment::Shared, directory: &dyn Directory) {
        let Some(mut program) = self.parties.channel_mut(id).and_then(|channel| channel.program.take()) else { return };
        let random = self.core.rng.bits();
        let env = ChannelEnv { parties: self.parties, core: self.core, shared, directory, id, random };
        let progress = program.advance(&env, BUDGET);
        for line in program.take_log() {
            self.core.emit(line);
        }
        if let Some(channel) = self.parties.channel_mut(id) {
            if !channel.dead
                && let Some((name, data)) = program.application()
            {
                channel.cdr.application = (name.to_owned(), data);
            }
            channel.program = Some(program);
        }
        match progress {
            Progress::Asks(request) => self.perform(id, request, directory),
            Progress::Again => self.parties.make_runnable(id),
            Progress::Waiting => {}
            Progress::Finished(cause) => self.hangup().program_finished(id, cause),
        }
    }

    fn perform(&mut self, id: ChannelId, request: AppRequest, directory: &dyn Directory) {
        match request {
            AppRequest::Wait(time) => self.wait(id, time),
            AppRequest::Answer => self.answer(id),
            AppRequest::Indicate(tone) => self.indicate(id, tone),
            AppRequest::PlayTone(tone) => self.play_tone(id, tone.as_deref()),
            AppRequest::Play(request) => self.begin_play(id, request),
            AppRequest::Digit(time) => self.await_digit(id, time),
            AppRequest::Echo => self.echo(id),
            AppRequest::Dial(request) => self.dialing().start(id, request, directory),
        }
    }

    fn begin(&mut self, id: ChannelId, activity: Activity) {
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.activity = activity;
        }
    }

    fn wait(&mut self, id: ChannelId, time: Duration) {
        let timer = Timer::Call(CallTimer::Wait(id));
        let timer = (time < UNTIL_HANGUP).then(|| self.core.set_timer(time, timer));
        self.begin(id, Activity::Waiting(timer));
    }

    /// A `Wait` is over.
    pub(super) fn waited(&mut self, id: ChannelId) {
        if self.parties.channel(id).is_some_and(|channel| matches!(channel.activity, Activity::Waiting(_))) {
            self.parties.resume(id, AppReply::Waited);
        }
    }

    fn answer(&mut self, id: ChannelId) {
        if local::unanswered_half(self.parties, id).is_some() {
            let answered = self.dialing().answered_by_dialplan(id);
            return self.parties.resume(id, AppReply::Answered(answered));
        }
        if !self.parties.leg_of(id).is_some_and(Leg::is_unanswered_caller) {
            return self.parties.resume(id, AppReply::Answered(Ok(())));
        }
        let answered = self.parties.with_party(id, self.core, |party, cx| {
            let description = party.describe(cx.core).own()?;
            party.answer(description, cx);
            party.keep_alive(!party.channel.has_modem(), cx.core);
            if party.channel.has_modem() {
                party.tell_spared(party.channel.line(), cx.core);
            }
            party.channel.activity = Activity::Answering;
            Ok(())
        });
        if let Some(Err(why)) = answered {
            self.parties.resume(id, AppReply::Answered(Err(why)));
        }
    }

    fn indicate(&mut self, id: ChannelId, tone: Tone) {
        let unanswered = local::is_unanswered_caller(self.parties, id);
        let telephone = local::caller(self.parties, id);
        let indicated = match tone {
            Tone::Busy if unanswered => return self.hangup().by_application(id, cause::BUSY),
            Tone::Congestion if unanswered => return self.hangup().by_application(id, cause::CONGESTION),
            Tone::Ringing | Tone::Progress if unanswered && telephone != id => {
                self.pass_up(id, if tone == Tone::Ringing { 180 } else { 183 });
                None
            }
            Tone::Ringing | Tone::Progress | Tone::Busy | Tone::Congestion => {
                self.parties.with_party(telephone, self.core, |party, cx| {
                    match tone {
                        Tone::Ringing => party.indicate_ringing(cx),
                        Tone::Progress if unanswered => return party.send_early_media(cx),
                        Tone::Progress => {}
                        Tone::Busy => party.play_tone(tone::Meaning::Busy, cx.core),
                        Tone::Congestion => party.play_tone(tone::Meaning::Congestion, cx.core),
                    }
                    Ok(())
                })
            }
        };
        self.parties.resume(id, AppReply::Indicated(indicated.unwrap_or(Ok(()))));
    }

    /// Whoever called into this dialplan hears how far it has come.
    fn pass_up(&mut self, id: ChannelId, status: u16) {
        if let Some((outer, half)) = local::unanswered_half(self.parties, id) {
            self.early().provisional(outer, half, status, None);
        }
    }

    fn play_tone(&mut self, id: ChannelId, tone: Option<&str>) {
        let played = match tone {
            Some(tone) => tones::start(self.parties, id, tone, self.core),
            None => {
                tones::stop(self.parties, id, self.core);
                Ok(())
            }
        };
        self.parties.resume(id, AppReply::PlaysTone(played));
    }

    fn echo(&mut self, id: ChannelId) {
        self.begin(id, Activity::Echoing);
        let telephone = local::caller(self.parties, id);
        if let Some(stream) = self.parties.channel(telephone).and_then(Channel::stream) {
            self.core.out.media.push(MediaCommand::Echo { stream });
        }
    }

    fn begin_play(&mut self, id: ChannelId, request: PlayRequest) {
        match self.take_digit(id, request.stop_on) {
            Some(digit) => self.parties.resume(id, AppReply::Played(Played::Digit(digit))),
            None => self.play(id, request.sounds.into(), request.stop_on),
        }
    }

    /// Plays the next of the sounds; the program goes on after the last.
    fn play(&mut self, id: ChannelId, mut names: VecDeque<String>, stop_on: Digits) {
        let Some(name) = names.pop_front() else { return self.finish_play(id, Played::All) };
        let samples = match self.core.config.sounds.get(&name) {
            Some(samples) => Some(samples.to_vec()),
            None => sound::find(&name),
        };
        let Some(samples) = samples else { return self.finish_play(id, Played::Missing(name)) };
        let telephone = local::caller(self.parties, id);
        if telephone != id && !self.may_play_before_the_answer(telephone, id) {
            return self.finish_play(id, Played::Failed("the caller hears another line".to_owned()));
        }
        let started = self.parties.with_party(telephone, self.core, |party, cx| {
            party.channel.played_by = (telephone != id).then_some(id);
            party.send_early_media(cx)?;
            party.start_playing(&samples, false, cx.core)
        });
        match started {
            Some(Ok(play)) => self.begin(id, Activity::Playing(Playing { play, rest: names, stop_on })),
            Some(Err(why)) => self.finish_play(id, Played::Failed(why)),
            None => self.finish_play(id, Played::Failed("the channel has no telephone".to_owned())),
        }
    }

    /// May a dialplan that a call was sent into play to its caller: is it answered, or the first with any sound?
    fn may_play_before_the_answer(&mut self, telephone: ChannelId, id: ChannelId) -> bool {
        match local::unanswered_half(self.parties, id) {
            Some((outer, half)) => outer == telephone && self.early().begin_prompt(outer, half),
            None => true,
        }
    }

    fn finish_play(&mut self, id: ChannelId, played: Played) {
        // What comes next has to be heard itself.
        if let Some((outer, half)) = local::unanswered_half(self.parties, id) {
            self.early().lost(outer, half);
        }
        self.parties.resume(id, AppReply::Played(played));
    }

    /// A sound ended, or was cut off.
    pub(super) fn played(&mut self, stream: StreamId, play: u64) {
        let Some(id) = self.parties.channel_of_stream(stream).map(|channel| channel.id) else { return };
        let id = self.parties.channel(id).and_then(|channel| channel.played_by).unwrap_or(id);
        let Some(channel) = self.parties.channel_mut(id) else { return };
        if let Activity::Playing(playing) = &mut channel.activity
            && playing.play == play
        {
            let (rest, stop_on) = (std::mem::take(&mut playing.rest), playing.stop_on);
            self.play(id, rest, stop_on);
        }
    }

    fn await_digit(&mut self, id: ChannelId, time: Duration) {
        match self.take_digit(id, Digits::ANY) {
            Some(digit) => self.parties.resume(id, AppReply::Digit(Some(digit))),
            None => {
                let timer = self.core.set_timer(time, Timer::Call(CallTimer::Digit(id)));
                self.begin(id, Activity::AwaitingDigit(timer));
            }
        }
    }

    /// No digit came in time.
    pub(super) fn no_digit(&mut self, id: ChannelId) {
        if self.parties.channel(id).is_some_and(|channel| matches!(channel.activity, Activity::AwaitingDigit(_))) {
            self.parties.resume(id, AppReply::Digit(None));
        }
    }

    /// Takes the first digit that is kept when it is one of these; others that came before are nobody's.
    fn take_digit(&mut self, id: ChannelId, wanted: Digits) -> Option<char> {
        let channel = self.parties.channel_mut(id)?;
        let kept = std::mem::take(&mut channel.digits);
        let mut kept = kept.into_iter().skip_while(|digit| !wanted.contains(*digit));
        let digit = kept.next();
        channel.digits = kept.collect();
        digit
    }

    /// A digit came from the telephone whose program this is. A program that waits for it gets it, one that waits for
    /// something else does not hear it, and between two waits it is kept.
    pub(super) fn digit(&mut self, id: ChannelId, digit: char) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        match &channel.activity {
            Activity::AwaitingDigit(timer) => {
                self.core.timers.cancel(*timer);
                self.parties.resume(id, AppReply::Digit(Some(digit)));
            }
            Activity::Playing(playing) if playing.stop_on.contains(digit) => {
                let telephone = local::caller(self.parties, id);
                if let Some(stream) = self.parties.channel(telephone).and_then(Channel::stream) {
                    self.core.out.media.push(MediaCommand::Idle { stream });
                }
                self.finish_play(id, Played::Digit(digit));
            }
            Activity::Running | Activity::Answering | Activity::ReservingPorts => {
                if channel.program.is_some() && channel.digits.len() < MAX_DIGITS {
                    channel.digits.push_back(digit);
                }
            }
            Activity::Playing(_)
            | Activity::Waiting(_)
            | Activity::Echoing
            | Activity::Dialing(_)
            | Activity::Bridged(_)
            | Activity::Called => {}
        }
    }

    fn early(&mut self) -> EarlyMedia<'_> {
        EarlyMedia { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn dialing(&mut self) -> Dialing<'_> {
        Dialing { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn hangup(&mut self) -> Hangup<'_> {
        Hangup { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
