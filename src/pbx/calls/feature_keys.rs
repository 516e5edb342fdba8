//! A telephone that talks presses a code of features.conf: what is done then, and what is passed on of what was no code.

use super::bridge::Bridges;
use super::call_sound;
use super::caller_identity::own_identity;
use super::channel::{BridgeId, Channel};
use super::code_watch::{Action, Verdict};
use super::digit_form;
use super::digit_sending;
use super::hangup::Hangup;
use super::interlude::Purpose;
use super::interludes::Interludes;
use super::parties::Parties;
use super::recordings;
use crate::config::features_conf::FeatureApplication;
use crate::dialplan::app::{App, AppCall};
use crate::dialplan::program::errand;
use crate::dialplan::recording::{TapKind, TapRequest, TapSides};
use crate::dialplan::{CallerId, ChannelId, Existence, Position, Program, mid_call};
use crate::event::{CallEvent, Level, LogLine};
use crate::pbx::core::{CallTimer, Core, Timer};
use crate::pbx::media::WhileBridged;
use std::time::Duration;

/// Does what codes ask for, with all channels and bridges at hand.
pub(super) struct FeatureKeys<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

/// The next digit of a code that a telephone presses did not come.
pub(super) fn time_over(parties: &mut Parties, bridges: &mut Bridges, id: ChannelId, core: &mut Core) {
    FeatureKeys { parties, bridges, core }.time_over(id);
}

