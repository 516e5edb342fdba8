//! Programs run: what an application asks for is done or begun here, and its answer given.

use super::Switch;
use crate::audio::g711::{self, Law};
use crate::audio::{sound, tone};
use crate::dialplan::{AppReply, AppRequest, Cause, ChannelId, Finish, Program, Progress, Tone, UNTIL_HANGUP};
use crate::pbx::call_timer::CallTimer;
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::channel::{ChannelState, Doing};
use crate::pbx::effect::{Level, Line};
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::leg::{Cx, Leg};
use crate::pbx::media::{MediaCommand, StreamId};
use crate::sdp::codec::Codec;
use crate::sdp::{LocalMedia, Sdp, local_offer, negotiate, payload};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Dialplan steps a program may take in one go.
const BUDGET: u32 = 200;

impl Switch {
    /// Lets a channel's program go on.
    pub(super) fn run(&mut self, id: ChannelId) {
        let Some(mut program) = self.channels.get_mut(&id).and_then(|channel| channel.program.take()) else { return };
        let progress = program.advance(&self.world(id), BUDGET);
        for line in program.take_log() {
            let level = match line.level {
                crate::dialplan::Level::Verbose(level) => Level::Verbose(level),
                crate::dialplan::Level::Notice => Level::Notice,
                crate::dialplan::Level::Warning => Level::Warning,
            };
            self.core.out.lines.push(Line { level, text: line.text });
        }
        if let Some(channel) = self.channels.get_mut(&id) {
            if !channel.dead
                && let Some((name, data)) = program.application()
            {
                channel.cdr.application = (name.to_owned(), data);
            }
            channel.program = Some(program);
        }
        match progress {
            Progress::Asks(ask) => self.perform(id, ask),
            Progress::Again => self.runnable.push_back(id),
            Progress::Waiting => {}
            Progress::Finished(cause) => self.program_finished(id, cause),
        }
    }

    fn program_finished(&mut self, id: ChannelId, cause: Cause) {
        self.note_finish(id, cause);
        let unanswered = self.leg_of_channel(id).is_some_and(|leg| leg.is_unanswered_caller());
        let cause = match cause {
            Cause(0) if !unanswered => cause::NORMAL,
            Cause(cause) => cause,
        };
        self.note_end(id, HangupBy::Exchange, cause);
        self.hang_up_leg(id, cause);
        self.forget_channel(id);
    }

