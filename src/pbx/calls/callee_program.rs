//! What a `Dial` does on a called line's own channel before the line is connected: a Gosub before it is called (`b`),
//! and after its answer an announcement (`A`), a macro (`M`), a Gosub (`U`). Until that is over the caller hears what it
//! heard before; whoever hangs up meanwhile ends it.

use super::bridge::Bridges;
use super::callee_work::{CalleeWork, Work};
use super::channel::{Activity, Channel};
use super::dialing::Dialing;
use super::hangup::Hangup;
use super::invite_headers::added_headers;
use super::leg::Leg;
use super::parties::Parties;
use crate::dialplan::app::AppCall;
use crate::dialplan::dial_options::Subroutine;
use crate::dialplan::privacy;
use crate::dialplan::program::errand;
use crate::dialplan::{CallerId, Cause, ChannelId, DialStatus, Finish, Position, Program};
use crate::event::{Level, LogLine};
use crate::pbx::cause;
use crate::pbx::core::Core;
use crate::pbx::failure::{Failure, FailureReason};
use crate::pbx::media::MediaCommand;
use crate::pbx::sounds::{SoundOrder, Wanted};
use crate::wording::outside;
use std::collections::VecDeque;

/// What a program on a called line's channel begins with: where the caller is, who calls, and its variables.
type Seen = (Position, CallerId, Vec<(String, String)>);

