//! What the option letters of a `Dial` change of it, and its targets that are no lines (`Local/`): how they are opened,
//! and how they answer by themselves.

use super::channel::{Activity, Channel, ChannelState};
use super::deferred::Deferred;
use super::dial::{Branch, Dial};
use super::dialing::Dialing;
use super::leg::Leg;
use super::local;
use super::local_pair::{self, Opening};
use crate::dialplan::program::errand;
use crate::dialplan::{ChannelId, DialStatus, Position, Program};
use crate::event::{CallEvent, Level, LogLine};
use crate::pbx::cause;
use crate::pbx::cdr::CdrBuilder;
use crate::pbx::media::MediaCommand;

impl Dialing<'_> {
    /// The dialplan is called at an extension, `Local/extension@context`.
    pub(super) fn open_pair(&mut self, caller: ChannelId, start: Position) {
        let target = format!("Local/{}@{}", start.exten, start.context);
        let Some(channel) = self.parties.channel_mut(caller) else { return };
        let mut shown = channel.program.as_ref().map(Program::caller).unwrap_or_default();
        shown.dnid.clone_from(&start.exten);
        if let Some(dial) = channel.dial_mut() {
            shown.presentation = dial.options.presentation().unwrap_or(shown.presentation);
            dial.last_number = target.strip_prefix("Local/").unwrap_or(&target).to_owned();
        }
        let forwards = local::forwards(self.parties, caller);
        local_pair::open(self.parties, self.core, caller, Opening { start, caller: shown, forwards });
        let caller = self.parties.name_of(caller);
        self.core.emit(CallEvent::Called { caller, target: target.into(), server: None });
    }

    /// Option b: does something run on the line's channel before it is called?
    pub(super) fn runs_before_call(&mut self, caller: ChannelId, id: ChannelId) -> bool {
        let has_program = self.dial(caller).is_some_and(|dial| dial.options.has('b'));
        let Some(channel) = self.parties.channel_mut(id).filter(|_| has_program) else { return false };
        if channel.callee.work.is_some() || std::mem::replace(&mut channel.callee.is_prepared, true) {
            return channel.callee.work.is_some();
        }
        self.parties.deferred.push_back(Deferred::BeforeCall(caller, id));
        true
    }

    /// Options A, M, p, P, U: is something done on the line's channel before it is connected?
    pub(super) fn runs_after_answer(&mut self, caller: ChannelId, id: ChannelId) -> bool {
        let wanted = |dial: &Dial| {
            dial.options.screening.is_some() || ['A', 'M', 'U'].iter().any(|letter| dial.options.has(*letter))
        };
        let has_program = self.dial(caller).is_some_and(wanted);
        let Some(channel) = self.parties.channel_mut(id).filter(|_| has_program) else { return false };
        let is_new = channel.callee.accepted_for.replace(caller) != Some(caller);
        if is_new {
            self.parties.deferred.push_back(Deferred::AfterAnswer(caller, id));
        }
        is_new
    }

    /// Option C: the caller's record begins anew.
    pub(super) fn begin_record_anew(&mut self, caller: ChannelId, is_wanted: bool) {
        if let Some(channel) = self.parties.channel_mut(caller).filter(|_| is_wanted) {
            channel.cdr = CdrBuilder::default();
            (channel.created, channel.created_wall) = (self.core.now.mono, self.core.now.wall);
            channel.answered = channel.answered.map(|_| self.core.now.mono);
        }
    }

    /// Option G: caller and called line go on in the dialplan, each by itself; says whether they do.
    pub(super) fn goes_apart(&mut self, caller: ChannelId, callee: ChannelId) -> bool {
        let Some(channel) = self.parties.channel(caller) else { return false };
        let (Some(dial), Some(program)) = (channel.dial(), &channel.program) else { return false };
        let Some(place) = dial.options.place('G') else { return false };
        let shown = program.caller();
        let to = errand::position(&self.core.config.dialplan, &place, &program.position(), self.core.now.wall);
        let Some(to) = to else { return false };
        let after = Position { priority: to.priority.saturating_add(1), ..to.clone() };
        self.leave(caller, to, Some(DialStatus::Answer));
        if let Some(channel) = self.parties.channel_mut(caller) {
            channel.cdr.connected = true;
            channel.program.iter_mut().for_each(Program::set_answered);
        }
        self.parties.with_party(callee, self.core, |party, cx| party.set_media_remote(cx.core));
        // Its early media was bridged to the caller.
        if let Some(stream) = self.parties.channel(callee).and_then(Channel::stream) {
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
        self.parties.deferred.push_back(Deferred::Apart(callee, after, Box::new(shown)));
        true
    }

    /// Option G of a Dial in a dialplan that was called as `Local/`: whoever called that is connected with the half that goes on
    /// in it, and the line goes on by itself. Says whether it is so.
    pub(super) fn goes_apart_beyond(&mut self, running: ChannelId, callee: ChannelId) -> bool {
        let has_place = self.dial(running).is_some_and(|dial| dial.options.place('G').is_some());
        if !has_place || local::unanswered_half(self.parties, running).is_none() {
            return false;
        }
        if let Err(why) = self.answered_by_dialplan(running) {
            let text = format!("{}: Dial option G: {why}", self.parties.name_of(running));
            self.core.emit(LogLine { level: Level::Warning, text });
            return false;
        }
        self.answered_elsewhere(running, callee);
        self.give_up_branches(running, Some(callee));
        self.goes_apart(running, callee)
    }

    /// A half of a call that the exchange began, which has no telephone, has called a line: that takes the part of who
    /// called the half. Says whether it is so.
    pub(super) fn takes_half(&mut self, half: ChannelId, callee: ChannelId) -> bool {
        let Some(channel) = self.parties.channel_mut(half) else { return false };
        if channel.called_by.is_some() || !channel.local().is_some_and(|local| local.is_called) {
            return false;
        }
        channel.stop_activity(cause::NORMAL, self.core);
        channel.called_by = Some(callee);
        if channel.program.take().is_some() {
            let name = channel.name.clone();
            self.parties.deferred.push_back(Deferred::Unlock(name));
        }
        let Some(channel) = self.parties.channel_mut(half) else { return true };
        channel.activity = Activity::Called;
        let entered = channel.entered.take();
        if let Some(line) = self.parties.channel_mut(callee) {
            (line.called_by, line.entered) = (None, entered);
        }
        self.bridging().connect(callee, half, 0);
        true
    }

    /// Why a line that is given up rings no more, for its CANCEL (RFC 3326): another one answered.
    pub(super) fn give_reason(&mut self, caller: ChannelId, id: ChannelId) {
        let cause = self.dial(caller).map_or(0, |dial| dial.options.cause_of_others());
        let elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"".to_owned();
        let reason = if cause == 0 { elsewhere } else { format!("{elsewhere}, Q.850;cause={cause}") };
        self.parties.with_party(id, self.core, |party, _| party.leg.ua.cancel_reason = Some(reason));
    }

    /// A line that answered is the one: the others are given up, and time is no limit any more.
    pub(super) fn taken_by(&mut self, caller: ChannelId, callee: ChannelId) {
        self.answered_elsewhere(caller, callee);
        self.give_up_branches(caller, Some(callee));
        if let Some(dial) = self.parties.channel_mut(caller).and_then(Channel::dial_mut) {
            dial.take_timers().for_each(|timer| self.core.timers.cancel(timer));
            dial.branches.push((callee, Branch::Progress));
        }
    }

    /// The caller is told that it rings.
    pub(super) fn rings(&mut self, caller: ChannelId) {
        self.early().ring(caller);
    }

    /// The dialplan that a call was sent into answers it itself: whoever called it is answered.
    ///
    /// # Errors
    /// Nothing both can speak, or no port.
    pub(super) fn answered_by_dialplan(&mut self, running: ChannelId) -> Result<(), String> {
        let Some((outer, half)) = local::unanswered_half(self.parties, running) else { return Ok(()) };
        if local::unanswered_half(self.parties, outer).is_some() {
            self.answered_by_dialplan(outer)?;
        }
        if self.parties.leg_of(outer).is_some_and(Leg::is_unanswered_caller) {
            let answered: Option<Result<(), String>> = self.parties.with_party(outer, self.core, |party, cx| {
                let description = party.describe(cx.core).own()?;
                party.answer(description, cx);
                Ok(())
            });
            answered.unwrap_or(Ok(()))?;
        }
        let event = CallEvent::Answered { callee: self.parties.name_of(half), caller: self.parties.name_of(outer) };
        self.core.emit(event);
        let now = self.core.now.mono;
        for id in [half, running] {
            if let Some(channel) = self.parties.channel_mut(id) {
                (channel.state, channel.answered) = (ChannelState::Up, Some(now));
            }
        }
        self.connect(outer, half);
        Ok(())
    }
}
