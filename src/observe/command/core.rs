//! `core ...`: the exchange as a whole.

use std::time::Duration;

use super::reply::{Reply, SetVerbose};
use crate::observe::control_api::{ConsoleOrder, ControlApi, Stop, Then};
use crate::observe::escape;
use crate::wording::plural;

pub(super) fn show_uptime(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let tell: fn(Duration) -> String = match arguments {
        [] => in_words,
        [word] if word.eq_ignore_ascii_case("seconds") => |time| time.as_secs().to_string(),
        _ => return Reply::Usage,
    };
    let uptime = exchange.uptime();
    Reply::Done(format!("System uptime: {}\nLast reload: {}\n", tell(uptime.up), tell(uptime.since_reload)))
}

pub(super) fn show_version(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let version = exchange.version();
    let [number, machine, system] =
        [&version.version, &version.machine, &version.system].map(|part| escape::line(part));
    Reply::Done(format!("strowger {number} on a {machine} running {system}\n"))
}

/// What `core show settings` writes before the configuration directory: a console that looks for an exchange reads it.
pub const CONFIGURATION: &str = "Configuration directory:";

pub(super) fn show_settings(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let (version, core, counts) = (exchange.version(), exchange.core_settings(), exchange.counts());
    let rows = [
        ("Version:", format!("strowger {}", version.version)),
        ("Process:", core.process.to_string()),
        ("Maximum channels:", format!("{} (Current {})", core.max_channels, counts.channels)),
        (CONFIGURATION, core.directory.map_or("none".to_owned(), |directory| directory.display().to_string())),
        ("Startup time:", core.started),
        ("Last reload time:", core.reloaded),
        ("Thread of the sound:", core.priority),
        ("System:", format!("{} on a {}", version.system, version.machine)),
    ];
    let rows = rows.map(|(label, value)| format!("  {label:<28} {}\n", escape::line(&value)));
    Reply::Done(format!("\nPBX Core settings\n-----------------\n{}\n", rows.concat()))
}

/// What to set belongs to the console, not to the exchange: the socket does it.
pub(super) fn set_verbose(arguments: &[String], _exchange: &mut dyn ControlApi) -> Reply {
    parse_level(arguments).map_or(Reply::Usage, Reply::Verbose)
}

pub(super) fn set_debug(arguments: &[String], _exchange: &mut dyn ControlApi) -> Reply {
    match parse_level(arguments) {
        None => Reply::Usage,
        Some(SetVerbose { silent: true, .. }) => Reply::Done(String::new()),
        Some(_) => Reply::Done(
            "There are no debug levels: 'core set verbose 4' shows more, 'sip set debug on' shows the messages.\n"
                .to_owned(),
        ),
    }
}

/// `[atleast] N [silent]`, or `off`.
fn parse_level(arguments: &[String]) -> Option<SetVerbose> {
    let mut words: Vec<String> = arguments.iter().map(|word| word.to_ascii_lowercase()).collect();
    let silent = words.pop_if(|word| word == "silent").is_some();
    let at_least = words.first().is_some_and(|word| word == "atleast");
    let rest = words.get(usize::from(at_least)..).unwrap_or_default();
    match rest {
        [word] if word == "off" && !at_least => Some(SetVerbose { level: 0, at_least, silent }),
        [word] => word.parse().ok().map(|level| SetVerbose { level, at_least, silent }),
        _ => None,
    }
}

pub(super) fn wait_fully_booted(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    match arguments {
        [] if exchange.is_fully_booted() => Reply::Done("strowger has fully booted.\n".to_owned()),
        [] => Reply::NotYet,
        _ => Reply::Usage,
    }
}

pub(super) fn ping(arguments: &[String], _exchange: &mut dyn ControlApi) -> Reply {
    if arguments.is_empty() { Reply::Done("strowger answers.\n".to_owned()) } else { Reply::Usage }
}

pub(super) fn abort_shutdown(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    match exchange.order(ConsoleOrder::AbortStop) {
        Ok(()) => Reply::Done("Not stopping; calls are taken again.\n".to_owned()),
        Err(why) => Reply::Failed(format!("{why}\n")),
    }
}

pub(super) fn stop_now(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let calls = exchange.counts().calls;
    exchange.stop(Stop::Now, Then::End);
    Reply::Done(match calls {
        0 => "Stopping.\n".to_owned(),
        calls => format!("Stopping; {} will be ended.\n", plural(calls, "call")),
    })
}

pub(super) fn stop_gracefully(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let calls = exchange.counts().calls;
    exchange.stop(Stop::Gracefully, Then::End);
    Reply::Done(match calls {
        0 => "Stopping.\n".to_owned(),
        calls => format!("Stopping when {}; no new ones are taken.\n", have_ended(calls)),
    })
}

/// `1 call has ended`, `2 calls have ended`.
pub(super) fn have_ended(calls: u64) -> String {
    plural(calls, "call") + if calls == 1 { " has ended" } else { " have ended" }
}

/// `1 week, 2 days, 3 hours, 4 minutes, 5 seconds`; what is zero is left out.
fn in_words(time: Duration) -> String {
    let mut left = time.as_secs();
    let mut parts = Vec::new();
    for (name, length) in [("year", 31_536_000), ("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60)] {
        let (count, rest) = (left / length, left % length);
        left = rest;
        if count > 0 {
            parts.push(plural(count, name));
        }
    }
    if left > 0 || parts.is_empty() {
        parts.push(plural(left, "second"));
    }
    parts.join(", ")
}