/// Works on called lines' channels, with all channels and bridges at hand.
pub(super) struct CalleePrograms<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl CalleePrograms<'_> {
    /// A line is about to be called; says whether something runs first.
    pub(super) fn before_call(&mut self, caller: ChannelId, id: ChannelId) -> bool {
        let Some(dial) = self.parties.channel(caller).and_then(Channel::dial) else { return false };
        let Some(routine) = dial.options.gosub('b') else { return false };
        if self.parties.channel(id).is_none() {
            return true;
        }
        self.begin(caller, id, false, [Work::Routine(routine, "")].into())
    }

    /// A line has answered; says whether something is done before it is connected, or it is gone.
    pub(super) fn after_answer(&mut self, caller: ChannelId, id: ChannelId) -> bool {
        if self.parties.channel(id).is_none() {
            return true;
        }
        let Some(dial) = self.parties.channel(caller).and_then(Channel::dial) else { return false };
        let options = dial.options.clone();
        let mut work: VecDeque<Work> = VecDeque::new();
        let sound = options.argument('A').and_then(|text| text.split(':').next()).filter(|sound| !sound.is_empty());
        if let Some(sound) = sound {
            match self.parties.channel(id).filter(|channel| channel.has_modem()).map(|channel| channel.name.clone()) {
                Some(name) => {
                    self.warn(format!("{name}: line=modem: '{}' is not played to it (Dial option A)", outside(sound)))
                }
                None => work.push_back(Work::Sound(sound.to_owned())),
            }
        }
        if let Some(screening) = options.screening.clone() {
            match self.parties.channel(id).filter(|channel| channel.has_modem()).map(|channel| channel.name.clone()) {
                Some(name) => self.warn(format!("{name}: line=modem: it is connected unasked (Dial options p, P)")),
                None => work.push_back(Work::Screen(screening)),
            }
        }
        work.extend(options.on_answer('M').map(|routine| Work::Routine(routine, "MACRO_RESULT")));
        work.extend(options.on_answer('U').map(|routine| Work::Routine(routine, "GOSUB_RESULT")));
        if work.is_empty() {
            return false;
        }
        self.dialing().taken_by(caller, id);
        if options.has('a') {
            self.answer_caller(caller);
        }
        self.silence(caller, id);
        let is_played = work.iter().any(|work| matches!(work, Work::Sound(_)));
        let second = options.argument('A').and_then(|text| text.split(':').nth(1)).filter(|sound| !sound.is_empty());
        if let Some(second) = second.filter(|_| is_played) {
            self.order_for_caller(caller, second);
        }
        self.begin(caller, id, true, work)
    }

    /// Option A: the caller is played something meanwhile, when it is there.
    fn order_for_caller(&mut self, caller: ChannelId, sound: &str) {
        let Some(channel) = self.parties.channel_mut(caller) else { return };
        if channel.has_modem() {
            let text =
                format!("{}: line=modem: '{}' is not played to it (Dial option A)", channel.name, outside(sound));
            return self.warn(text);
        }
        let language = channel.program.as_ref().map(Program::language).unwrap_or_default();
        let Some(dial) = channel.dial_mut() else { return };
        let order = self.core.fresh_id();
        dial.announcement = Some(order);
        let wanted = Wanted::Names { names: vec![sound.to_owned()], language };
        self.core.out.sounds.push(SoundOrder { channel: caller, order, wanted });
    }

    /// Option a: the caller is answered already.
    fn answer_caller(&mut self, caller: ChannelId) {
        if self.parties.leg_of(caller).is_some_and(Leg::is_unanswered_caller) {
            let answered: Option<Result<(), String>> = self.parties.with_party(caller, self.core, |party, cx| {
                let description = party.describe(cx.core).own()?;
                party.answer(description, cx);
                Ok(())
            });
            if let Some(Err(why)) = answered {
                self.warn(why);
            }
        }
    }

    /// What the line says now is for what runs on its channel, and not for the caller, who hears that it rings.
    fn silence(&mut self, caller: ChannelId, id: ChannelId) {
        let heard = self.parties.channel_mut(caller).and_then(Channel::dial_mut).and_then(|dial| dial.early.take());
        self.parties.with_party(id, self.core, |party, cx| party.set_media_remote(cx.core));
        if heard.is_some() {
            if let Some(stream) = self.parties.channel(id).and_then(Channel::stream) {
                self.core.out.media.push(MediaCommand::Idle { stream });
            }
            self.dialing().rings(caller);
        }
    }

    fn begin(&mut self, caller: ChannelId, id: ChannelId, is_answered: bool, rest: VecDeque<Work>) -> bool {
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.callee.work = Some(Box::new(CalleeWork { is_answered, rest, result: "" }));
        }
        self.next(caller, id)
    }

    /// Begins the next thing there is to do; false when none is left.
    fn next(&mut self, caller: ChannelId, id: ChannelId) -> bool {
        while let Some(work) = self.take_work(id) {
            if self.run(caller, id, work) {
                return true;
            }
        }
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.callee.work = None;
        }
        false
    }

    fn take_work(&mut self, id: ChannelId) -> Option<Work> {
        self.parties.channel_mut(id)?.callee.work.as_mut()?.rest.pop_front()
    }

    /// Runs it; false when it cannot be.
    fn run(&mut self, caller: ChannelId, id: ChannelId, work: Work) -> bool {
        let Some((here, shown, variables)) = self.seen_of(caller, id) else { return false };
        let name = self.parties.name_of(id);
        let (mut program, result) = match work {
            Work::Sound(sound) => {
                let call = AppCall { name: "Playback".to_owned(), args: format!("{sound},noanswer") };
                (errand::application((id, &name), here, shown, call), "")
            }
            Work::Screen(screening) => {
                let args = screening.arguments();
                (errand::own((id, &name), here, shown, &privacy::SCREEN, args), privacy::RESULT)
            }
            Work::Routine(Subroutine { place, args }, result) => {
                let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
                let Some(start) = errand::position(plan, &place, &here, wall) else {
                    self.warn(format!("{name}: there is no {} in the dialplan for Dial to run", outside(&place)));
                    return false;
                };
                (errand::subroutine((id, &name), start, &args, shown), result)
            }
        };
        for (name, value) in variables {
            program.set_variable(&name, &value);
        }
        let Some(channel) = self.parties.channel_mut(id) else { return false };
        if let Some(work) = &mut channel.callee.work {
            work.result = result;
            if work.is_answered {
                program.set_answered();
            }
        }
        program.set_language(&channel.peer().map(|peer| peer.settings.language.clone()).unwrap_or_default());
        channel.program = Some(program);
        channel.activity = Activity::Running;
        self.parties.make_runnable(id);
        true
    }

    /// What a program on the called line's channel begins with: where the caller is, who calls, its variables.
    fn seen_of(&self, caller: ChannelId, id: ChannelId) -> Option<Seen> {
        let channel = self.parties.channel(caller)?;
        let program = channel.program.as_ref()?;
        let mut shown = program.caller();
        let number = channel.dial().and_then(|dial| dial.options.argument('o')).filter(|number| !number.is_empty());
        if let Some(number) = number {
            number.clone_into(&mut shown.number);
        }
        let mut variables = program.inherited();
        variables.extend(self.parties.channel(id)?.callee.variables.iter().cloned());
        Some((program.position(), shown, variables))
    }

    /// What ran on a called line's channel is over.
    pub(super) fn finished(&mut self, id: ChannelId, ended: Cause) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let (Some(work), Some(program)) = (&channel.callee.work, channel.program.take()) else { return };
        let (is_answered, result) = (work.is_answered, work.result);
        let (value, given) = (program.variable("GOSUB_RETVAL"), program.variable(result).unwrap_or_default());
        channel.activity = Activity::Called;
        channel.callee.variables = program.variables();
        if let Some(outgoing) = channel.outgoing.as_mut().filter(|_| !is_answered) {
            outgoing.headers.extend(added_headers(&channel.callee.variables));
        }
        let Some(caller) = channel.called_by else { return };
        // It hung up, and did not return: the line is not to be connected. The cause decides DIALSTATUS.
        if let Some((Finish::Application(application), place)) = program.finish() {
            let failure = FailureReason::ByDialplan.with(&[application, &place.to_string()]);
            let cause = if ended == Cause::NONE { cause::NORMAL } else { ended.0 };
            return self.dialing().branch_failed(caller, id, Failure { cause, ..failure });
        }
        if !is_answered {
            channel.callee.work = None;
            return self.dialing().ports_ready(id);
        }
        if result == "GOSUB_RESULT" && !given.trim().is_empty() {
            // What it returned is the caller's then, as with Asterisk.
            let program = self.parties.channel_mut(caller).and_then(|channel| channel.program.as_mut());
            program
                .into_iter()
                .for_each(|program| program.set_variable("GOSUB_RETVAL", value.as_deref().unwrap_or("")));
        }
        if !self.follow(caller, id, given.trim()) && !self.next(caller, id) {
            // It may have offered anew meanwhile: hold counts, and video that it was not answered does not. Who picked up
            // without an offer may not have acknowledged ours yet, and can have no more than that.
            let answer = self.parties.leg_of(id).and_then(|leg| {
                let (local, remote) = (leg.agreement.local.as_ref(), leg.agreement.remote.as_ref());
                match (remote, local) {
                    (Some(remote), Some(local)) => Some(remote.clone().with_no_more_than(local)),
                    (one, other) => one.or(other).cloned(),
                }
            });
            self.dialing().accepted(caller, id, answer);
        }
    }

    /// Does what `MACRO_RESULT` or `GOSUB_RESULT` says; false when it says nothing.
    fn follow(&mut self, caller: ChannelId, id: ChannelId, result: &str) -> bool {
        let (word, place) = result.split_once(':').unwrap_or((result, ""));
        match word.to_ascii_uppercase().as_str() {
            "ABORT" => {
                let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
                Hangup { parties, bridges, core }.by_application(caller, cause::NORMAL);
            }
            "BUSY" => self.dialing().end(caller, DialStatus::Busy, Some(cause::BUSY)),
            "CONGESTION" => self.dialing().end(caller, DialStatus::Congestion, Some(cause::CONGESTION)),
            "CHANUNAVAIL" => self.dialing().end(caller, DialStatus::ChanUnavail, Some(cause::ABSENT)),
            "SCREEN" => {
                let status = [DialStatus::NoAnswer, DialStatus::DontCall, DialStatus::Torture];
                let said = status.into_iter().find(|status| status.name() == place);
                self.dialing().end(caller, said.unwrap_or(DialStatus::NoAnswer), Some(cause::NORMAL));
            }
            "CONTINUE" => {
                let here =
                    self.parties.channel(caller).and_then(|channel| channel.program.as_ref()).map(Program::position);
                if let Some(here) = here {
                    let after = Position { priority: here.priority.saturating_add(1), ..here };
                    self.dialing().leave(caller, after, Some(DialStatus::Answer));
                }
            }
            "GOTO" => {
                let here =
                    self.parties.channel(caller).and_then(|channel| channel.program.as_ref()).map(Program::position);
                let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
                let to = here.and_then(|here| errand::position(plan, &place.replace('^', ","), &here, wall));
                match to {
                    Some(to) => self.dialing().leave(caller, to, Some(DialStatus::Answer)),
                    None => {
                        let name = self.parties.name_of(id);
                        self.warn(format!("{name}: GOTO:{} leads nowhere", outside(place)));
                        return false;
                    }
                }
            }
            _ => return false,
        }
        true
    }

    fn warn(&mut self, text: String) {
        self.core.emit(LogLine { level: Level::Warning, text });
    }

    fn dialing(&mut self) -> Dialing<'_> {
        Dialing { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
