//! Channels end: by their telephone, by the network, by the dialplan or the console; and what becomes of those they
//! talked to.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::callee_work::AtEnd;
use super::channel::{Activity, Channel};
use super::deferred::Deferred;
use super::dialing::Dialing;
use super::digit_sending;
use super::interlude::{Finished, Purpose};
use super::interlude_end::take_back;
use super::leg::Ending;
use super::local;
use super::local_half::HalfEnded;
use super::music;
use super::originating::set_free;
use super::own_record;
use super::paged;
use super::parties::Parties;
use super::spied;
use super::tones;
use super::transferred;
use crate::dialplan::originate::Goal;
use crate::dialplan::program::errand;
use crate::dialplan::{AppReply, CallerId, Cause, ChannelId, DialStatus, Finish, Position, Program};
use crate::event::{CallEvent, Handover, Level, LogLine};
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::core::Core;
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::media::MediaCommand;
use crate::wording::outside;

/// Ends channels, with all channels and bridges at hand.
pub(super) struct Hangup<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Hangup<'_> {
    /// A channel's leg ended from outside.
    pub(super) fn leg_ended(&mut self, id: ChannelId, ending: Ending) {
        match self.parties.channel(id).map(|channel| channel.called_by) {
            None => {}
            Some(None) => self.caller_ended(id, ending),
            Some(Some(caller)) => self.callee_ended(caller, id, ending),
        }
    }

    fn caller_ended(&mut self, id: ChannelId, ending: Ending) {
        let way = self.parties.leg_of(id).map(|leg| leg.ua.way()).unwrap_or_default();
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let line = channel.line();
        let (by, failure) = match ending {
            Ending::Bye if channel.answered.is_some() => (HangupBy::Caller, None),
            Ending::Bye | Ending::Cancelled => (HangupBy::Caller, Some(FailureReason::CallerGaveUp.with(&[]))),
            Ending::NotAcked => {
                // All but the line was written by telephones.
                let [to, contact, ours] = way.each_ref().map(|text| outside(text));
                (HangupBy::Exchange, Some(FailureReason::NotAcked.with(&[line, &to, &contact, &ours])))
            }
            Ending::Undescribed => (HangupBy::Exchange, Some(FailureReason::Undescribed.with(&[line]))),
            Ending::Gone => (HangupBy::Exchange, Some(FailureReason::Gone.with(&[line]))),
            Ending::Expired => (HangupBy::Exchange, Some(FailureReason::NotRefreshed.with(&[line]))),
        };
        let cause = failure.as_ref().map_or(cause::NORMAL, |failure| failure.cause);
        channel.cdr.add_failures(failure);
        if by == HangupBy::Caller {
            let channel = channel.name.clone();
            self.core.emit(CallEvent::HungUp { channel });
        }
        self.end(id, by, cause);
    }

    fn callee_ended(&mut self, caller: ChannelId, id: ChannelId, ending: Ending) {
        let Some(channel) = self.parties.channel(id) else { return };
        let (name, line, is_bridged) = (channel.name.clone(), channel.line().to_owned(), channel.bridge.is_some());
        let failure = match ending {
            Ending::Bye => None,
            Ending::Expired => Some(FailureReason::NotRefreshed.with(&[&line])),
            Ending::Cancelled | Ending::NotAcked | Ending::Undescribed | Ending::Gone => {
                Some(FailureReason::Gone.with(&[&line]))
            }
        };
        match failure {
            Some(failure) => {
                if let Some(channel) = self.parties.channel_mut(caller) {
                    channel.cdr.add_failures([failure]);
                }
            }
            None => self.core.emit(CallEvent::HungUp { channel: name }),
        }
        if is_bridged {
            self.end(id, HangupBy::Callee, cause::NORMAL);
        } else {
            self.dialing().branch_failed(caller, id, FailureReason::HungUpEarly.with(&[&line]));
        }
    }

    /// The other half of a pair that leads into the dialplan is over. The Dial that called it, or the bridge it is in,
    /// loses it as it loses a line; the program that ran for it runs `h`.
    pub(super) fn half_ended(&mut self, id: ChannelId, ended: HalfEnded) {
        let Some(channel) = self.parties.channel(id).filter(|channel| !channel.dead) else { return };
        let is_called = channel.local().is_some_and(|half| half.is_called);
        match channel.called_by.filter(|_| is_called && channel.bridge.is_none()) {
            Some(caller) => {
                let unexplained = || Failure { cause: ended.cause, ..FailureReason::RanOut.with(&[&channel.name]) };
                let failure = ended.failure.unwrap_or_else(unexplained);
                self.dialing().branch_failed(caller, id, failure);
            }
            None if is_called => self.end(id, HangupBy::Callee, ended.cause),
            None => self.end(id, HangupBy::Caller, ended.cause),
        }
    }

    /// The console hangs a channel up; what follows is as if its telephone had.
    pub(super) fn by_console(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        match channel.called_by {
            Some(caller) if channel.bridge.is_none() => {
                self.parties.hang_up_leg(id, cause::NORMAL, self.core);
                self.dialing().branch_failed(caller, id, FailureReason::ByConsole.with(&[]));
            }
            caller => {
                if caller.is_none() && channel.answered.is_none() {
                    channel.cdr.add_failures([FailureReason::ByConsole.with(&[])]);
                }
                self.parties.hang_up_leg(id, cause::NORMAL, self.core);
                self.end(id, HangupBy::Exchange, cause::NORMAL);
            }
        }
    }

    /// A channel was silent for too long; whoever it talks to is left alone as if its telephone had hung up.
    pub(super) fn by_silence(&mut self, id: ChannelId, failure: Failure) {
        let Some(channel) = self.parties.channel(id).filter(|channel| !channel.dead) else { return };
        let (caller, cause) = (channel.called_by.unwrap_or(id), failure.cause);
        if caller != id && channel.bridge.is_none() {
            self.parties.hang_up_leg(id, cause, self.core);
            return self.dialing().branch_failed(caller, id, failure);
        }
        if let Some(channel) = self.parties.channel_mut(caller) {
            channel.cdr.add_failures([failure]);
        }
        self.parties.hang_up_leg(id, cause, self.core);
        self.end(id, HangupBy::Exchange, cause);
    }

    /// A channel's program goes on elsewhere. What the channel was doing stops; whoever it called or talked to is hung up.
    pub(super) fn redirect(&mut self, id: ChannelId, to: Position) {
        self.leave_errands(id);
        let Some(channel) = self.parties.channel(id).filter(|channel| !channel.dead) else { return };
        match &channel.activity {
            Activity::Dialing(_) => self.dialing().end(id, DialStatus::Cancel, None),
            Activity::Bridged(connected) => {
                let report = connected.report(self.core.now.mono, cause::NORMAL, false);
                for other in self.bridging().leave(id) {
                    self.left_alone(other, HangupBy::Exchange, cause::NORMAL);
                }
                self.bridging().answer_offer_alone(id);
                self.bridging().reclaim_media(id);
                self.parties.resume(id, AppReply::Dialed(report));
            }
            Activity::Playing(_) | Activity::Echoing => {
                let telephone = local::caller(self.parties, id);
                if let Some(stream) = self.parties.channel(telephone).and_then(Channel::stream) {
                    self.core.out.media.push(MediaCommand::Idle { stream });
                }
            }
            _ => {}
        }
        digit_sending::abandon(self.parties, id, self.core);
        paged::leave(self.parties, id);
        spied::leave(self.parties, id, false);
        let Some(channel) = self.parties.channel_mut(id) else { return };
        channel.leave_talks(self.core);
        channel.stop_activity(cause::NORMAL, self.core);
        if let Some(program) = &mut channel.program {
            program.redirect(to);
            self.parties.make_runnable(id);
        }
        self.leave_lot(id);
    }

    /// A channel is about to go on elsewhere: what a code had begun on it is over, and so is its waiting for that of another.
    pub(super) fn leave_errands(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel(id).filter(|channel| !channel.dead) else { return };
        if channel.interlude.is_none() && channel.waits_for.is_none() {
            return;
        }
        music::end(self.parties, id, self.core);
        let finished = self.leave_interlude(id, cause::NORMAL);
        let idle = self.parties.channel(id).filter(|channel| channel.bridge.is_none()).and_then(Channel::stream);
        if let Some(stream) = idle {
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
        if let Some(finished) = finished {
            let purpose = if finished.purpose == Purpose::SayPlace { Purpose::SayPlace } else { Purpose::Application };
            let name = self.parties.name_of(id);
            self.parties.deferred.push_back(Deferred::Left(name, Finished { purpose, ..finished }, None));
        }
    }

    /// A channel waits in a lot no more.
    fn leave_lot(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let Some(parked) = channel.parked.take() else { return };
        let channel = channel.name.clone();
        self.core.emit(Handover::ParkLeft { channel, lot: parked.lot, slot: parked.slot });
    }

    /// A call has lasted as long as its dialplan allows.
    pub(super) fn by_time_limit(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id).filter(|channel| !channel.dead) else { return };
        if let Some(caller) = channel.called_by.filter(|_| channel.bridge.is_none()) {
            let place = channel.program.as_ref().map(|program| program.position().to_string()).unwrap_or_default();
            let failure = FailureReason::ByDialplan.with(&["TIMEOUT(absolute)", &place]);
            return self.dialing().branch_failed(caller, id, Failure { cause: cause::NORMAL, ..failure });
        }
        if channel.answered.is_none()
            && !channel.cdr.is_explained()
            && let Some(program) = &channel.program
        {
            let place = program.position().to_string();
            channel.cdr.add_failures([FailureReason::ByDialplan.with(&["TIMEOUT(absolute)", &place])]);
        }
        self.parties.hang_up_leg(id, cause::NORMAL, self.core);
        self.end(id, HangupBy::Exchange, cause::NORMAL);
    }

    /// No ports are left for a channel.
    pub(super) fn without_ports(&mut self, id: ChannelId, why: &str) {
        let failure = FailureReason::NoPorts.with(&[why]);
        let Some(channel) = self.parties.channel_mut(id) else { return };
        if let Some(caller) = channel.called_by {
            return self.dialing().branch_failed(caller, id, failure);
        }
        channel.cdr.add_failures([failure]);
        self.parties.hang_up_leg(id, cause::CONGESTION, self.core);
        self.parties.note_end(id, HangupBy::Exchange, cause::CONGESTION, self.core);
        self.parties.forget(id, self.core);
    }

    /// An application refuses the caller: the call is over, only `h` may still run.
    pub(super) fn by_application(&mut self, id: ChannelId, cause: u16) {
        if let Some(channel) = self.parties.channel_mut(id).filter(|channel| !channel.cdr.is_explained())
            && let Some(program) = &channel.program
            && let Some((name, _)) = program.application()
        {
            let failure = FailureReason::ByDialplan.with(&[name, &program.position().to_string()]);
            channel.cdr.add_failures([Failure { cause, ..failure }]);
        }
        self.parties.hang_up_leg(id, cause, self.core);
        self.end(id, HangupBy::Exchange, cause);
    }

    /// A channel's program came to its end: so does the channel.
    pub(super) fn program_finished(&mut self, id: ChannelId, cause: Cause) {
        tones::end(self.parties, id, self.core);
        self.explain_finish(id, cause);
        let unanswered = local::is_unanswered_caller(self.parties, id);
        let cause = match cause {
            Cause(0) if !unanswered => cause::NORMAL,
            Cause(cause) => cause,
        };
        self.parties.note_end(id, HangupBy::Exchange, cause, self.core);
        self.parties.hang_up_leg(id, cause, self.core);
        self.parties.forget(id, self.core);
    }

    /// A caller that nobody answered: what in the dialplan left it at that, unless a Dial knows more.
    fn explain_finish(&mut self, id: ChannelId, cause: Cause) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        if channel.dead || channel.answered.is_some() || channel.cdr.is_explained() {
            return;
        }
        let Some((finish, place)) = channel.program.as_ref().and_then(Program::finish) else { return };
        let place = place.to_string();
        channel.cdr.add_failures([match finish {
            Finish::RanOut => FailureReason::RanOut.with(&[&place]),
            Finish::Application(name) => Failure { cause: cause.0, ..FailureReason::ByDialplan.with(&[name, &place]) },
            Finish::NoApplication(name) => FailureReason::NoApplication.with(&[&outside(&name), &place]),
            Finish::Nowhere => FailureReason::Nowhere.with(&[&place]),
        }]);
    }

    /// A channel's leg is over. What it was doing stops; whoever it talked to is left alone; its program may run `h`.
    pub(super) fn end(&mut self, id: ChannelId, by: HangupBy, cause: u16) {
        self.parties.note_end(id, by, cause, self.core);
        self.note_end_of_first(id, by, cause);
        self.stop_on_telephone(id);
        digit_sending::abandon(self.parties, id, self.core);
        let finished = self.leave_interlude(id, cause);
        self.leave_lot(id);
        paged::leave(self.parties, id);
        spied::leave(self.parties, id, true);
        let Some(channel) = self.parties.channel_mut(id) else { return };
        channel.dead = true;
        let stopped = channel.stop_activity(cause, self.core);
        if let (Some(program), Some(report)) = (&mut channel.program, stopped.report) {
            program.answer(AppReply::Dialed(report));
        }
        let has_program = channel.program.is_some();
        for branch in stopped.branches {
            self.dialing().give_up(branch);
        }
        // It was on its way elsewhere, and who sent it there waits for how that goes.
        if let Some((by, leg)) = transferred::take(self.parties, id, self.core) {
            transferred::tell(self.parties, leg, 487, self.core);
            if self.parties.channel(by).is_some_and(transferred::is_left) {
                self.parties.hang_up_leg(by, cause::NORMAL, self.core);
                self.end(by, HangupBy::Exchange, cause::NORMAL);
            }
        }
        let mut alone = self.bridging().leave(id);
        if let Some(finished) = finished {
            let consulted = if matches!(finished.purpose, Purpose::Consultation(_)) { alone.pop() } else { None };
            let name = self.parties.name_of(id);
            self.parties.deferred.push_back(Deferred::Left(name, finished, consulted));
        }
        if !has_program {
            self.bury(id, cause);
        }
        for other in alone {
            self.left_alone(other, by, cause);
        }
        if let Some(program) = self.parties.channel_mut(id).and_then(|channel| channel.program.as_mut()) {
            program.hang_up(Cause(cause));
            self.parties.release_ports(id, self.core);
            self.parties.make_runnable(id);
        }
    }

    /// Of two called lines that talk, the first has the record: it was ended by the second.
    fn note_end_of_first(&mut self, id: ChannelId, by: HangupBy, cause: u16) {
        let bridge = self.parties.channel(id).and_then(|channel| self.bridges.get(channel.bridge?));
        let Some(first) = bridge.and_then(|bridge| bridge.channel(bridge.role(id)?.other())) else { return };
        let both = self.parties.channel(id).zip(self.parties.channel(first));
        if both.is_some_and(|(channel, first)| own_record::of_other(channel, first)) {
            let by = if by == HangupBy::Caller { HangupBy::Callee } else { by };
            self.parties.note_media(first, Some(id));
            self.parties.note_end(first, by, cause, self.core);
        }
    }

    /// An interlude of a channel that is over ends with it; so does what somebody did for whom it waited.
    fn leave_interlude(&mut self, id: ChannelId, cause: u16) -> Option<Finished> {
        let channel = self.parties.channel_mut(id)?;
        if let Some(watch) = &mut channel.watch
            && let Some(timer) = watch.timer.take()
        {
            self.core.timers.cancel(timer);
        }
        if let Some(other) = channel.waits_for.take() {
            self.parties.deferred.push_back(Deferred::Forsaken(other));
        }
        let finished = take_back(self.parties.channel_mut(id)?, cause, self.core)?;
        for branch in &finished.branches {
            self.dialing().give_up(*branch);
        }
        Some(finished)
    }

    /// A half that runs the dialplan ends: what it plays on the telephone beyond ends with it.
    fn stop_on_telephone(&mut self, id: ChannelId) {
        tones::end(self.parties, id, self.core);
        let Some(half) = self.parties.channel(id).filter(|channel| channel.local().is_some()) else { return };
        if !matches!(half.activity, Activity::Playing(_) | Activity::Echoing) {
            return;
        }
        // The other half may be gone already, and with it the way to the telephone.
        let played = self.parties.channels().find(|channel| channel.played_by == Some(id)).map(|channel| channel.id);
        let telephone = self.parties.channel(played.unwrap_or_else(|| local::caller(self.parties, id)));
        // Whoever plays itself, or talks to a line that answered instead, is not disturbed.
        let is_others = |channel: &&Channel| {
            matches!(channel.activity, Activity::Playing(_) | Activity::Echoing) || tones::talks(self.parties, channel)
        };
        if let Some(stream) = telephone.filter(|channel| !is_others(channel)).and_then(Channel::stream) {
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
    }

    /// Nobody is left in a channel's bridge. A called line is hung up; so is a caller, unless its Dial had option `g`,
    /// and its program goes on either way. `cause`: of the one who left.
    fn left_alone(&mut self, id: ChannelId, by: HangupBy, cause: u16) {
        let Some(channel) = self.parties.channel(id) else { return };
        let Activity::Bridged(connected) = &channel.activity else {
            let has_program = channel.program.is_some();
            if by == HangupBy::Caller && !has_program && self.goes_on(id) {
                return;
            }
            self.parties.hang_up_leg(id, cause::NORMAL, self.core);
            return if has_program { self.end(id, by, cause::NORMAL) } else { self.bury(id, cause) };
        };
        let report = connected.report(self.core.now.mono, cause, true);
        if connected.continue_after {
            self.bridging().answer_offer_alone(id);
            // The latest description it got may name the other phone: its media comes back here first.
            self.bridging().reclaim_media(id);
        } else {
            self.parties.note_end(id, by, cause::NORMAL, self.core);
            self.parties.hang_up_leg(id, cause::NORMAL, self.core);
            spied::leave(self.parties, id, true);
            self.parties.release_ports(id, self.core);
            if let Some(channel) = self.parties.channel_mut(id) {
                channel.dead = true;
            }
        }
        self.parties.resume(id, AppReply::Dialed(report));
    }

    /// Option F: a called line whose caller has hung up goes on in the dialplan; says whether it does.
    fn goes_on(&mut self, id: ChannelId) -> bool {
        let Some(channel) = self.parties.channel(id) else { return false };
        let place = channel.callee.at_end.iter().find_map(|at_end| match at_end {
            AtEnd::Continue(place) => Some(place.clone()),
            AtEnd::Hangup(_) => None,
        });
        let Some(place) = place else { return false };
        let (name, number) = (channel.caller_name.clone(), channel.caller_number.clone());
        self.bridging().answer_offer_alone(id);
        self.bridging().reclaim_media(id);
        self.cancel_limit(id);
        let caller = CallerId { name, number, ..CallerId::default() };
        set_free(self.parties, id, Goal::Extension(place), caller, &[]);
        true
    }

    pub(super) fn cancel_limit(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let warning = channel.callee.warnings.take().and_then(|warnings| warnings.timer());
        for limit in channel.callee.limit.take().into_iter().chain(warning) {
            self.core.timers.cancel(limit);
        }
    }

    /// A called line's channel is over; with option e `h` runs for it first.
    fn bury(&mut self, id: ChannelId, cause: u16) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let context = std::mem::take(&mut channel.callee.at_end).into_iter().find_map(|at_end| match at_end {
            AtEnd::Hangup(context) => Some(context),
            AtEnd::Continue(_) => None,
        });
        let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
        let program =
            context.and_then(|context| errand::after_hangup((id, &channel.name), plan, (&context, wall), Cause(cause)));
        let Some(program) = program else { return self.parties.forget(id, self.core) };
        channel.dead = true;
        channel.program = Some(program);
        channel.activity = Activity::Running;
        self.parties.release_ports(id, self.core);
        self.parties.make_runnable(id);
    }

    /// Options L, S: the call of a called line has lasted as long as it may.
    pub(super) fn by_limit(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id).filter(|channel| !channel.dead) else { return };
        channel.callee.limit = None;
        let name = channel.name.clone();
        self.core.emit(LogLine {
            level: Level::Verbose(3),
            text: format!("{name}: the call has lasted as long as Dial allows"),
        });
        self.parties.hang_up_leg(id, cause::NORMAL, self.core);
        self.end(id, HangupBy::Exchange, cause::NORMAL);
    }

    /// Options h, H: a telephone that talks has pressed `*`. It is as if it had hung up, except that with option g its
    /// own program goes on.
    pub(super) fn by_key(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel(id).filter(|channel| !channel.dead) else { return };
        let bridge = channel.bridge.and_then(|bridge| self.bridges.get(bridge));
        let Some(other) = bridge.and_then(|bridge| bridge.channel(bridge.role(id)?.other())) else { return };
        let (by, stays) = match &channel.activity {
            Activity::Bridged(connected) => (HangupBy::Caller, connected.continue_after),
            _ => (HangupBy::Callee, false),
        };
        let text = format!("{} hangs up by '*'", channel.name);
        self.core.emit(LogLine { level: Level::Verbose(3), text });
        let ends = if stays { other } else { id };
        self.parties.hang_up_leg(ends, cause::NORMAL, self.core);
        self.end(ends, by, cause::NORMAL);
    }

    fn dialing(&mut self) -> Dialing<'_> {
        Dialing { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn bridging(&mut self) -> Bridging<'_> {
        Bridging { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
