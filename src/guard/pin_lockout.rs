//! Who typed too many wrong PINs: a caller, or all the callers of a line together, must wait before the next is looked at,
//! each time longer.
//!
//! A caller is its line and the number it shows. Somebody who calls through a trunk can show any number, so the callers of
//! a line are counted together, too.

use crate::clock::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many wrong PINs of a caller lock it out.
pub const CALLER_WRONG: u32 = 3;
/// So many wrong PINs of all callers of a line lock them out.
pub const LINE_WRONG: u32 = 12;
/// How long the first time; each further time is twice as long as the one before.
pub const FIRST: Duration = Duration::from_secs(30);
/// The longest time.
pub const LONGEST: Duration = Duration::from_secs(3_600);
/// Without a wrong PIN for so long all is forgotten.
pub const FORGOTTEN: Duration = Duration::from_secs(24 * 3_600);
/// Maximum number of callers that are remembered; beyond, the one whose latest wrong PIN is the oldest is forgotten.
pub const MAX_CALLERS: usize = 1_000;
/// The same for lines.
pub const MAX_LINES: usize = 1_000;

/// Who types a PIN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PinCaller {
    /// The line; empty for a guest.
    pub line: String,
    /// The number it shows.
    pub number: String,
}

/// Of whom a lock-out is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A caller.
    Caller(PinCaller),
    /// All callers of a line.
    Line(String),
}

/// A lock-out as it is kept over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Wrong PINs since then.
    pub wrong: u32,
    /// How often it was locked out.
    pub locked: u32,
    /// For how long it still is.
    pub left: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// Wrong PINs since it was locked out last.
    wrong: u32,
    /// How often it was locked out.
    locked: u32,
    until: Time,
    latest: Time,
}

/// Who typed too many wrong PINs.
#[derive(Debug, Default)]
pub struct PinLockout {
    callers: BTreeMap<PinCaller, Record>,
    lines: BTreeMap<String, Record>,
    loaded: bool,
}

impl PinLockout {
    /// For how long nothing that this caller types is looked at; `None`: it is.
    pub fn locked(&self, who: &PinCaller, now: Time) -> Option<Duration> {
        let records = [self.callers.get(who), self.lines.get(&who.line)];
        let longest = records.into_iter().flatten().map(|record| record.until.since(now)).max();
        longest.filter(|left| !left.is_zero())
    }

    /// It typed a wrong one; gives how long it must wait now, when it must.
    pub fn wrong(&mut self, who: &PinCaller, now: Time) -> Option<Duration> {
        let caller = count(&mut self.callers, who.clone(), MAX_CALLERS, CALLER_WRONG, now);
        let line = count(&mut self.lines, who.line.clone(), MAX_LINES, LINE_WRONG, now);
        caller.max(line)
    }

    /// It typed the right one: what it typed before is forgotten, and of what was wrong on its line half: others may be
    /// guessing there, but the slips of a busy line must not add up for ever.
    pub fn right(&mut self, who: &PinCaller) {
        self.callers.remove(who);
        if let Some(line) = self.lines.get_mut(&who.line) {
            line.wrong /= 2;
            line.locked = line.locked.saturating_sub(1);
        }
    }

    /// What is to be kept of somebody who was locked out; none: nothing.
    pub fn kept(&self, who: &Who, now: Time) -> Option<Kept> {
        let record = match who {
            Who::Caller(caller) => self.callers.get(caller),
            Who::Line(line) => self.lines.get(line),
        };
        let Record { wrong, locked, until, .. } = *record.filter(|record| record.locked > 0)?;
        Some(Kept { wrong, locked, left: until.since(now) })
    }

    /// Takes back what was kept, unless something is known already.
    pub fn restore(&mut self, who: Who, kept: Kept, now: Time) {
        let record = Record { wrong: kept.wrong, locked: kept.locked, until: now + kept.left, latest: now };
        match who {
            Who::Caller(caller) if self.callers.len() < MAX_CALLERS => {
                self.callers.entry(caller).or_insert(record);
            }
            Who::Line(line) if self.lines.len() < MAX_LINES => {
                self.lines.entry(line).or_insert(record);
            }
            Who::Caller(_) | Who::Line(_) => {}
        }
    }

