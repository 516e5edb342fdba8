//! The few timers a transaction has running: two or three at a time, so a list is the smallest map.

use super::Timer;
use crate::sip::timer::TimerId;
use smallvec::SmallVec;

/// See the module.
#[derive(Default)]
pub(super) struct Running(SmallVec<[(Timer, TimerId); 2]>);

impl Running {
    /// Notes that a timer runs; returns the one of that name it takes the place of.
    pub fn insert(&mut self, timer: Timer, id: TimerId) -> Option<TimerId> {
        let old = self.remove(timer);
        self.0.push((timer, id));
        old
    }

    /// Notes that a timer does not run any more.
    pub fn remove(&mut self, timer: Timer) -> Option<TimerId> {
        let at = self.0.iter().position(|(running, _)| *running == timer)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Does it run?
    pub fn contains(&self, timer: Timer) -> bool {
        self.0.iter().any(|(running, _)| *running == timer)
    }

    /// All that run.
    pub fn into_ids(self) -> impl Iterator<Item = TimerId> {
        self.0.into_iter().map(|(_, id)| id)
    }
}