impl FeatureKeys<'_> {
    /// A telephone presses a digit for so long; `passes`: how long one that is passed on is pressed. Says whether the
    /// digit is looked at here; then nobody else needs to.
    pub(super) fn press(&mut self, id: ChannelId, digit: char) -> bool {
        let Some(channel) = self.parties.channel_mut(id) else { return false };
        let (Some(watch), Some(BridgeId(bridge))) = (&mut channel.watch, channel.bridge) else { return false };
        if let Some(timer) = watch.timer.take() {
            self.core.timers.cancel(timer);
        }
        if watch.bridge.replace(bridge) != Some(bridge) {
            watch.forget();
        }
        // What is in the sound has passed, too.
        let passes_itself = watch.hangs_up_alone() || channel.listening.bridged == WhileBridged::Listen;
        let verdict = watch.press(digit);
        if verdict.waits {
            let time = self.core.config.features.code_time;
            watch.timer = Some(self.core.set_timer(time, Timer::Call(CallTimer::Code(id))));
        }
        // One that is not held back has gone to the other side already.
        let verdict = if passes_itself { Verdict { passed: String::new(), ..verdict } } else { verdict };
        let is_done = verdict.action.is_some() || !passes_itself;
        self.follow(id, verdict);
        is_done
    }

    /// The next digit of a code did not come.
    pub(super) fn time_over(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let bridge = channel.bridge.map(|bridge| bridge.0);
        let Some(watch) = &mut channel.watch else { return };
        watch.timer = None;
        if bridge.is_none() || watch.bridge != bridge {
            return watch.forget();
        }
        let verdict = watch.time_over();
        let passes_itself = channel.listening.bridged == WhileBridged::Listen;
        let verdict = if passes_itself { Verdict { passed: String::new(), ..verdict } } else { verdict };
        self.follow(id, verdict);
    }

    fn follow(&mut self, id: ChannelId, verdict: Verdict) {
        for digit in verdict.passed.chars() {
            self.pass(id, digit);
        }
        if let Some(action) = verdict.action {
            self.perform(id, action);
        }
    }

    fn other(&self, id: ChannelId) -> Option<ChannelId> {
        let bridge = self.bridges.get(self.parties.channel(id)?.bridge?)?;
        bridge.channel(bridge.role(id)?.other())
    }

    /// The other side is sent a digit that is no code.
    fn pass(&mut self, id: ChannelId, digit: char) {
        const PRESSED: Duration = Duration::from_millis(120);
        let Some(other) = self.other(id) else { return };
        let form = self.parties.party(other).and_then(|party| digit_form::sent_as(party.seen()));
        let sent = form.map(|form| digit_sending::send_as(self.parties, other, (digit, PRESSED), form, self.core));
        if !matches!(sent, Some(Ok(()))) {
            let reason = "nothing that carries digits was agreed on with it".to_owned();
            self.core.emit(CallEvent::DigitsNotSent { channel: self.parties.name_of(other), reason });
        }
    }

    fn perform(&mut self, id: ChannelId, action: Action) {
        match action {
            Action::Disconnect => self.hangup().by_key(id),
            Action::Abort => self.interludes().abort(id),
            Action::Swap => self.interludes().swap(id),
            Action::Complete => self.hangup().by_console(id),
            Action::BlindTransfer => self.ask_for_number(id, &mid_call::READ_NUMBER),
            Action::AttendedTransfer => self.ask_for_number(id, &mid_call::CONSULT),
            Action::Park => self.park(id),
            Action::Monitor => self.record(id, TapKind::Monitor),
            Action::MixMonitor => self.record(id, TapKind::Mix),
            Action::Application(feature) => self.run(id, *feature),
        }
    }

    /// A variable of the call: of the channel itself, else as the caller has it for those that it called.
    fn variable(&self, id: ChannelId, name: &str) -> Option<String> {
        let program = |id| self.parties.channel(id).and_then(|channel: &Channel| channel.program.as_ref());
        let own = program(id).and_then(|program| program.variable(name));
        let others = self.other(id).and_then(program).and_then(|program| program.variable(name));
        own.or(others).filter(|value| !value.is_empty())
    }

    fn shown(&self, id: ChannelId) -> CallerId {
        self.parties.channel(id).map(own_identity).unwrap_or_default()
    }

    fn ask_for_number(&mut self, id: ChannelId, app: &'static App) {
        let own = self.parties.channel(id).and_then(Channel::peer).map(|peer| peer.settings.context.clone());
        let context = self.variable(id, "TRANSFER_CONTEXT").or(own).unwrap_or_default();
        let features = self.core.config.features.clone();
        let args = format!(
            "{context},{},{},{},{},{}",
            features.announce_sound,
            features.invalid_sound,
            features.number_time.as_millis(),
            features.consult_time.as_secs(),
            features.transfer_fail_sound
        );
        let is_blind = app.name == mid_call::READ_NUMBER.name;
        let purpose =
            if is_blind { Purpose::BlindTransfer(context.clone()) } else { Purpose::Consultation(context.clone()) };
        let program = self.program(id, Position::new(&context, "s", 1), app, args);
        self.begin(id, purpose, program);
    }

    fn program(&self, id: ChannelId, start: Position, app: &'static App, args: String) -> Program {
        let name = self.parties.name_of(id);
        errand::own((id, &name), start, self.shown(id), app, args)
    }

    fn begin(&mut self, id: ChannelId, purpose: Purpose, program: Program) -> Option<ChannelId> {
        let partner = self.interludes().begin(id, purpose, program);
        if partner.is_none() {
            let text = format!("{}: there is no telephone at the other end for that", self.parties.name_of(id));
            self.core.emit(LogLine { level: Level::Notice, text });
        }
        partner
    }

    /// The other side is sent to the extension that parks.
    fn park(&mut self, id: ChannelId) {
        let own = self.parties.channel(id).and_then(Channel::peer).map(|peer| peer.settings.parking_lot.clone());
        let name = self.variable(id, "PARKINGLOT").or(own).unwrap_or_default();
        let lots = self.core.config.parking.clone();
        let to = lots.get(&name).map(|(_, lot)| Position::new(&lot.context, &lot.extension, 1));
        let plan = &self.core.config.dialplan;
        let is_there = |to: &Position| plan.exists(&to.context, &to.exten, None, self.core.now.wall) == Existence::Yes;
        let Some(to) = to.filter(is_there) else {
            let text = format!(
                "{}: the call is not parked: the lot '{}' has no parkext (res_parking.conf)",
                self.parties.name_of(id),
                crate::wording::outside(&name)
            );
            return self.core.emit(LogLine { level: Level::Warning, text });
        };
        let program = self.program(id, to.clone(), &mid_call::SAY_PLACE, String::new());
        if let Some(partner) = self.begin(id, Purpose::SayPlace, program) {
            self.interludes().send(id, partner, to);
        }
    }

    /// Begins a recording of the call, or ends the one that this telephone has begun.
    fn record(&mut self, id: ChannelId, kind: TapKind) {
        let name = self.parties.name_of(id);
        let running = self.parties.channel_mut(id).and_then(|channel| channel.watch.as_mut()?.recording.take());
        if let Some(recording) = running {
            let stopped = recordings::tap(self.parties, id, &TapRequest::Stop(kind, Some(recording.0)), self.core);
            let text = format!("{name}: the recording that its code began ends");
            let line = stopped.map_or_else(|why| format!("{name}: {why}"), |_| text);
            self.play_courtesy_tone(id);
            return self.core.emit(LogLine { level: Level::Verbose(3), text: line });
        }
        let prefix = if kind == TapKind::Mix { "TOUCH_MIXMONITOR" } else { "TOUCH_MONITOR" };
        let format = self.variable(id, &format!("{prefix}_FORMAT")).unwrap_or_else(|| "wav".to_owned());
        let number = |id: Option<ChannelId>| id.map(|id| self.shown(id).number).unwrap_or_default();
        let of =
            self.variable(id, prefix).unwrap_or_else(|| format!("{}-{}", number(Some(id)), number(self.other(id))));
        let file = format!("auto-{}-{}.{format}", self.core.now.wall.0.div_euclid(1000), of.replace('/', "_"));
        let start = TapRequest::Start {
            kind,
            files: vec![(file, TapSides::Both)],
            append: false,
            only_bridged: false,
            gains: [0, 0],
            command: String::new(),
        };
        match recordings::tap(self.parties, id, &start, self.core) {
            Ok(tapped) => {
                let path = tapped.files.first().cloned().unwrap_or_default();
                if let Some(channel) = self.parties.channel_mut(id) {
                    if let Some(watch) = &mut channel.watch {
                        watch.recording = Some(crate::pbx::recording::RecordingId(tapped.id));
                    }
                    let variable = format!("{prefix}_OUTPUT");
                    channel.program.iter_mut().for_each(|program| program.set_variable(&variable, &path));
                }
                let text = format!("{name} has the call recorded in {path}");
                self.core.emit(LogLine { level: Level::Verbose(3), text });
                self.play_courtesy_tone(id);
            }
            Err(why) => {
                self.core.emit(LogLine { level: Level::Warning, text: format!("{name}: {why}") });
                let sound = self.core.config.features.recording_fail_sound.clone();
                call_sound::play(self.parties, id, &sound, self.core);
            }
        }
    }

    /// Both hear that a recording begins or ends.
    fn play_courtesy_tone(&mut self, id: ChannelId) {
        let sound = self.core.config.features.courtesy_tone.clone();
        for one in [Some(id), self.other(id)].into_iter().flatten() {
            call_sound::play(self.parties, one, &sound, self.core);
        }
    }

    /// An application of `[applicationmap]` runs on one of the two, and the other waits.
    fn run(&mut self, id: ChannelId, feature: FeatureApplication) {
        let whom = if feature.on_peer { self.other(id) } else { Some(id) };
        let Some(whom) = whom else { return };
        let (name, shown) = (self.parties.name_of(whom), self.shown(whom));
        let context = self.parties.channel(whom).and_then(Channel::peer).map(|peer| peer.settings.context.clone());
        let start = Position::new(&context.unwrap_or_default(), "s", 1);
        let call = AppCall { name: feature.application, args: feature.arguments };
        let program = errand::application((whom, &name), start, shown, call);
        self.begin(whom, Purpose::Application, program);
    }

    fn interludes(&mut self) -> Interludes<'_> {
        Interludes { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn hangup(&mut self) -> Hangup<'_> {
        Hangup { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
