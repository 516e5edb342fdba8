//! The media thread goes before others: real-time priority and memory that stays, where the system allows it, and never so
//! that a machine with one processor has none left for anything else.

use crate::clock::Time;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thread_priority::{
    Error, NormalThreadSchedulePolicy, RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// The real-time priority that is asked for, of 1 to 99: before every ordinary thread, behind those of the kernel.
pub const LEVEL: u8 = 5;

/// How often the share of the processor is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A thread that takes more than this share of the only processor leaves too little for SIP.
const TOO_MUCH: f64 = 0.8;

/// So many looks in a row below half of that, and it may go before others again.
const CALM: u8 = 10;

/// What the media thread had of the system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Priority {
    /// Not asked yet: the thread has not started.
    #[default]
    Unknown,
    /// Real-time.
    RealTime {
        /// What it touches stays in memory.
        memory_locked: bool,
    },
    /// Ordinary, since the system refused more: the reason.
    Ordinary(String),
    /// Ordinary for now: it had real-time, and took too much of the only processor.
    GivenBack,
}

/// The same, as every thread sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(Arc<Mutex<Priority>>);

impl Shown {
    pub(super) fn get(&self) -> Priority {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, priority: Priority) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = priority;
    }
}

/// Keeps the priority of the thread it lives on.
pub(super) struct Keeper {
    shown: Shown,
    guard: Guard,
    looked: Time,
    used: Duration,
    memory_locked: bool,
}

impl Keeper {
    pub(super) fn new(shown: Shown) -> Keeper {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let guard = Guard { is_alone: processors == 1, is_real_time: false, calm: 0 };
        Keeper { shown, guard, looked: Time::ZERO, used: Duration::ZERO, memory_locked: false }
    }

    /// The thread begins: asks for all there is.
    pub(super) fn begin(&mut self, now: Time) {
        (self.looked, self.used) = (now, thread_time());
        match be_real_time() {
            Ok(()) => {
                self.memory_locked = lock_memory();
                self.guard.is_real_time = true;
                self.shown.set(Priority::RealTime { memory_locked: self.memory_locked });
            }
            Err(why) => self.shown.set(Priority::Ordinary(why)),
        }
    }

    /// Once a second, looks at what the thread takes of the processor.
    pub(super) fn look(&mut self, now: Time) {
        let passed = now.since(self.looked);
        if passed < LOOK || !self.guard.is_alone {
            return;
        }
        let used = thread_time();
        let share = used.saturating_sub(self.used).as_secs_f64() / passed.as_secs_f64();
        (self.looked, self.used) = (now, used);
        match self.guard.judge(share) {
            Some(Change::GiveBack) => {
                be_ordinary();
                self.shown.set(Priority::GivenBack);
            }
            Some(Change::TakeAgain) if be_real_time().is_ok() => {
                self.shown.set(Priority::RealTime { memory_locked: self.memory_locked });
            }
            Some(Change::TakeAgain) | None => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Change {
    GiveBack,
    TakeAgain,
}

/// Whether the thread may go before others.
#[derive(Debug)]
struct Guard {
    /// There is no other processor.
    is_alone: bool,
    is_real_time: bool,
    calm: u8,
}

impl Guard {
    /// It took this share of the processor since the look before.
    fn judge(&mut self, share: f64) -> Option<Change> {
        if self.is_real_time && share > TOO_MUCH {
            (self.is_real_time, self.calm) = (false, 1);
            return Some(Change::GiveBack);
        }
        // One that never had it has no calm to count.
        if self.is_real_time || self.calm == 0 {
            return None;
        }
        self.calm = if share < TOO_MUCH / 2.0 { self.calm.saturating_add(1) } else { 1 };
        if self.calm <= CALM {
            return None;
        }
        (self.is_real_time, self.calm) = (true, 0);
        Some(Change::TakeAgain)
    }
}

/// Gives the calling thread the priority that others have: threads that the media thread starts have its own at first.
pub(super) fn be_ordinary() {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);
    // What may fail is its niceness, which nobody changed.
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(middle()), policy);
}

fn be_real_time() -> Result<(), String> {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let level = LEVEL.try_into()?;
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(level), policy).map_err(|error| {
        match error {
            Error::OS(number) => std::io::Error::from_raw_os_error(number).to_string(),
            other => format!("{other:?}"),
        }
    })
}

/// Niceness 0, as the library counts.
fn middle() -> thread_priority::ThreadPriorityValue {
    49.try_into().unwrap_or_default()
}

/// Keeps in memory what is touched from now on, and what was. Only without a limit: with one, memory asked for beyond it would
/// be refused.
fn lock_memory() -> bool {
    let limit = getrlimit(Resource::Memlock).current;
    let touched = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    limit.is_none() && mlockall(touched).is_ok()
}

/// The processor time of the calling thread.
fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_takes_the_only_processor_gives_its_priority_back_until_it_is_calm() {
        let mut guard = Guard { is_alone: true, is_real_time: true, calm: 0 };
        assert_eq!(guard.judge(0.7), None);
        assert_eq!(guard.judge(0.95), Some(Change::GiveBack));
        let calm = [0.95, 0.1, 0.1, 0.6].into_iter().chain([0.1; 9]);
        assert!(calm.into_iter().all(|share| guard.judge(share).is_none()));
        assert_eq!(guard.judge(0.1), Some(Change::TakeAgain));
        assert_eq!((guard.is_real_time, guard.judge(0.1)), (true, None));
        assert_eq!(guard.judge(0.81), Some(Change::GiveBack));
    }

    #[test]
    fn what_was_refused_is_not_asked_for_again() {
        let mut guard = Guard { is_alone: true, is_real_time: false, calm: 0 };
        assert!([0.0; 100].into_iter().all(|share| guard.judge(share).is_none()));
    }

    /// As the system has it, on a thread of its own: with the right to it real-time, without the reason; ordinary afterwards.
    #[test]
    fn a_thread_has_what_the_system_allows() {
        let policy = || std::fs::read_to_string("/proc/thread-self/stat").map(|stat| field(&stat, 41));
        let worker = std::thread::spawn(move || {
            let shown = Shown::default();
            assert_eq!(shown.get(), Priority::Unknown);
            Keeper::new(shown.clone()).begin(Time::ZERO);
            let (priority, policy_then) = (shown.get(), policy().unwrap());
            be_ordinary();
            (priority, policy_then, policy().unwrap())
        });
        let (priority, then, after) = worker.join().unwrap();
        match priority {
            Priority::RealTime { .. } => assert_eq!(then, "1"),
            Priority::Ordinary(why) => assert!(!why.is_empty() && then == "0", "{why}, {then}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(after, "0");
    }

    /// A field of /proc/.../stat, counted from 1; the second, a name in brackets, may have blanks.
    fn field(stat: &str, number: usize) -> String {
        let after_name = stat.rsplit_once(')').unwrap().1;
        after_name.split_whitespace().nth(number - 3).unwrap().to_owned()
    }
}
