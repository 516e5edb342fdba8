//! The running timers of a transaction: two or three at a time, so a list is the smallest map.

use super::Timer;
use crate::sip::timer::TimerId;
use smallvec::SmallVec;

/// The running timers of one transaction, by name.
#[derive(Default)]
pub(super) struct Running(SmallVec<[(Timer, TimerId); 2]>);

impl Running {
    /// Records that a timer runs; returns the one of the same name that it replaces.
    pub fn insert(&mut self, timer: Timer, id: TimerId) -> Option<TimerId> {
        let old = self.remove(timer);
        self.0.push((timer, id));
        old
    }

    /// Records that a timer no longer runs.
    pub fn remove(&mut self, timer: Timer) -> Option<TimerId> {
        let at = self.0.iter().position(|(running, _)| *running == timer)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Whether the timer runs.
    pub fn contains(&self, timer: Timer) -> bool {
        self.0.iter().any(|(running, _)| *running == timer)
    }

    /// Calls `rename` for each that runs: they are those of another transaction now.
    pub fn each(&self, mut rename: impl FnMut(Timer, TimerId)) {
        self.0.iter().for_each(|(timer, id)| rename(*timer, *id));
    }

    /// All that are running.
    pub fn into_ids(self) -> impl Iterator<Item = TimerId> {
        self.0.into_iter().map(|(_, id)| id)
    }
}