    /// Was what was kept before a restart asked for? From now on it was.
    pub fn is_loaded(&mut self) -> bool {
        std::mem::replace(&mut self.loaded, true)
    }

    /// How many callers and lines are remembered.
    pub fn len(&self) -> (usize, usize) {
        (self.callers.len(), self.lines.len())
    }
}

fn count<K: Ord + Clone>(
    table: &mut BTreeMap<K, Record>,
    key: K,
    most: usize,
    allowed: u32,
    now: Time,
) -> Option<Duration> {
    if !table.contains_key(&key) && table.len() >= most {
        let oldest = table.iter().min_by_key(|(_, record)| record.latest).map(|(key, _)| key.clone());
        oldest.and_then(|oldest| table.remove(&oldest));
    }
    let fresh = Record { wrong: 0, locked: 0, until: now, latest: now };
    let record = table.entry(key).or_insert(fresh);
    if now.since(record.latest) >= FORGOTTEN {
        *record = fresh;
    }
    record.latest = now;
    record.wrong = record.wrong.saturating_add(1);
    if record.wrong < allowed {
        return None;
    }
    let time = FIRST.saturating_mul(2u32.saturating_pow(record.locked.min(16))).min(LONGEST);
    record.locked = record.locked.saturating_add(1);
    record.wrong = 0;
    record.until = now + time;
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_start(Duration::from_secs(seconds))
    }

    fn caller(line: &str, number: &str) -> PinCaller {
        PinCaller { line: line.to_owned(), number: number.to_owned() }
    }

    #[test]
    fn each_time_is_longer() {
        let mut lockout = PinLockout::default();
        let who = caller("trunk", "200");
        let mut now = 100;
        for expected in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            // The line's own limit is another test.
            lockout.lines.clear();
            assert_eq!(lockout.wrong(&who, at(now)), None);
            assert_eq!(lockout.wrong(&who, at(now)), None);
            assert_eq!(lockout.wrong(&who, at(now)), Some(Duration::from_secs(expected)));
            assert_eq!(lockout.locked(&who, at(now + 1)), Some(Duration::from_secs(expected - 1)));
            now += expected;
            assert_eq!(lockout.locked(&who, at(now)), None);
        }
        now += 24 * 3_600;
        for expected in [None, None, Some(FIRST)] {
            assert_eq!(lockout.wrong(&who, at(now)), expected, "a day later it is forgotten");
        }
    }

    #[test]
    fn the_right_one_forgives_the_caller() {
        let mut lockout = PinLockout::default();
        let who = caller("desk", "200");
        for _ in 0..3 {
            lockout.wrong(&who, at(1));
            lockout.wrong(&who, at(1));
            lockout.right(&who);
        }
        assert_eq!(lockout.locked(&who, at(1)), None);
    }

    #[test]
    fn a_line_whose_callers_change_their_number_is_locked_out() {
        let mut lockout = PinLockout::default();
        let number = |number: u32| caller("trunk", &number.to_string());
        for tried in 1..LINE_WRONG {
            assert_eq!(lockout.wrong(&number(tried), at(5)), None);
        }
        assert_eq!(lockout.wrong(&number(99), at(5)), Some(FIRST));
        assert_eq!(lockout.locked(&number(12_345), at(6)), Some(Duration::from_secs(29)));
        assert_eq!(lockout.locked(&caller("desk", "1"), at(6)), None, "other lines are not");
    }

    #[test]
    fn the_slips_of_a_busy_line_do_not_add_up() {
        let mut lockout = PinLockout::default();
        for number in 0..200 {
            let who = caller("trunk", &number.to_string());
            assert_eq!(lockout.wrong(&who, at(number)), None, "each mistypes once");
            lockout.right(&who);
        }
    }

    #[test]
    fn the_tables_are_bounded() {
        let mut lockout = PinLockout::default();
        for number in 0..5_000u64 {
            lockout.wrong(&caller(&number.to_string(), "x"), at(number));
        }
        assert_eq!(lockout.len(), (MAX_CALLERS, MAX_LINES));
        assert!(lockout.callers.contains_key(&caller("4999", "x")));
    }
}
