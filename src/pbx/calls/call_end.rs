//! How a connected call is to end, as the option letters of its `Dial` have it: after so long, by a key, and what runs
//! then.

use super::callee_work::AtEnd;
use super::parties::Parties;
use crate::dialplan::program::errand;
use crate::dialplan::{ChannelId, DialOptions, Position};
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
        let mut at_end = Vec::new();
        if options.has('F') {
            let next = Position { priority: here.priority.saturating_add(1), ..here.clone() };
            let place = options.place('F').map(|place| errand::position(plan, &place, &here, wall));
            at_end.extend(place.unwrap_or(Some(next)).map(AtEnd::Continue));
        }
        if options.has('e') {
            at_end.push(AtEnd::Hangup(here.context));
        }
        if let Some(channel) = self.parties.channel_mut(callee) {
            channel.callee.at_end = at_end;
        }
        self.limit(callee, limit);
        self.by_key(&options, caller, callee);
    }

    /// Options H, h: whether the caller, and the line that it is connected with, may hang up by `*`. The telephones are
    /// the two that will talk.
    pub(super) fn by_key(&mut self, options: &DialOptions, caller: ChannelId, callee: ChannelId) {
        let asked: Vec<(char, ChannelId)> =
            [('H', caller), ('h', callee)].into_iter().filter(|(letter, _)| options.has(*letter)).collect();
        if asked.is_empty() {
            return;
        }
        let mut both = [caller, callee].into_iter().filter_map(|id| self.parties.channel(id));
        let modem = both.find(|channel| channel.has_modem()).map(|channel| channel.line().to_owned());
        for (letter, id) in asked {
            match &modem {
                Some(modem) => {
                    let text = format!(
                        "{}: '{modem}' is line=modem: nothing listens to its call, not for Dial option {letter} either",
                        self.parties.name_of(id)
                    );
                    self.core.emit(LogLine { level: Level::Warning, text });
                }
                None => self.parties.channel_mut(id).into_iter().for_each(|channel| channel.hangs_up_by_key = true),
            }
        }
    }
}
