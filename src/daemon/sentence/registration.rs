//! What becomes of our own registrations, in Asterisk's words where it has any.

use crate::event::registration::{GivenUp, RegistrationEvent, RegistrationNews};
use crate::event::{Level, LogLine};
use std::time::Duration;

/// The line of such an event.
pub(super) fn line(event: &RegistrationEvent) -> LogLine {
    let RegistrationEvent { user, host, place, what } = event;
    let notice = |text: String| LogLine::notice(text);
    match what {
        RegistrationNews::Registered { address, granted, next, is_new } => {
            let text = format!(
                "Outbound Registration: Expiry for {user}@{host} ({address}) is {} sec (Scheduling reregistration in {} s)",
                granted.as_secs(),
                next.as_secs()
            );
            LogLine { level: if *is_new { Level::Notice } else { Level::Verbose(4) }, text }
        }
        RegistrationNews::Unregistered => LogLine::verbose(3, format!("Registration for '{user}@{host}' is removed")),
        RegistrationNews::TimedOut { attempt, next } => notice(format!(
            "Registration for '{user}@{host}' timed out, {}: nobody answers there",
            again(*next, Some(*attempt))
        )),
        RegistrationNews::NotSent { reason, next } => {
            notice(format!("Registration for '{user}@{host}' cannot be sent, {}: {reason}", again(*next, None)))
        }
        RegistrationNews::Unresolved { next } => LogLine::warning(format!(
            "Registration for '{user}@{host}' waits: the host name leads to no address; looked at again in {} s ({place})",
            next.as_secs()
        )),
        RegistrationNews::TooBrief { least, given_up } => {
            let text =
                format!("Got 423 Interval too brief for service {user}@{host}, minimum is {} seconds", least.as_secs());
            let then = match given_up {
                None => return LogLine { level: Level::Notice, text },
                Some(GivenUp::Unsaid) => "it does not say how long it wants it",
                Some(GivenUp::TooLong) => "that is more than maxexpiry= allows",
                Some(GivenUp::TooOften) => "it wants it longer each time",
            };
            LogLine::warning(format!("{text}: {then}, giving up"))
        }
        RegistrationNews::Refused { status, words, next, used_up } => {
            let advice = match status {
                401 | 403 | 407 => format!(": check the user and the password in {place}"),
                404 => format!(": it knows no such user, check the user and the domain in {place}"),
                _ => String::new(),
            };
            let text = match status {
                403 => format!("Forbidden - wrong password on authentication for REGISTER for '{user}' to '{host}'"),
                _ => format!("Got {status} {words} on SIP register to service {user}@{host}"),
            };
            let then = if *used_up { "giving up: registerattempts= is used up".to_owned() } else { again(*next, None) };
            LogLine::warning(format!("{text}, {then}{advice}"))
        }
    }
}

fn again(next: Option<Duration>, attempt: Option<u32>) -> String {
    let attempt = attempt.map(|attempt| format!(" (Attempt #{attempt})")).unwrap_or_default();
    match next {
        Some(next) => format!("trying again in {} s{attempt}", next.as_secs()),
        None => format!("giving up{attempt}"),
    }
}
