//! Programs run: what an application asks for is done or begun here, and its answer given.

use super::bridge::Bridges;
use super::callee_program::CalleePrograms;
use super::channel::{Activity, Channel, MAX_DIGITS};
use super::dial::Dial;
use super::dialing::Dialing;
use super::digit_fault;
use super::digit_sending;
use super::early_media::EarlyMedia;
use super::environment::ChannelEnv;
use super::hangup::Hangup;
use super::interludes::Interludes;
use super::leg::{self, Leg};
use super::local;
use super::messaging;
use super::music;
use super::originating::Originating;
use super::paging::Paging;
use super::parking;
use super::parties::Parties;
use super::pickup::Pickup;
use super::pins;
use super::playing::{self, Prompts};
use super::recordings;
use super::spying;
use super::test_signals;
use super::time_limit::TimeLimit;
use super::tones;
use super::transferred;
use crate::audio::tone;
use crate::dialplan::originate::OriginateRequest;
use crate::dialplan::outside::OutsideRequest;
use crate::dialplan::spying::{SpyReply, SpyRequest};
use crate::dialplan::{
    AppReply, AppRequest, Cause, ChannelId, DialRequest, DialStatus, Digits, Existence, HangUpRequest, Position,
    Progress, Tone, UNTIL_HANGUP,
};
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::core::{CallTimer, Core, Directory, Timer};
use crate::pbx::media::MediaCommand;
use crate::pbx::outside::{ErrandId, OutsideOrder, OutsideReport};
use std::time::Duration;

/// Dialplan steps a program may take in one go.
const BUDGET: u32 = 200;

