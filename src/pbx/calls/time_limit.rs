//! `TIMEOUT(absolute)`: a call that may last only so long.

use super::bridge::Bridges;
use super::channel::Channel;
use super::environment::{ChannelEnv, Shared};
use super::hangup::Hangup;
use super::parties::Parties;
use crate::dialplan::{ChannelId, Program};
use crate::event::{Level, LogLine};
use crate::pbx::core::{CallTimer, Core, Directory, Timer};

/// Ends calls that may last only so long, with all channels and bridges at hand.
pub(super) struct TimeLimit<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl TimeLimit<'_> {
    /// Sets a channel's timer as its program says now.
    pub(super) fn keep(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        // What a code has run meanwhile has no limit of its own.
        let own = channel.interlude.as_deref().map_or(channel.program.as_ref(), |interlude| interlude.program.as_ref());
        let wanted = own.and_then(Program::deadline);
        if channel.time_limit.map(|(deadline, _)| deadline) == wanted {
            return;
        }
        if let Some((_, timer)) = channel.time_limit.take() {
            self.core.timers.cancel(timer);
        }
        channel.time_limit = wanted.map(|deadline| {
            let timer = Timer::Call(CallTimer::TimeLimit(id));
            (deadline, self.core.timers.set(deadline, timer))
        });
    }

    /// A channel's time is over: its program goes on at `T`, or the call ends.
    pub(super) fn over(&mut self, id: ChannelId, shared: &Shared, directory: &dyn Directory) {
        let Some(channel) = self.parties.channel_mut(id).filter(|channel| !channel.dead) else { return };
        channel.time_limit = None;
        let Some(mut program) = own_program(channel).take() else { return };
        let env = ChannelEnv { parties: self.parties, core: self.core, shared, directory, id, random: 0 };
        let to = program.time_over(&env);
        if let Some(channel) = self.parties.channel_mut(id) {
            *own_program(channel) = Some(program);
        }
        let what = match &to {
            Some(to) => format!("it goes on at {to}"),
            None => "there is neither 'T' nor 'e' in its context, and it ends".to_owned(),
        };
        let name = self.parties.name_of(id);
        let text = format!("{name} has lasted as long as TIMEOUT(absolute) allows: {what}");
        self.core.emit(LogLine { level: Level::Verbose(3), text });
        let mut hangup = Hangup { parties: self.parties, bridges: self.bridges, core: self.core };
        match to {
            Some(to) => hangup.redirect(id, to),
            None => hangup.by_time_limit(id),
        }
    }
}

/// A channel's own program, also while another runs on it.
fn own_program(channel: &mut Channel) -> &mut Option<Program> {
    match &mut channel.interlude {
        Some(interlude) => &mut interlude.program,
        None => &mut channel.program,
    }
}
