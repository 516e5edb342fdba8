//! What the threads that receive expect to hear: answers to our requests, requests within our calls, and the CANCEL or
//! ACK of an INVITE. Whoever names one of these is heard whatever its source, since nobody can guess them; everything
//! else that claims to belong to something is answered or dropped without reaching the switch.
//!
//! A hash under a key in the tag itself would do without this table, but would never end: somebody who once had a call
//! could name it for ever, and fill the queue of the switch by it. So it is a table of what is open, and each entry has
//! a bound of its own for how much is heard about it.

use super::rate_limit::{Debt, Rate};
use crate::sip::transaction::{Reference, ReferenceChange};
use dashmap::DashMap;
use std::hash::RandomState;
use std::time::{Duration, Instant};

/// How long a thing is still heard of after it is over: 64 × T1, in which its last messages may be sent again, and some.
const LINGER: Duration = Duration::from_secs(40);
/// Messages about one thing: far more than any call has, far fewer than fill the queue.
const OF_ONE: Rate = Rate { burst: 100.0, refill: 40.0 };

/// What is open. The switch opens and closes; it bounds how much there is (its calls and transactions are bounded).
#[derive(Default)]
pub struct Expected {
    open: DashMap<u128, Entry>,
    hashers: (RandomState, RandomState),
}

struct Entry {
    /// How often it was opened more than closed.
    uses: u32,
    closed: Option<Instant>,
    heard: Debt,
}

/// Whether a message belongs to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// It does.
    Expected,
    /// It does, and there is too much of it.
    TooMuch,
    /// It does not.
    Unknown,
}

impl Expected {
    /// Opens and closes.
    pub fn apply(&self, changes: Vec<ReferenceChange>, now: Instant) {
        for change in changes {
            match change {
                ReferenceChange::Opened(reference) => {
                    let fresh = || Entry { uses: 0, closed: None, heard: Debt::none(now) };
                    let mut entry = self.open.entry(self.key(&reference)).or_insert_with(fresh);
                    entry.uses = entry.uses.saturating_add(1);
                    entry.closed = None;
                }
                ReferenceChange::Closed(reference) => {
                    if let Some(mut entry) = self.open.get_mut(&self.key(&reference)) {
                        entry.uses = entry.uses.saturating_sub(1);
                        entry.closed = (entry.uses == 0).then_some(now);
                    }
                }
            }
        }
    }

    /// A message names this.
    pub fn hears(&self, reference: &Reference, now: Instant) -> Hearing {
        let Some(mut entry) = self.open.get_mut(&self.key(reference)) else { return Hearing::Unknown };
        if entry.closed.is_some_and(|closed| now.saturating_duration_since(closed) >= LINGER) {
            return Hearing::Unknown;
        }
        if entry.heard.take(OF_ONE, now) { Hearing::Expected } else { Hearing::TooMuch }
    }

    /// Forgets what is long over.
    pub fn tidy(&self, now: Instant) {
        self.open.retain(|_, entry| entry.closed.is_none_or(|closed| now.saturating_duration_since(closed) < LINGER));
    }

    /// 128 bits under keys of this start: a long Call-ID takes no more room than a short one, and none can be made to
    /// look like another.
    fn key(&self, reference: &Reference) -> u128 {
        use std::hash::BuildHasher as _;
        let (one, other) = &self.hashers;
        (u128::from(one.hash_one(reference)) << 64) | u128::from(other.hash_one(reference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_heard_and_some_time_after_and_nothing_else() {
        let (expected, start) = (Expected::default(), Instant::now());
        let (call, other) = (Reference::tag("A1b2"), Reference::tag("ffff"));
        assert_eq!(expected.hears(&call, start), Hearing::Unknown);
        // A forked call: two dialogs of one tag, of which one ends.
        let (open, close) = (ReferenceChange::Opened(call.clone()), ReferenceChange::Closed(call.clone()));
        expected.apply(vec![open.clone(), open, close.clone()], start);
        assert_eq!(expected.hears(&Reference::tag("a1B2"), start + Duration::from_secs(9_999)), Hearing::Expected);
        assert_eq!(expected.hears(&other, start), Hearing::Unknown);
        assert_eq!(expected.hears(&Reference::Branch("a1b2".into()), start), Hearing::Unknown, "of another kind");
        expected.apply(vec![close], start);
        assert_eq!(expected.hears(&call, start + Duration::from_secs(39)), Hearing::Expected);
        assert_eq!(expected.hears(&call, start + LINGER), Hearing::Unknown);
        expected.tidy(start + LINGER);
        assert!(expected.open.is_empty());
    }

    #[test]
    fn about_one_thing_no_more_is_heard_than_the_switch_can_bear() {
        let (expected, now) = (Expected::default(), Instant::now());
        let call = Reference::tag("a");
        expected.apply(vec![ReferenceChange::Opened(call.clone())], now);
        let heard = (0..20_000).filter(|_| expected.hears(&call, now) == Hearing::Expected).count();
        assert_eq!((heard, expected.hears(&call, now)), (100, Hearing::TooMuch));
        assert_eq!(expected.hears(&call, now + Duration::from_secs(1)), Hearing::Expected);
    }
}