/// The digit that ends an `Echo`.
const END_OF_ECHO: char = '#';

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
        let (events, notes) = program.take_notes();
        for line in program.take_log() {
            self.core.emit(line);
        }
        for event in events {
            self.core.line_tests.keep(&event);
            self.core.emit(event);
        }
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.cdr.notes = notes;
            if !channel.dead
                && let Some((name, data)) = program.application()
            {
                channel.cdr.application = (name.to_owned(), data);
            }
            channel.program = Some(program);
        }
        TimeLimit { parties: self.parties, bridges: self.bridges, core: self.core }.keep(id);
        match progress {
            Progress::Asks(AppRequest::Pin(request)) => {
                let verdict = pins::look(self.parties, self.core, shared, id, &request);
                self.parties.resume(id, AppReply::Pin(verdict));
            }
            Progress::Asks(request) => self.perform(id, request, directory),
            Progress::Again => self.parties.make_runnable(id),
            Progress::Waiting => {}
            Progress::Finished(cause) => self.finished(id, cause),
        }
    }

    fn finished(&mut self, id: ChannelId, cause: Cause) {
        let works = self.parties.channel(id).is_some_and(|channel| channel.callee.work.is_some() && !channel.dead);
        if works {
            let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
            return CalleePrograms { parties, bridges, core }.finished(id, cause);
        }
        if self.parties.channel(id).is_some_and(|channel| channel.page.is_some() && !channel.dead) {
            return self.paging().announced(id);
        }
        if self.parties.channel(id).is_some_and(|channel| channel.interlude.is_some() && !channel.dead) {
            let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
            return Interludes { parties, bridges, core }.finished(id);
        }
        let status = if cause.0 == 0 { 480 } else { cause::to_status(cause.0) };
        let lives = self.parties.channel(id).is_some_and(|channel| !channel.dead);
        if lives && transferred::failed(self.parties, id, status) {
            return;
        }
        self.hangup().program_finished(id, cause);
    }

    /// What came of our REFER to a channel's telephone.
    pub(super) fn referred(&mut self, id: ChannelId, status: u16) {
        if self.parties.channel(id).is_some_and(|channel| matches!(channel.activity, Activity::Transferring)) {
            self.parties.resume(id, AppReply::Transferred(Ok((200..300).contains(&status))));
        }
    }

    /// The telephone of a channel is asked to call somebody else: by 302 before the answer, by REFER after it.
    fn transfer(&mut self, id: ChannelId, to: &str) {
        let uri = self.transfer_uri(id, to);
        let asked = self.parties.with_party(id, self.core, |party, cx| {
            if party.leg.is_unanswered_caller() {
                party.leg.ua.redirect_to = Some(uri);
                party.leg.hang_up(cause::NORMAL, cx);
                return Ok(true);
            }
            if !party.leg.is_confirmed() {
                return Err("its call is not answered yet".to_owned());
            }
            party.leg.refers.refer(&uri, &mut party.leg.ua, cx);
            Ok(false)
        });
        match asked {
            Some(Ok(true)) => {
                self.parties.resume(id, AppReply::Transferred(Ok(true)));
                self.hangup().end(id, HangupBy::Exchange, cause::NORMAL);
            }
            Some(Ok(false)) => self.begin(id, Activity::Transferring),
            Some(Err(why)) => self.parties.resume(id, AppReply::Transferred(Err(why))),
            None => {
                let why = "the channel has no telephone".to_owned();
                self.parties.resume(id, AppReply::Transferred(Err(why)));
            }
        }
    }

    /// `SIP/number`, `number` or `number@host` as an address: without a host it is ours.
    fn transfer_uri(&self, id: ChannelId, to: &str) -> String {
        let to = to.strip_prefix("SIP/").or_else(|| to.strip_prefix("sip:")).unwrap_or(to);
        let (user, host) = to.split_once('@').unwrap_or((to, ""));
        let user = leg::escape_user(user);
        let own = self.parties.leg_of(id).map(|leg| leg.ua.flow.advertised);
        match own.filter(|_| host.is_empty()) {
            Some(at) => format!("sip:{user}@{}:{}", leg::host(at.ip()), at.port()),
            None => format!("sip:{user}@{host}"),
        }
    }

    fn originate(&mut self, id: ChannelId, request: OriginateRequest, directory: &dyn Directory) {
        let (parties, bridges, core) = (&mut *self.parties, &mut *self.bridges, &mut *self.core);
        Originating { parties, bridges, core }.begin(request, Some(id), directory);
    }

    /// A Dial, unless it is for a channel that is about to be connected itself.
    fn dial(&mut self, id: ChannelId, request: DialRequest, directory: &dyn Directory) {
        if self.parties.channel(id).is_some_and(|channel| channel.callee.work.is_some()) {
            let dial = Dial::new(self.core.now.mono, request.options);
            let mut report = dial.report(self.core.now.mono, DialStatus::InvalidArgs, None);
            "a program on the line that Dial calls cannot dial itself".clone_into(&mut report.reason);
            return self.parties.resume(id, AppReply::Dialed(report));
        }
        self.dialing().start(id, request, directory);
    }

    fn perform(&mut self, id: ChannelId, request: AppRequest, directory: &dyn Directory) {
        if ends_music(&request) {
            music::end(self.parties, id, self.core);
        }
        match request {
            // Whoever was transferred did not arrive: the call comes back to whose telephone asked for that.
            AppRequest::Indicate(Tone::Busy) if transferred::failed(self.parties, id, 486) => return,
            AppRequest::Indicate(Tone::Congestion) if transferred::failed(self.parties, id, 503) => return,
            _ if is_heard(&request) => transferred::arrived(self.parties, id, self.core),
            _ => {}
        }
        match request {
            AppRequest::Wait(time) => self.wait(id, time),
            AppRequest::Answer => self.answer(id),
            AppRequest::Indicate(tone) => self.indicate(id, tone),
            AppRequest::Play(request) => self.prompts().begin(id, request, None),
            AppRequest::PlayBeside(request) => self.prompts().begin_beside(id, request),
            AppRequest::PlayFrom(request, from) => self.prompts().begin(id, request, Some(from)),
            AppRequest::PlaySound(sound, stop_on) => self.prompts().begin_sound(id, sound, stop_on),
            AppRequest::PlayTone(tone) => self.play_tone(id, tone.as_deref()),
            AppRequest::Music(class) => {
                let started = class.map_or(Ok(()), |class| music::start(self.parties, id, &class, self.core));
                self.parties.resume(id, AppReply::PlaysMusic(started));
            }
            AppRequest::Record(request) => recordings::record(self.parties, id, request, self.core),
            AppRequest::Tap(request) => {
                let tapped = recordings::tap(self.parties, id, &request, self.core);
                self.parties.resume(id, AppReply::Tapped(tapped));
            }
            AppRequest::Digit(time) => self.await_digit(id, time),
            AppRequest::SendDigits(request) => digit_sending::requested(self.parties, id, &request, self.core),
            AppRequest::DtmfMode(mode) => digit_sending::set_mode(self.parties, id, &mode, self.core),
            // It needs more than is at hand here.
            AppRequest::Pin(_) => {}
            AppRequest::Echo => self.echo(id),
            AppRequest::TestSignal(signal) => test_signals::begin(self.parties, id, &signal, self.core),
            AppRequest::Outside(request) => self.go_outside(id, request),
            AppRequest::Dial(request) => self.dial(id, request, directory),
            AppRequest::Page(request) => self.paging().begin(id, *request, directory),
            AppRequest::TalkToPage => self.paging().talk(id),
            AppRequest::Spy(request) => spying::requested(self.parties, self.bridges, id, &request, self.core),
            AppRequest::Transfer(to) => self.transfer(id, &to),
            AppRequest::Originate(request) => self.originate(id, *request, directory),
            AppRequest::SendText(message) => messaging::send(self.parties, id, &message, self.core),
            AppRequest::SendToCaller(text) => messaging::send_to_caller(self.parties, id, text, self.core),
            AppRequest::HangUp(request) => self.hang_up(id, &request),
            AppRequest::PickUp(targets) => self.pickup().pick_up(id, &targets),
            AppRequest::Park(request) => parking::park(self.parties, id, &request, self.core),
            AppRequest::WaitParked(time) => parking::wait(self.parties, id, time, self.core),
            AppRequest::FindParked(place) => parking::find(self.parties, id, &place, self.core),
            AppRequest::TakeParked(place) => parking::take(self.parties, self.bridges, id, &place, self.core),
            AppRequest::LineStates(targets) => {
                let nothing = Default::default();
                let state = |target| self.dialing().places(directory, &nothing).line_state(target);
                let states = targets.iter().map(state).collect();
                self.parties.resume(id, AppReply::LineStates(states));
            }
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
        match self.parties.channel(id).map(|channel| &channel.activity) {
            Some(Activity::Waiting(_)) => self.parties.resume(id, AppReply::Waited),
            Some(Activity::Parked(_)) => parking::timed_out(self.parties, id, self.core),
            Some(_) | None => {}
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

    /// Hangs up the channels that are meant. The program that asked goes on, unless its own channel is among them.
    fn hang_up(&mut self, id: ChannelId, request: &HangUpRequest) {
        let is_channel = |channel: &&Channel| channel.name.eq_ignore_ascii_case(&request.name);
        let is_of_line = |channel: &&Channel| {
            channel.name.rsplit_once('-').is_some_and(|(line, _)| line.eq_ignore_ascii_case(&request.name))
        };
        let living = || self.parties.channels().filter(|channel| !channel.dead);
        let exact: Vec<ChannelId> = living().filter(is_channel).map(|channel| channel.id).collect();
        let most = if request.all { usize::MAX } else { 1 };
        let mut chosen = match exact.is_empty() {
            true => living().filter(is_of_line).map(|channel| channel.id).take(most).collect(),
            false => exact,
        };
        self.parties.resume(id, AppReply::HungUp(chosen.len()));
        // Its own comes last.
        chosen.sort_by_key(|one| *one == id);
        for one in chosen {
            self.hangup().by_console(one);
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

    fn go_outside(&mut self, id: ChannelId, request: OutsideRequest) {
        let errand = ErrandId(self.core.fresh_id());
        let Some(channel) = self.parties.channel_mut(id) else { return };
        (channel.activity, channel.goes_outside) = (Activity::Outside(errand), true);
        self.core.out.outside.push(OutsideOrder::Run { errand, channel: id, request });
    }

    /// What a program had done outside has come to its end.
    pub(super) fn outside_done(&mut self, report: OutsideReport) {
        if recordings::ran_afterwards(&report, self.core) {
            return;
        }
        let activity = self.parties.channel(report.channel).map(|channel| &channel.activity);
        if matches!(activity, Some(Activity::Outside(errand)) if *errand == report.errand) {
            self.parties.resume(report.channel, AppReply::Outside(report.reply));
        }
    }

    fn await_digit(&mut self, id: ChannelId, time: Duration) {
        match playing::take_digit(self.parties, id, Digits::ANY) {
            Some(digit) => self.parties.resume(id, AppReply::Digit(Some(digit))),
            None => {
                self.parties.with_party(id, self.core, |party, cx| digit_fault::awaited(party, cx.core));
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

    /// A digit came from the telephone whose program this is. A program that waits for it gets it, one that waits for
    /// something else does not hear it, and between two waits it is kept.
    pub(super) fn digit(&mut self, id: ChannelId, digit: char) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        match &channel.activity {
            Activity::Recording(recording) if recording.stop_on.contains(digit) => {
                recordings::cut(self.parties, id, digit, self.core);
            }
            Activity::AwaitingDigit(timer) => {
                self.core.timers.cancel(*timer);
                self.parties.resume(id, AppReply::Digit(Some(digit)));
            }
            Activity::Spying => self.parties.resume(id, AppReply::Spied(SpyReply::Digit(digit))),
            Activity::Playing(playing) if playing.stop_on.contains(digit) => {
                self.prompts().cut(id, digit);
            }
            Activity::LoadingSounds(loading) if loading.request.stop_on.contains(digit) => {
                self.prompts().cut(id, digit);
            }
            Activity::Running | Activity::Answering | Activity::ReservingPorts | Activity::Outside(_) => {
                if channel.program.is_some() && channel.digits.len() < MAX_DIGITS {
                    channel.digits.push_back(digit);
                }
            }
            Activity::Echoing if digit == END_OF_ECHO => {
                let telephone = local::caller(self.parties, id);
                if let Some(stream) = self.parties.channel(telephone).and_then(Channel::stream) {
                    self.core.out.media.push(MediaCommand::Idle { stream });
                }
                self.parties.resume(id, AppReply::Echoed);
            }
            Activity::TestSignal(signal) if signal.stop_on.contains(digit) => {
                test_signals::cut(self.parties, id, digit, self.core);
            }
            Activity::Dialing(dial) if dial.options.has('d') => self.leave_dial(id, digit),
            Activity::LoadingSounds(_)
            | Activity::Playing(_)
            | Activity::Waiting(_)
            | Activity::Parked(_)
            | Activity::Originating(_)
            | Activity::Recording(_)
            | Activity::Echoing
            | Activity::TestSignal(_)
            | Activity::SendingDigits
            | Activity::Transferring
            | Activity::Paging
            | Activity::Dialing(_)
            | Activity::Bridged(_)
            | Activity::Called => {}
        }
    }

    /// Option d: a caller that waits in a Dial leaves it for an extension of one digit.
    fn leave_dial(&mut self, id: ChannelId, digit: char) {
        let Some(program) = self.parties.channel(id).and_then(|channel| channel.program.as_ref()) else { return };
        let context = program.variable("EXITCONTEXT").filter(|context| !context.is_empty());
        let to = Position::new(&context.unwrap_or_else(|| program.position().context), &digit.to_string(), 1);
        let number = program.caller().number;
        let plan = &self.core.config.dialplan;
        if plan.exists(&to.context, &to.exten, Some(&number), self.core.now.wall) == Existence::Yes {
            self.dialing().leave(id, to, None);
        }
    }

    /// What plays sounds.
    pub(super) fn prompts(&mut self) -> Prompts<'_> {
        Prompts { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn early(&mut self) -> EarlyMedia<'_> {
        EarlyMedia { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn paging(&mut self) -> Paging<'_> {
        Paging { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn pickup(&mut self) -> Pickup<'_> {
        Pickup { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn dialing(&mut self) -> Dialing<'_> {
        Dialing { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn hangup(&mut self) -> Hangup<'_> {
        Hangup { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}

/// Does a program do something that its caller hears, or waits to hear of it: has a call that was transferred arrived?
fn is_heard(request: &AppRequest) -> bool {
    match request {
        AppRequest::Play(_)
        | AppRequest::PlayBeside(_)
        | AppRequest::PlayFrom(..)
        | AppRequest::PlaySound(..)
        | AppRequest::PlayTone(Some(_))
        | AppRequest::Music(Some(_))
        | AppRequest::Record(_)
        | AppRequest::Digit(_)
        | AppRequest::WaitParked(_)
        | AppRequest::Page(_)
        | AppRequest::TalkToPage
        | AppRequest::Spy(SpyRequest::Listen(..))
        | AppRequest::TestSignal(_)
        | AppRequest::Echo => true,
        AppRequest::Wait(_)
        | AppRequest::PlayTone(None)
        | AppRequest::Music(None)
        | AppRequest::Indicate(_)
        | AppRequest::Answer
        | AppRequest::Tap(_)
        | AppRequest::Pin(_)
        | AppRequest::SendDigits(_)
        | AppRequest::SendText(_)
        | AppRequest::SendToCaller(_)
        | AppRequest::DtmfMode(_)
        | AppRequest::Originate(_)
        | AppRequest::Dial(_)
        | AppRequest::Transfer(_)
        | AppRequest::PickUp(_)
        | AppRequest::Park(_)
        | AppRequest::FindParked(_)
        | AppRequest::TakeParked(_)
        | AppRequest::LineStates(_)
        | AppRequest::HangUp(_)
        | AppRequest::Spy(_)
        | AppRequest::Outside(_) => false,
    }
}

/// Does a program do something with sound, or with music itself, so that the music it had played ends?
fn ends_music(request: &AppRequest) -> bool {
    match request {
        AppRequest::Play(_)
        | AppRequest::PlayBeside(_)
        | AppRequest::PlayFrom(..)
        | AppRequest::PlaySound(..)
        | AppRequest::PlayTone(_)
        | AppRequest::Music(_)
        | AppRequest::Indicate(Tone::Ringing | Tone::Busy | Tone::Congestion)
        | AppRequest::Record(_)
        | AppRequest::Echo
        | AppRequest::TestSignal(_)
        | AppRequest::Transfer(_)
        | AppRequest::TakeParked(_)
        | AppRequest::TalkToPage
        | AppRequest::Spy(SpyRequest::Listen(..))
        | AppRequest::Dial(_) => true,
        AppRequest::Wait(_)
        | AppRequest::Indicate(Tone::Progress)
        | AppRequest::Answer
        | AppRequest::Tap(_)
        | AppRequest::Digit(_)
        | AppRequest::Pin(_)
        | AppRequest::SendDigits(_)
        | AppRequest::DtmfMode(_)
        | AppRequest::Originate(_)
        | AppRequest::Page(_)
        | AppRequest::LineStates(_)
        | AppRequest::HangUp(_)
        | AppRequest::SendText(_)
        | AppRequest::SendToCaller(_)
        | AppRequest::PickUp(_)
        | AppRequest::Park(_)
        | AppRequest::WaitParked(_)
        | AppRequest::FindParked(_)
        | AppRequest::Spy(_)
        | AppRequest::Outside(_) => false,
    }
}
