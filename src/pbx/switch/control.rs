//! What the console may order.

use super::Switch;
use crate::clock::Now;
use crate::dialplan::ChannelId;
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::channel::Channel;
use crate::pbx::effect::Effects;
use crate::pbx::failure::FailureReason;

/// How the exchange was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// Every call is ended.
    Now,
    /// No new call is taken; it stops when the last one ends.
    Gracefully,
}

/// What became of an order to hang up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HangUp {
    /// These channels were told to.
    Requested(Vec<String>),
    /// No channel has that name.
    Unknown,
}

impl Switch {
    /// Hangs up a channel by its name, or all of them; what follows (BYE to both, `h`) is as if its phone had.
    pub fn hang_up(&mut self, now: Now, name: &str) -> (HangUp, Effects) {
        self.core.now = now;
        let all = name.eq_ignore_ascii_case("all");
        let chosen: Vec<(ChannelId, String)> = self
            .channels
            .values()
            .filter(|channel| all || channel.name.eq_ignore_ascii_case(name))
            .map(|channel| (channel.id, channel.name.clone()))
            .collect();
        if chosen.is_empty() && !all {
            return (HangUp::Unknown, Effects::default());
        }
        for (id, _) in &chosen {
            self.end_channel(*id);
        }
        self.settle();
        self.tick();
        let names = chosen.into_iter().map(|(_, name)| name).collect();
        (HangUp::Requested(names), self.take_effects())
    }

    fn end_channel(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(caller) = channel.called_by() else {
            if let Some(channel) = self.channels.get_mut(&id).filter(|channel| channel.answered.is_none()) {
                channel.cdr.note([FailureReason::ByConsole.with(&[])]);
            }
            self.hang_up_leg(id, cause::NORMAL);
            return self.caller_is_gone(id, cause::NORMAL);
        };
        let joined = self.channels.get(&caller).and_then(Channel::dial).is_some_and(|dial| dial.bridge.is_some());
        self.hang_up_leg(id, cause::NORMAL);
        if joined {
            self.callee_is_gone(caller, id, HangupBy::Exchange);
        } else {
            self.branch_failed(caller, id, FailureReason::ByConsole.with(&[]));
        }
    }

    /// Stops taking calls; `Now` also ends those in progress.
    pub fn stop(&mut self, now: Now, how: Stopping) -> Effects {
        self.stopping = Some(how);
        match how {
            Stopping::Now => self.hang_up(now, "all").1,
            Stopping::Gracefully => Effects::default(),
        }
    }

    /// How it was told to stop, if it was.
    pub fn stopping(&self) -> Option<Stopping> {
        self.stopping
    }

    /// Told to stop, and nothing is left to wait for: no channel, no leg, no BYE, CANCEL or refusal that may have been lost.
    pub fn is_stopped(&self) -> bool {
        self.stopping.is_some()
            && self.channels.is_empty()
            && self.legs.is_empty()
            && !self.core.tx.is_ending_something()
    }
}
