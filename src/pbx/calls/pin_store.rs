//! Lock-outs after wrong PINs as they are kept over a restart: texts in a family of the key/value database, so many at most.
//! What is in memory counts; the family is its copy, for the next start.

use crate::clock::{Now, Wall};
use crate::dialplan::database::{self, Database};
use crate::guard::pin_lockout::{FORGOTTEN, Kept, LONGEST, PinCaller, PinLockout, Who};
use std::time::Duration;

/// The family.
pub(super) const FAMILY: &str = "pin-lockout";
/// Maximum number of lock-outs that are kept; beyond, the oldest makes room.
pub(super) const MAX_KEPT: usize = 200;

/// Takes back what was kept before the restart; what is over or cannot be read is removed.
pub(super) fn load(lockout: &mut PinLockout, stored: &Database, now: Now) {
    for (path, value) in kept(stored) {
        let who = path.strip_prefix(&prefix()).and_then(who);
        match who.zip(read(&value, now)) {
            Some((who, record)) => lockout.restore(who, record, now.mono),
            None => drop(stored.delete(&path)),
        }
    }
}

/// Keeps how it stands with somebody who typed a PIN, and with the line: a lock-out, or none any more.
pub(super) fn keep(lockout: &PinLockout, who: &PinCaller, stored: &Database, now: Now) {
    for who in [Who::Caller(who.clone()), Who::Line(who.line.clone())] {
        let path = database::path(FAMILY, &key(&who));
        match lockout.kept(&who, now.mono) {
            Some(record) => {
                make_room(stored, &path);
                // A name that is too long, or a database that is full: it is forgotten at the restart.
                let _ = stored.put(&path, &written(&record, now.wall));
            }
            None => {
                if stored.get(&path).is_some() {
                    stored.delete(&path);
                }
            }
        }
    }
}

fn prefix() -> String {
    database::path(FAMILY, "")
}

fn kept(stored: &Database) -> Vec<(String, String)> {
    let prefix = prefix();
    stored.all().into_iter().filter(|(path, _)| path.starts_with(&prefix)).collect()
}

fn make_room(stored: &Database, path: &str) {
    let all = kept(stored);
    if all.len() < MAX_KEPT || all.iter().any(|(one, _)| one == path) {
        return;
    }
    let at = |value: &str| value.split(' ').nth(3).and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
    if let Some((oldest, _)) = all.iter().min_by_key(|(_, value)| at(value)) {
        stored.delete(oldest);
    }
}

/// `line/desk`, `caller/desk/200`: whatever is no letter or digit as `%` and two hex digits.
fn key(who: &Who) -> String {
    let plain = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02x}"),
        };
        text.bytes().map(byte).collect()
    };
    match who {
        Who::Line(line) => format!("line/{}", plain(line)),
        Who::Caller(PinCaller { line, number }) => format!("caller/{}/{}", plain(line), plain(number)),
    }
}

fn who(key: &str) -> Option<Who> {
    let text = |plain: &str| -> Option<String> {
        let mut bytes = Vec::new();
        let mut rest = plain.as_bytes();
        while let Some((first, more)) = rest.split_first() {
            rest = more;
            bytes.push(match first {
                b'%' => {
                    let (hex, more) = rest.split_at_checked(2)?;
                    rest = more;
                    u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?
                }
                other => *other,
            });
        }
        String::from_utf8(bytes).ok()
    };
    match key.split('/').collect::<Vec<_>>().as_slice() {
        ["line", line] => Some(Who::Line(text(line)?)),
        ["caller", line, number] => Some(Who::Caller(PinCaller { line: text(line)?, number: text(number)? })),
        _ => None,
    }
}

/// How many wrong PINs, how many lock-outs, how many seconds are left, and at which second of the wall clock that was.
fn written(record: &Kept, wall: Wall) -> String {
    format!("{} {} {} {}", record.wrong, record.locked, record.left.as_secs(), wall.0.div_euclid(1000))
}

