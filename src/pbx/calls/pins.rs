//! PINs that callers type: whether one is right, and who is locked out for having typed too many wrong ones.

use super::environment::Shared;
use super::local;
use super::parties::Parties;
use super::pin_store;
use crate::dialplan::{ChannelId, PinRequest, PinSource, PinVerdict, Program};
use crate::event::{Level, LogLine};
use crate::guard::pin_lockout::PinCaller;
use crate::pbx::core::Core;
use crate::sip::digest::md5_hex;
use crate::wording::outside;
use std::time::Duration;

/// Looks at a PIN for a channel's program.
pub(super) fn look(
    parties: &Parties,
    core: &mut Core,
    shared: &Shared,
    id: ChannelId,
    request: &PinRequest,
) -> PinVerdict {
    let telephone = parties.channel(local::caller(parties, id));
    let who = telephone.map(|channel| (channel.line().to_owned(), channel.caller_number.clone()));
    let (line, number) = who.unwrap_or_default();
    let who = PinCaller { line, number };
    let now = core.now.mono;
    let place = Place::of(parties, id, &who);
    let mut lockout = shared.pin_lockout.borrow_mut();
    if !lockout.is_loaded() {
        pin_store::load(&mut lockout, &shared.database, core.now);
    }
    if let Some(left) = lockout.locked(&who, now) {
        let text = format!("{place}: locked out after wrong PINs for another {}", seconds(left));
        core.emit(LogLine { level: Level::Notice, text });
        return PinVerdict::Locked(left);
    }
    let Some(typed) = &request.typed else { return PinVerdict::Right(String::new()) };
    match right(core, shared, &request.right, typed) {
        Err(why) => PinVerdict::Unusable(why),
        Ok(Some(beside)) => {
            lockout.right(&who);
            pin_store::keep(&lockout, &who, &shared.database, core.now);
            PinVerdict::Right(beside)
        }
        Ok(None) => {
            let locked = lockout.wrong(&who, now);
            pin_store::keep(&lockout, &who, &shared.database, core.now);
            let after = locked.map(|time| format!("; no PIN is looked at for {}", seconds(time))).unwrap_or_default();
            core.emit(LogLine { level: Level::Notice, text: format!("{place}: wrong PIN{after}") });
            PinVerdict::Wrong
        }
    }
}

/// Who typed it, and where, as the log names it.
struct Place(String);

impl Place {
    fn of(parties: &Parties, id: ChannelId, who: &PinCaller) -> Place {
        let program = parties.channel(id).and_then(|channel| channel.program.as_ref());
        let application = program.and_then(Program::application).map_or("", |(name, _)| name);
        let at = program.map(|program| program.position().to_string()).unwrap_or_default();
        let name = parties.name_of(id);
        Place(format!("{application} at {at}: {name} of '{}', caller '{}'", outside(&who.line), outside(&who.number)))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn seconds(time: Duration) -> String {
    crate::datetime::span(time.max(Duration::from_secs(1)))
}

/// What stands beside the PIN when it is right; an error says why that cannot be known.
fn right(core: &Core, shared: &Shared, source: &PinSource, typed: &str) -> Result<Option<String>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    let file = |path: &str| {
        let hint = "the file is read when the configuration is: is it there, and its path no variable?";
        core.config.pins.get(path).ok_or_else(|| format!("there are no PINs of '{}': {hint}", outside(path)))
    };
    Ok(match source {
        PinSource::Pin(pin) => same(pin, typed).then(String::new),
        PinSource::Lines(path) => file(path)?.lines().map(str::trim).find_map(|line| {
            let (pin, beside) = line.split_once([',', '|']).unwrap_or((line, ""));
            let is_pin = !pin.starts_with([';', '#']) && same(pin.trim(), typed);
            is_pin.then(|| beside.to_owned())
        }),
        PinSource::Hashes(path) => {
            let hash = md5_hex(typed.as_bytes());
            let entries = file(path)?.lines().filter_map(|line| line.trim().rsplit_once(':'));
            entries
                .filter(|(_, known)| same(&known.trim().to_ascii_lowercase(), &hash))
                .map(|(account, _)| account.to_owned())
                .next()
        }
        PinSource::Database { family, take } => {
            let path = crate::dialplan::database::path(family, typed);
            let found = shared.database.get(&path).map(|_| String::new());
            if found.is_some() && *take {
                shared.database.delete(&path);
            }
            found
        }
    })
}

/// Compares in a time that does not depend on the place of the first difference.
fn same(right: &str, typed: &str) -> bool {
    right.len() == typed.len() && right.bytes().zip(typed.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pbx::core::testing::core;

    #[test]
    fn a_file_has_a_pin_on_each_line_and_what_it_allows_beside_it() {
        let mut core = core("");
        core.config.pins.insert("/p", "; 1111\n#2222\n 4711,inside,\"Boss\" <100>\n99|old\n5\n\n");
        core.config.pins.insert("/m", "ann:81dc9bdb52d04dc20036dbd8313ed055\nbob:b59c67bf196a4758191e42f76670ceba\n");
        let shared = Shared::default();
        shared.database.put("/pins/77", "x").unwrap();
        let look = |source: &PinSource, typed: &str| right(&core, &shared, source, typed);
        let found = |beside: &str| Ok(Some(beside.to_owned()));
        let lines = PinSource::Lines("/p".to_owned());
        assert_eq!(look(&lines, "4711"), found("inside,\"Boss\" <100>"));
        assert_eq!(look(&lines, "99"), found("old"));
        assert_eq!(look(&lines, "5"), found(""));
        for wrong in ["1111", "2222", "471", "47110", "", "; 1111"] {
            assert_eq!(look(&lines, wrong), Ok(None), "{wrong}");
        }
        let hashes = PinSource::Hashes("/m".to_owned());
        assert_eq!(look(&hashes, "1234"), found("ann"));
        assert_eq!(look(&hashes, "1111"), found("bob"));
        assert_eq!(look(&hashes, "2222"), Ok(None));
        let family = |take| PinSource::Database { family: "pins".to_owned(), take };
        assert_eq!(look(&family(false), "77"), found(""));
        assert_eq!(look(&family(true), "77"), found(""));
        assert_eq!(look(&family(true), "77"), Ok(None), "it counts once");
        assert!(look(&PinSource::Lines("/none".to_owned()), "5").is_err());
    }
}