    /// A caller that nobody answered: what in the dialplan left it at that, unless a Dial told more.
    fn note_finish(&mut self, id: ChannelId, cause: Cause) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let finish = channel.program.as_ref().and_then(Program::finish);
        if channel.dead || channel.answered.is_some() || channel.cdr.is_explained() {
            return;
        }
        let Some((finish, place)) = finish else { return };
        let place = place.to_string();
        channel.cdr.note([match finish {
            Finish::RanOut => FailureReason::RanOut.with(&[&place]),
            Finish::Application(name) => Failure { cause: cause.0, ..FailureReason::ByDialplan.with(&[name, &place]) },
            Finish::NoApplication(name) => FailureReason::NoApplication.with(&[&name, &place]),
            Finish::Nowhere => FailureReason::Nowhere.with(&[&place]),
        }]);
    }

    /// Gives a program what it waits for, and lets it go on.
    pub(super) fn answer_program(&mut self, id: ChannelId, reply: AppReply) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.doing = Doing::Running;
        if let Some(program) = &mut channel.program {
            program.answer(reply);
            self.runnable.push_back(id);
        }
    }

    fn perform(&mut self, id: ChannelId, ask: AppRequest) {
        match ask {
            AppRequest::Wait(time) => self.wait(id, time),
            AppRequest::Answer => self.answer(id),
            AppRequest::Indicate(tone) => self.indicate(id, tone),
            AppRequest::Play(names) => self.play(id, names.into()),
            AppRequest::Dial(request) => self.dial(id, request),
            AppRequest::Echo => self.echo(id),
        }
    }

    fn wait(&mut self, id: ChannelId, time: Duration) {
        let timer = (time < UNTIL_HANGUP).then(|| self.core.timers.set(self.core.now.mono + time, CallTimer::Wait(id)));
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.doing = Doing::Waiting(timer);
        }
    }

    pub(super) fn wait_is_over(&mut self, id: ChannelId) {
        if self.channels.get(&id).is_some_and(|channel| matches!(channel.doing, Doing::Waiting(_))) {
            self.answer_program(id, AppReply::Done);
        }
    }

    fn answer(&mut self, id: ChannelId) {
        if !self.leg_of_channel(id).is_some_and(|leg| leg.is_unanswered_caller()) {
            return self.answer_program(id, AppReply::Done);
        }
        match self.own_description(id) {
            Ok(description) => {
                self.answer_leg(id, description);
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.doing = Doing::Answering;
                }
            }
            Err(why) => self.answer_program(id, AppReply::Failed(why)),
        }
    }

    /// Answers a caller's leg and lets its sound in.
    pub(super) fn answer_leg(&mut self, id: ChannelId, description: Sdp) {
        let now = self.core.now.mono;
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.state = ChannelState::Up;
        channel.answered.get_or_insert(now);
        if let Some(leg) = self.legs.get_mut(&channel.leg) {
            leg.answer(description, &mut Cx { core: &mut self.core, index: &mut self.index });
        }
        self.tell_remote(id);
    }

    /// What the exchange itself tells a caller when it answers: what it told before, if it did, else an answer or offer of its own.
    pub(super) fn own_description(&mut self, id: ChannelId) -> Result<Sdp, String> {
        let Some(channel) = self.channels.get(&id) else { return Err("the channel is gone".to_owned()) };
        let Some(rtp) = channel.rtp else { return Err(format!("{}: no RTP port", channel.name)) };
        let allow = channel.peer.settings.codecs.clone();
        let general = self.settings.general.clone();
        let Some(leg) = self.legs.get_mut(&channel.leg) else { return Err("the leg is gone".to_owned()) };
        if let Some(told) = &leg.local {
            return Ok(told.clone());
        }
        let face = leg.next_local_media(rtp, &general);
        let made = match &leg.remote {
            Some(offer) => local_offer::own_answer(offer, &allow, &face, None),
            None => local_offer::own_offer(&allow, &face),
        };
        made.map_err(|none| none.to_string())
    }

    fn indicate(&mut self, id: ChannelId, tone: Tone) {
        let unanswered = self.leg_of_channel(id).is_some_and(|leg| leg.is_unanswered_caller());
        match tone {
            Tone::Ringing if unanswered => self.show_ringing(id),
            Tone::Progress if unanswered => {
                if let Err(why) = self.let_hear(id) {
                    return self.answer_program(id, AppReply::Failed(why));
                }
            }
            Tone::Busy if unanswered => return self.refuse_caller(id, cause::BUSY),
            Tone::Congestion if unanswered => return self.refuse_caller(id, cause::CONGESTION),
            Tone::Ringing => self.play_tone(id, tone::Meaning::Ring),
            Tone::Busy => self.play_tone(id, tone::Meaning::Busy),
            Tone::Congestion => self.play_tone(id, tone::Meaning::Congestion),
            Tone::Progress => {}
        }
        self.answer_program(id, AppReply::Done);
    }

    /// Shall a caller that is not answered hear ringing from us, rather than make it of a 180 (`progressinband=yes`)?
    pub(super) fn rings_in_band(&self, id: ChannelId) -> bool {
        let wanted = self.channels.get(&id).is_some_and(|channel| channel.peer.settings.progress_in_band);
        wanted && self.leg_of_channel(id).is_some_and(|leg| leg.is_unanswered_caller() && leg.remote.is_some())
    }

    /// A caller in a Dial learns that it rings: once by a tone, or by each 180.
    pub(super) fn let_ring(&mut self, id: ChannelId) {
        let hears_it = self.rings_in_band(id) || !self.leg_of_channel(id).is_some_and(Leg::is_unanswered_caller);
        if hears_it
            && let Some(dial) = self.channels.get_mut(&id).and_then(|channel| channel.dial_mut())
            && std::mem::replace(&mut dial.tone, true)
        {
            return;
        }
        self.show_ringing(id);
    }

    /// By 180, or by a tone to a caller that is answered or wants to hear it.
    fn show_ringing(&mut self, id: ChannelId) {
        if !self.leg_of_channel(id).is_some_and(Leg::is_unanswered_caller) {
            return self.play_tone(id, tone::Meaning::Ring);
        }
        if self.rings_in_band(id) && self.let_hear(id).is_ok() {
            return self.play_tone(id, tone::Meaning::Ring);
        }
        self.with_leg(id, |leg, cx| leg.ring(cx));
    }

    /// A final refusal: the call is over, only `h` may still run.
    fn refuse_caller(&mut self, id: ChannelId, cause: u16) {
        if let Some(channel) = self.channels.get_mut(&id).filter(|channel| !channel.cdr.is_explained())
            && let Some(program) = &channel.program
            && let Some((name, _)) = program.application()
        {
            let reason = FailureReason::ByDialplan.with(&[name, &program.position().to_string()]);
            channel.cdr.note([Failure { cause, ..reason }]);
        }
        self.hang_up_leg(id, cause);
        self.caller_is_gone(id, cause);
    }

    /// Sends a caller a description before the answer (183), unless it has one.
    pub(super) fn let_hear(&mut self, id: ChannelId) -> Result<(), String> {
        if self.leg_of_channel(id).is_some_and(|leg| leg.local.is_some() || leg.remote.is_none()) {
            return Ok(());
        }
        let description = self.own_description(id)?;
        self.with_leg(id, |leg, cx| leg.progress(description, cx));
        self.tell_remote(id);
        Ok(())
    }

    fn echo(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.doing = Doing::Echoing;
        self.core.out.media.push(MediaCommand::Echo { stream: channel.stream });
    }

    /// Plays the next of the sounds; the program goes on after the last.
    fn play(&mut self, id: ChannelId, mut names: VecDeque<String>) {
        let Some(name) = names.pop_front() else { return self.answer_program(id, AppReply::Done) };
        let samples = match self.settings.sounds.get(&name) {
            Some(samples) => Some(samples.to_vec()),
            None => sound::find(&name),
        };
        let Some(samples) = samples else { return self.answer_program(id, AppReply::Missing(name)) };
        if let Err(why) = self.let_hear(id) {
            return self.answer_program(id, AppReply::Failed(why));
        }
        match self.start_playing(id, &samples, false) {
            Ok(play) => {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.doing = Doing::Playing(play, names);
                }
            }
            Err(why) => self.answer_program(id, AppReply::Failed(why)),
        }
    }

    fn play_tone(&mut self, id: ChannelId, meaning: tone::Meaning) {
        let samples = tone::progress("us", meaning).unwrap_or_default();
        if let Err(why) = self.start_playing(id, &samples, true) {
            self.core.out.warning(why);
        }
    }

    /// Has samples (8 kHz) played to a channel in the codec it agreed to.
    fn start_playing(&mut self, id: ChannelId, samples: &[i16], repeat: bool) -> Result<u64, String> {
        let agreed = self.leg_of_channel(id).and_then(|leg| {
            let (local, remote) = (leg.local.as_ref()?, leg.remote.as_ref()?);
            if leg.made_offer() {
                payload::agreed(local, remote).map(|agreed| (agreed.codec, agreed.to_answerer, agreed.ptime))
            } else {
                payload::agreed(remote, local).map(|agreed| (agreed.codec, agreed.to_offerer, agreed.ptime))
            }
        });
        let Some(channel) = self.channels.get_mut(&id) else { return Err("the channel is gone".to_owned()) };
        let Some((codec, payload_type, ptime)) = agreed else {
            return Err(format!("{}: nothing was agreed to play in", channel.name));
        };
        let sound: Arc<[u8]> = match codec {
            Codec::Ulaw => g711::encode(samples, Law::Mu),
            Codec::Alaw => g711::encode(samples, Law::A),
            other => return Err(format!("{}: sounds are played in ulaw or alaw, not {}", channel.name, other.name())),
        };
        channel.plays = channel.plays.saturating_add(1);
        let (stream, play) = (channel.stream, channel.plays);
        let ptime_ms = ptime.unwrap_or(20);
        self.core.out.media.push(MediaCommand::Play { stream, play, sound, repeat, payload_type, ptime_ms });
        Ok(play)
    }

    pub(super) fn played(&mut self, stream: StreamId, play: u64) {
        let Some(channel) = self.streams.get(&stream).and_then(|id| self.channels.get_mut(id)) else { return };
        let id = channel.id;
        if let Doing::Playing(current, rest) = &mut channel.doing
            && *current == play
        {
            let rest = std::mem::take(rest);
            self.play(id, rest);
        }
    }

    /// Tells the media ring where a channel's peer is, from what its last description said.
    pub(super) fn tell_remote(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(leg) = self.legs.get(&channel.leg) else { return };
        let Some(description) = &leg.remote else { return };
        let (stream, named) = (channel.stream, description.rtp_addr());
        let remote = self.remote_of(channel, leg, (named, description.rtcp_addr()));
        let misplaced = named.filter(|_| remote.rtp.is_none() && !channel.misplaced);
        self.core.out.media.push(MediaCommand::Remote { stream, remote });
        if let Some(at) = misplaced {
            self.say_misplaced(id, at);
        }
    }

    /// The negotiated list of codecs both of two lines allow, in the first one's order.
    pub(super) fn common_codecs(&self, a: ChannelId, b: ChannelId) -> crate::sdp::codec::CodecList {
        match (self.channels.get(&a), self.channels.get(&b)) {
            (Some(a), Some(b)) => a.peer.settings.codecs.common(&b.peer.settings.codecs),
            _ => crate::sdp::codec::CodecList::of(&[]),
        }
    }

    /// An answer for a leg on which nobody else talks: the exchange's own.
    pub(super) fn answer_alone(&mut self, id: ChannelId, offer: &Sdp) -> Result<Sdp, String> {
        let Some(channel) = self.channels.get(&id) else { return Err("the channel is gone".to_owned()) };
        let (Some(rtp), Some(leg)) = (channel.rtp, self.legs.get_mut(&channel.leg)) else {
            return Err(format!("{}: no RTP port", channel.name));
        };
        let face = leg.next_local_media(rtp, &self.settings.general);
        local_offer::own_answer(offer, &channel.peer.settings.codecs, &face, None).map_err(|none| none.to_string())
    }

    /// What we last told a leg, as a new description of its own (a refresh must be told something of the same content).
    pub(super) fn retell(&mut self, id: ChannelId) -> Option<Sdp> {
        let extras = self.extras_of(id);
        let channel = self.channels.get(&id)?;
        let leg = self.legs.get_mut(&channel.leg)?;
        let told = leg.local.clone()?;
        let rtp = told.rtp_addr().or(channel.rtp)?;
        let face = LocalMedia { secondary: extras, ..leg.next_local_media(rtp, &self.settings.general) };
        Some(negotiate::readdress(&told, &face))
    }
}
