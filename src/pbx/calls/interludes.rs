//! Interludes at work: one of two that talk leaves the bridge for a while, for something that a program of its own does, and
//! the other one waits. Then they talk again, or the call has changed hands.

use super::bridge::Bridges;
use super::bridging::Bridging;
use super::call_sound;
use super::caller_identity::own_identity;
use super::channel::{Activity, Channel};
use super::hangup::Hangup;
use super::hold_music;
use super::interlude::{Finished, Interlude, Purpose};
use super::interlude_end::take_back;
use super::moving::Moving;
use super::music;
use super::own_record;
use super::parties::Parties;
use crate::dialplan::program::errand;
use crate::dialplan::{ChannelId, Position, Program, mid_call};
use crate::event::{Level, LogLine};
use crate::pbx::cause;
use crate::pbx::core::Core;
use crate::pbx::media::MediaCommand;

/// Begins and ends interludes, with all channels and bridges at hand.
pub(super) struct Interludes<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Interludes<'_> {
    /// A channel leaves its bridge, and this program runs on it; whoever it talked to waits. Gives who that is; none: it
    /// talks to no telephone.
    pub(super) fn begin(&mut self, id: ChannelId, purpose: Purpose, program: Program) -> Option<ChannelId> {
        let bridge = self.bridges.get(self.parties.channel(id)?.bridge?)?;
        let partner = bridge.channel(bridge.role(id)?.other())?;
        for one in [id, partner] {
            let channel = self.parties.channel(one)?;
            if channel.interlude.is_some() || channel.waits_for.is_some() || channel.sip().is_none() {
                return None;
            }
        }
        self.bridging().leave(id);
        for one in [id, partner] {
            if let Some(channel) = self.parties.channel_mut(one) {
                channel.called_by = None;
            }
            self.stand_alone(one);
        }
        self.run(id, partner, purpose, program);
        self.let_wait(partner, id);
        Some(partner)
    }

    /// A program runs on a channel instead of its own.
    fn run(&mut self, id: ChannelId, partner: ChannelId, purpose: Purpose, mut program: Program) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        program.set_answered();
        program.set_language(&channel.peer().map(|peer| peer.settings.language.clone()).unwrap_or_default());
        let connected = match std::mem::replace(&mut channel.activity, Activity::Running) {
            Activity::Bridged(connected) => Some(connected),
            _ => None,
        };
        let (program, watch) = (channel.program.replace(program), channel.watch.take());
        channel.digits.clear();
        let interlude = Interlude { partner, swapped: false, purpose, program, connected, watch };
        channel.interlude = Some(Box::new(interlude));
        self.parties.make_runnable(id);
    }

    /// Its media comes back to the exchange, which sends it nothing.
    fn stand_alone(&mut self, id: ChannelId) {
        self.bridging().answer_offer_alone(id);
        self.bridging().reclaim_media(id);
        if let Some(stream) = self.parties.channel(id).and_then(Channel::stream) {
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
    }

    /// A line waits: with music where it would hear music when the other one held it.
    fn let_wait(&mut self, id: ChannelId, waits_for: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        channel.waits_for = Some(waits_for);
        if let Some(class) = hold_music::class(self.parties, id, waits_for)
            && let Err(why) = music::start(self.parties, id, &class, self.core)
        {
            self.say(Level::Notice, why);
        }
    }

    /// The program of an interlude is over.
    pub(super) fn finished(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        let Some(Finished { partner, purpose, number, .. }) = take_back(channel, cause::NORMAL, self.core) else {
            return;
        };
        if !self.wait_is_over(partner) && purpose != Purpose::SayPlace {
            return self.moving().hang_up(id);
        }
        match purpose {
            Purpose::SayPlace => self.moving().hang_up(id),
            Purpose::BlindTransfer(context) if !number.is_empty() => {
                self.send(id, partner, Position::new(&context, &number, 1));
                self.moving().hang_up(id);
            }
            Purpose::BlindTransfer(_) | Purpose::Consultation(_) | Purpose::Application => self.rejoin(id, partner),
            Purpose::Recall => self.moving().hang_up(id),
        }
    }

    /// Says whether it has waited until now: somebody may have sent it elsewhere meanwhile.
    fn wait_is_over(&mut self, partner: ChannelId) -> bool {
        let waited = self.parties.channel_mut(partner).is_some_and(|channel| channel.waits_for.take().is_some());
        if waited {
            music::end(self.parties, partner, self.core);
        }
        waited
    }

    /// The two talk again.
    fn rejoin(&mut self, id: ChannelId, partner: ChannelId) {
        let is_there = self.parties.channel(partner).is_some_and(|channel| !channel.dead);
        if is_there {
            match self.moving().join(id, partner) {
                Ok(_) => return,
                Err(why) => self.say(Level::Warning, format!("{}: {}", self.parties.name_of(id), why.words())),
            }
        }
        self.moving().hang_up(id);
        if is_there {
            self.moving().hang_up(partner);
        }
    }

    /// The one that waits goes on there.
    pub(super) fn send(&mut self, by: ChannelId, partner: ChannelId, to: Position) {
        let (name, whom) = (self.parties.name_of(by), self.parties.name_of(partner));
        self.say(Level::Verbose(3), format!("{name} transfers {whom} to {to}"));
        self.wait_is_over(partner);
        if let Err(why) = self.moving().go_on(partner, to) {
            return self.say(Level::Warning, format!("{name}: the call is not transferred: {}", why.words()));
        }
        if let Some(channel) = self.parties.channel_mut(partner) {
            channel.watch = None;
            channel.program.iter_mut().for_each(|program| program.set_variable("BLINDTRANSFER", &name));
        }
    }

    /// A channel in an interlude has hung up. `line`: the one that it consulted, which talks to who waited instead.
    pub(super) fn hung_up(&mut self, by: &str, finished: Finished, line: Option<ChannelId>) {
        let Finished { partner, purpose, number, branches } = finished;
        let is_ringing = !branches.is_empty();
        if !self.wait_is_over(partner) {
            return line.into_iter().for_each(|line| self.moving().hang_up(line));
        }
        match (purpose, line) {
            (Purpose::Consultation(_), Some(line)) => match self.moving().join(partner, line) {
                Ok(_) => {
                    let (a, b) = (self.parties.name_of(partner), self.parties.name_of(line));
                    let sound = self.core.config.features.transfer_sound.clone();
                    call_sound::play(self.parties, line, &sound, self.core);
                    return self.say(Level::Verbose(3), format!("{by} connects {a} with {b}"));
                }
                Err(why) => {
                    self.say(Level::Warning, format!("{by}: {}", why.words()));
                    self.moving().hang_up(line);
                }
            },
            (Purpose::Consultation(context), None)
                if is_ringing && !number.is_empty() && !self.core.config.features.drops_call =>
            {
                return self.recall(by, partner, &context, &number);
            }
            (Purpose::SayPlace, _) => return,
            (Purpose::Consultation(_) | Purpose::BlindTransfer(_) | Purpose::Application | Purpose::Recall, _) => {}
        }
        if self.parties.channel(partner).is_some_and(|channel| !channel.dead) {
            self.moving().hang_up(partner);
        }
    }

    /// Who transferred has hung up while the line rings that was to be consulted. That is called for the one who waits;
    /// when it does not answer, who transferred is called back.
    fn recall(&mut self, by: &str, partner: ChannelId, context: &str, number: &str) {
        let Some(channel) = self.parties.channel(partner).filter(|channel| !channel.dead) else { return };
        let (whom, features) = (channel.name.clone(), self.core.config.features.clone());
        let line = by.rsplit_once('-').map_or("", |(line, _)| line);
        let args = format!(
            "{context},{number},{line},{},{},{}",
            features.consult_time.as_secs(),
            features.callback_retries,
            features.callback_delay.as_secs()
        );
        let (own, shown) = (channel.program.as_ref(), own_identity(channel));
        let (inherited, shown) = (own.map(Program::inherited).unwrap_or_default(), own.map_or(shown, Program::caller));
        let start = Position::new(context, "s", 1);
        let mut program = errand::own((partner, &whom), start, shown, &mid_call::RECALL, args);
        inherited.iter().for_each(|(name, value)| program.set_variable(name, value));
        program.set_variable("_BLINDTRANSFER", by);
        self.say(Level::Verbose(3), format!("{by} transfers {whom} to {number}@{context}"));
        self.run(partner, partner, Purpose::Recall, program);
    }

    /// Somebody has answered whom a recall calls: the channel goes on as if both had been connected by whoever transferred.
    pub(super) fn arrived(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        if channel.interlude.as_ref().is_none_or(|interlude| interlude.purpose != Purpose::Recall) {
            return;
        }
        // The codes are those of the Dial that was answered.
        let watch = channel.watch.take();
        self.settle(id);
        if let Some(channel) = self.parties.channel_mut(id) {
            channel.watch = watch;
        }
    }

    /// A channel has its own program again, and goes on talking to whom it talks to.
    fn settle(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id) else { return };
        take_back(channel, cause::NORMAL, self.core);
        let bridge = channel.bridge.and_then(|bridge| self.bridges.get(bridge));
        if let Some(line) = bridge.and_then(|bridge| bridge.channel(bridge.role(id)?.other())) {
            own_record::begin(self.parties, id, line, self.core);
        }
    }

    /// The line that is consulted waits, and the other one is talked to; or back.
    pub(super) fn swap(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel(id) else { return };
        let Some(interlude) = channel.interlude.as_deref().filter(|interlude| interlude.consults()) else { return };
        let (partner, bridge) = (interlude.partner, channel.bridge.and_then(|bridge| self.bridges.get(bridge)));
        let Some(line) = bridge.and_then(|bridge| bridge.channel(bridge.role(id)?.other())) else { return };
        let waits = self.parties.channel(partner).is_some_and(|channel| channel.waits_for == Some(id));
        if !waits || self.parties.channel(line).is_none_or(|channel| channel.sip().is_none()) {
            let text = format!("{}: there is nobody to change to", self.parties.name_of(id));
            return self.say(Level::Notice, text);
        }
        self.bridging().leave(id);
        if let Some(channel) = self.parties.channel_mut(line) {
            channel.called_by = None;
        }
        self.stand_alone(line);
        self.wait_is_over(partner);
        if let Err(why) = self.moving().join(id, partner) {
            let text = format!("{}: {}", self.parties.name_of(id), why.words());
            self.say(Level::Warning, text);
            return [partner, line, id].into_iter().for_each(|id| self.moving().hang_up(id));
        }
        self.let_wait(line, id);
        if let Some(interlude) = self.parties.channel_mut(id).and_then(|channel| channel.interlude.as_mut()) {
            (interlude.partner, interlude.swapped) = (line, !interlude.swapped);
        }
    }

    /// Who consults a line leaves it: it hangs up, and the other one is talked to.
    pub(super) fn abort(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel(id) else { return };
        let Some(interlude) = channel.interlude.as_deref().filter(|interlude| interlude.consults()) else { return };
        let bridge = channel.bridge.and_then(|bridge| self.bridges.get(bridge));
        let other = bridge.and_then(|bridge| bridge.channel(bridge.role(id)?.other()));
        let line = if interlude.swapped { Some(interlude.partner) } else { other };
        if let Some(line) = line {
            Hangup { parties: self.parties, bridges: self.bridges, core: self.core }.by_console(line);
        }
    }

    /// Who waits has hung up. A line that is consulted is talked to on; any other interlude is over.
    pub(super) fn forsaken(&mut self, id: ChannelId) {
        let Some(channel) = self.parties.channel_mut(id).filter(|channel| channel.interlude.is_some()) else { return };
        if channel.interlude.as_deref().is_some_and(|interlude| interlude.swapped) {
            return self.settle(id);
        }
        if !channel.interlude.as_deref().is_some_and(Interlude::consults) {
            self.moving().hang_up(id);
        }
    }

    fn say(&mut self, level: Level, text: String) {
        self.core.emit(LogLine { level, text });
    }

    fn bridging(&mut self) -> Bridging<'_> {
        Bridging { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn moving(&mut self) -> Moving<'_> {
        Moving { parties: self.parties, bridges: self.bridges, core: self.core }
    }
}