fn read(value: &str, now: Now) -> Option<Kept> {
    let mut numbers = value.split(' ').map(|text| text.parse::<i64>().ok());
    let mut number = || numbers.next().flatten();
    let (wrong, locked, left, at) = (number()?, number()?, number()?, number()?);
    // A clock that was set back tells nothing: the whole time is left then.
    let since = u64::try_from(now.wall.0.div_euclid(1000).saturating_sub(at)).unwrap_or(0);
    let left = u64::try_from(left).ok()?.saturating_sub(since);
    let is_over = since >= FORGOTTEN.as_secs();
    (!is_over).then_some(())?;
    let left = Duration::from_secs(left).min(LONGEST);
    Some(Kept { wrong: u32::try_from(wrong).ok()?, locked: u32::try_from(locked).ok()?, left })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::guard::pin_lockout::LINE_WRONG;

    fn at(seconds: u64) -> Now {
        let wall = Wall(1_000_000_000_000 + i64::try_from(seconds).unwrap() * 1000);
        Now { mono: Time::from_start(Duration::from_secs(seconds)), wall }
    }

    fn caller(line: &str, number: &str) -> PinCaller {
        PinCaller { line: line.to_owned(), number: number.to_owned() }
    }

    fn wrong(lockout: &mut PinLockout, who: &PinCaller, stored: &Database, now: Now) -> Option<Duration> {
        let locked = lockout.wrong(who, now.mono);
        keep(lockout, who, stored, now);
        locked
    }

    #[test]
    fn a_lock_out_is_as_long_after_a_restart_and_the_next_is_longer() {
        let (mut before, stored) = (PinLockout::default(), Database::new());
        let who = caller("tr/unk", "+49 30%");
        for expected in [None, None, Some(30)] {
            assert_eq!(wrong(&mut before, &who, &stored, at(100)), expected.map(Duration::from_secs));
        }
        assert_eq!(stored.all().len(), 1, "two wrong ones are no lock-out, and a line takes twelve");
        let mut after = PinLockout::default();
        load(&mut after, &stored, at(110));
        assert_eq!(after.locked(&who, at(110).mono), Some(Duration::from_secs(20)));
        assert_eq!(after.locked(&caller("tr/unk", "1"), at(110).mono), None);
        let later = at(131);
        for expected in [None, None, Some(60)] {
            assert_eq!(wrong(&mut after, &who, &stored, later), expected.map(Duration::from_secs));
        }
        after.right(&who);
        keep(&after, &who, &stored, later);
        assert_eq!(stored.all(), []);
    }

    #[test]
    fn a_clock_that_is_set_back_frees_nobody_and_a_day_everybody() {
        let (mut before, stored) = (PinLockout::default(), Database::new());
        for number in 0..LINE_WRONG {
            wrong(&mut before, &caller("trunk", &number.to_string()), &stored, at(500));
        }
        assert_eq!(stored.all().len(), 1, "the line");
        for (seconds, left) in [(10u64, Some(30)), (520, Some(10)), (531, None)] {
            let mut after = PinLockout::default();
            load(&mut after, &stored, at(seconds));
            assert_eq!(
                after.locked(&caller("trunk", "9"), at(seconds).mono),
                left.map(Duration::from_secs),
                "{seconds}"
            );
        }
        stored.put("/pin-lockout/line/x", "nonsense").unwrap();
        stored.put("/pin-lockout/what", "1 1 1 1").unwrap();
        stored.put("/other/x", "1").unwrap();
        load(&mut PinLockout::default(), &stored, at(500 + FORGOTTEN.as_secs()));
        assert_eq!(stored.all(), [("/other/x".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn so_many_are_kept() {
        let (mut lockout, stored) = (PinLockout::default(), Database::new());
        for number in 0..MAX_KEPT as u64 + 50 {
            let who = caller(&format!("line{number}"), "1");
            for _ in 0..3 {
                wrong(&mut lockout, &who, &stored, at(number));
            }
        }
        assert_eq!(stored.all().len(), MAX_KEPT);
        assert!(
            stored.get("/pin-lockout/caller/line249/1").is_some()
                && stored.get("/pin-lockout/caller/line0/1").is_none()
        );
        let long = caller(&"x".repeat(300), "1");
        for _ in 0..3 {
            wrong(&mut lockout, &long, &stored, at(999));
        }
        assert!(stored.all().len() <= MAX_KEPT);
    }
}
