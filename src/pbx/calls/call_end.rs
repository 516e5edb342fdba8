//! How a connected call is to end, as the option letters of its `Dial` have it: after so long, by codes, and what runs
//! then.

use super::callee_work::AtEnd;
use super::code_watch::Action;
use super::interlude::Interlude;
use super::limit_warning;
use super::parties::Parties;
use crate::clock::Wall;
use crate::config::features_conf::Code;
use crate::dialplan::program::errand;
use crate::dialplan::tree::Dialplan;
use crate::dialplan::{ChannelId, DialOptions, Position, Program};
use crate::event::{Level, LogLine};
use crate::pbx::core::{CallTimer, Core, Timer};
use std::time::Duration;

/// Plans the ends of calls, with all channels at hand.
pub(super) struct CallEnd<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) core: &'a mut Core,
}

impl CallEnd<'_> {
    /// Options L, S: the call of a line that was connected ends in so long.
    pub(super) fn limit(&mut self, callee: ChannelId, limit: Option<Duration>) {
        let Some(limit) = limit else { return };
        let timer = self.core.set_timer(limit, Timer::Call(CallTimer::Limit(callee)));
        let before = self.parties.channel_mut(callee).and_then(|channel| channel.callee.limit.replace(timer));
        if let Some(before) = before {
            self.core.timers.cancel(before);
        }
    }

    /// Options e, F, h, H, L, S: what is to happen when a line that is connected now is not any more.
    pub(super) fn plan(&mut self, caller: ChannelId, callee: ChannelId) {
        let Some(channel) = self.parties.channel(caller) else { return };
        let (Some(dial), Some(program)) = (channel.dial(), &channel.program) else { return };
        let (options, here) = (dial.options.clone(), program.position());
        let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
        let limit = options.limit();
        let at_end = self.at_end(&options, &here, (plan, wall));
        if let Some(channel) = self.parties.channel_mut(callee) {
            // What the Dials on the way wanted comes first.
            channel.callee.at_end.extend(at_end);
        }
        self.limit(callee, limit);
        limit_warning::plan(self.parties, [caller, callee], (caller, &options), self.core);
        self.by_key(&options, caller, callee);
    }

    /// Options e, F of a Dial in a dialplan that was called as `Local/`: what the line does that took its place.
    pub(super) fn plan_beyond(&mut self, running: ChannelId, callee: ChannelId, options: &DialOptions) {
        let program = self.parties.channel(running).and_then(|channel| channel.program.as_ref());
        let Some(here) = program.map(Program::position) else { return };
        let at_end = self.at_end(options, &here, (&self.core.config.dialplan, self.core.now.wall));
        if let Some(channel) = self.parties.channel_mut(callee) {
            channel.callee.at_end.extend(at_end);
        }
    }

    fn at_end(&self, options: &DialOptions, here: &Position, (plan, wall): (&Dialplan, Wall)) -> Vec<AtEnd> {
        let mut at_end = Vec::new();
        if options.has('F') {
            let next = Position { priority: here.priority.saturating_add(1), ..here.clone() };
            let place = options.place('F').map(|place| errand::position(plan, &place, here, wall));
            at_end.extend(place.unwrap_or(Some(next)).map(AtEnd::Continue));
        }
        if options.has('e') {
            at_end.push(AtEnd::Hangup(here.context.clone()));
        }
        at_end
    }

    /// Options h, k, t, w, x, their capitals, and `DYNAMIC_FEATURES`: the codes that the caller, and the line that it is
    /// connected with, may press. The telephones are the two that will talk.
    pub(super) fn by_key(&mut self, options: &DialOptions, caller: ChannelId, callee: ChannelId) {
        let features = self.core.config.features.clone();
        if self.parties.channel(caller).is_some_and(|it| it.interlude.as_deref().is_some_and(Interlude::consults)) {
            let actions = Code::CONSULTING.into_iter().zip([Action::Abort, Action::Complete, Action::Swap]);
            self.watch(caller, actions.map(|(code, action)| (features.code(code).to_owned(), action)));
        }
        let program = self.parties.channel(caller).and_then(|channel| channel.program.as_ref());
        let dynamic = program.and_then(|program| program.variable("DYNAMIC_FEATURES")).unwrap_or_default();
        for (id, is_caller) in [(caller, true), (callee, false)] {
            let mut asked: Vec<(String, String, Action)> = Vec::new();
            for (letter, code, action) in LETTERS {
                let letter = if is_caller { letter.to_ascii_uppercase() } else { *letter };
                if options.has(letter) {
                    asked.push((format!("Dial option {letter}"), features.code(*code).to_owned(), action.clone()));
                }
            }
            let names =
                dynamic.split('#').filter_map(|name| features.applications.get(&name.trim().to_ascii_lowercase()));
            let may = names.filter(|feature| if is_caller { feature.by_caller } else { feature.by_callee });
            asked.extend(may.map(|feature| {
                let action = Action::Application(Box::new(feature.clone()));
                ("DYNAMIC_FEATURES".to_owned(), feature.digits.clone(), action)
            }));
            self.grant(id, [caller, callee], asked);
        }
    }

    /// A telephone may press these, unless a modem takes part: who asks, the code, and what it does.
    fn grant(&mut self, id: ChannelId, both: [ChannelId; 2], asked: Vec<(String, String, Action)>) {
        let Some((first, ..)) = asked.first() else { return };
        let mut both = both.into_iter().filter_map(|id| self.parties.channel(id));
        let modem = both.find(|channel| channel.has_modem()).map(|channel| channel.line().to_owned());
        if let Some(modem) = modem {
            let text = format!(
                "{}: '{modem}' is line=modem: nothing listens to its call, not for {first} either",
                self.parties.name_of(id)
            );
            return self.core.emit(LogLine { level: Level::Warning, text });
        }
        for (who, code, action) in &asked {
            // Blind transfer has a code in any case, so that a missing one for the other is no surprise.
            if code.is_empty() && *action != Action::AttendedTransfer {
                let text = format!("{who}: features.conf has no code for it ([featuremap]): nothing can be pressed");
                self.core.emit(LogLine { level: Level::Notice, text });
            }
        }
        self.watch(id, asked.into_iter().map(|(_, code, action)| (code, action)));
    }

    fn watch(&mut self, id: ChannelId, codes: impl IntoIterator<Item = (String, Action)>) {
        if let Some(channel) = self.parties.channel_mut(id) {
            let mut watch = channel.watch.take().unwrap_or_default();
            watch.add(codes);
            channel.watch = Some(watch).filter(|watch| !watch.is_empty());
        }
    }
}

/// What each letter lets a called line press; its capital, the caller.
const LETTERS: &[(char, Code, Action)] = &[
    ('h', Code::Disconnect, Action::Disconnect),
    ('t', Code::BlindTransfer, Action::BlindTransfer),
    ('t', Code::AttendedTransfer, Action::AttendedTransfer),
    ('k', Code::Park, Action::Park),
    ('w', Code::Monitor, Action::Monitor),
    ('x', Code::MixMonitor, Action::MixMonitor),
];
