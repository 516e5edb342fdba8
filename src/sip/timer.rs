//! Timers ordered by deadline, each with a key that names its owner.

use crate::clock::Time;
use std::collections::BTreeMap;

/// Names a timer that was set, so that it can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    at: Time,
    number: u64,
}

/// Timers by deadline. It never reads a clock: its owner passes the time of the event.
#[derive(Debug, Clone)]
pub struct Timers<K> {
    due: BTreeMap<TimerId, K>,
    set: u64,
}

impl<K> Timers<K> {
    /// No timer.
    pub fn new() -> Timers<K> {
        Timers { due: BTreeMap::new(), set: 0 }
    }

    /// Sets a timer. A deadline in the past is due at the next `pop`.
    pub fn set(&mut self, at: Time, key: K) -> TimerId {
        let id = TimerId { at, number: self.set };
        self.set = self.set.wrapping_add(1);
        self.due.insert(id, key);
        id
    }

    /// Forgets a timer; nothing happens when it has gone off or was cancelled before.
    pub fn cancel(&mut self, id: TimerId) {
        self.due.remove(&id);
    }

    /// A timer that was set goes off for another owner, at the same time.
    pub fn rename(&mut self, id: TimerId, key: K) {
        if let Some(owner) = self.due.get_mut(&id) {
            *owner = key;
        }
    }

    /// The next timer that is due by `now`, in order of the deadlines, then of their setting.
    pub fn pop(&mut self, now: Time) -> Option<K> {
        let first = self.due.first_entry()?;
        if first.key().at <= now { Some(first.remove()) } else { None }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Time> {
        self.due.first_key_value().map(|(id, _)| id.at)
    }

    /// How many timers run.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

impl<K> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    #[test]
    fn due_ones_come_by_time_and_then_as_they_were_set() {
        let mut timers = Timers::new();
        for (ms, key) in [(20, "c"), (10, "a"), (20, "d"), (10, "b"), (30, "late")] {
            timers.set(at(ms), key);
        }
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop(at(9)), None);
        let due: Vec<&str> = std::iter::from_fn(|| timers.pop(at(29))).collect();
        assert_eq!(due, ["a", "b", "c", "d"]);
        assert_eq!((timers.len(), timers.next()), (1, Some(at(30))));
    }

    #[test]
    fn a_cancelled_timer_never_goes_off_and_cancelling_twice_is_harmless() {
        let mut timers = Timers::new();
        let first = timers.set(at(10), 1);
        timers.set(at(10), 2);
        timers.cancel(first);
        timers.cancel(first);
        assert_eq!(timers.pop(at(10)), Some(2));
        assert_eq!(timers.pop(at(10)), None);
        assert!(timers.is_empty());
    }
}
