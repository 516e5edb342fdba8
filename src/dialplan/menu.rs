//! What applications have in common that wait for digits: an extension that is dialled, and a number that is typed.

use super::app::{Outcome, Target};
use super::digits::Digits;
use super::handle::ChannelHandle;
use super::lookup;
use super::request::{Interrupted, Played};
use super::special::{self, Trouble};
use crate::event::Level;
use std::time::Duration;

/// Maximum length of an extension that is dialled into a program.
pub(super) const MAX_EXTEN: usize = 80;
/// Maximum length of a number that is typed.
pub(super) const MAX_TYPED: usize = 255;

/// Reads on from what is dialled already until no longer extension of the context can be meant, or no digit comes for
/// as long as `TIMEOUT(digit)` says, or the digit that ends it.
pub(super) async fn dial_on(
    channel: &mut ChannelHandle,
    context: &str,
    dialled: &mut String,
    end: Option<char>,
) -> Result<(), Interrupted> {
    while dialled.len() < MAX_EXTEN && channel.with_state(|state| lookup::may_go_on(state, context, dialled)) {
        let time = channel.with_state(|state| state.timeouts.digit);
        match channel.digit(time).await? {
            Some(digit) if Some(digit) != end => dialled.push(digit),
            Some(_) | None => break,
        }
    }
    Ok(())
}

/// What follows on sounds that were played: a digit that ended them leads to its extension.
pub(super) async fn follow(
    channel: &mut ChannelHandle,
    application: &str,
    played: Played,
) -> Result<Outcome, Interrupted> {
    was_played(channel, application, &played);
    match played {
        Played::Digit(digit) => {
            let context = here(channel);
            go(channel, &context, digit).await
        }
        Played::All | Played::Missing(_) | Played::Failed(_) => Ok(Outcome::Next),
    }
}

/// A digit came: reads the rest of the extension, and goes there, or where wrong ones go.
pub(super) async fn go(channel: &mut ChannelHandle, context: &str, first: char) -> Result<Outcome, Interrupted> {
    let mut dialled = String::from(first);
    dial_on(channel, context, &mut dialled, None).await?;
    Ok(channel.with_state(|state| {
        if lookup::has(state, context, &dialled) {
            Outcome::Jump(Target::to(context, &dialled))
        } else {
            special::leave(state, context, &Trouble::Invalid(&dialled))
        }
    }))
}

/// The context the program is in.
pub(super) fn here(channel: &ChannelHandle) -> String {
    channel.with_state(|state| state.position.context.clone())
}

/// The digits that are extensions of the context by themselves.
pub(super) fn single_digits(channel: &ChannelHandle, context: &str) -> Digits {
    let exists = |digit: &char| channel.with_state(|state| lookup::has(state, context, &digit.to_string()));
    Digits::of(&super::digits::ALL.chars().filter(exists).collect::<String>())
}

/// The names in `one&two&three`.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split('&').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Whether all of it was played or a digit ended it; says why not, when not.
pub(super) fn was_played(channel: &ChannelHandle, application: &str, played: &Played) -> bool {
    match played {
        Played::All | Played::Digit(_) => return true,
        // Each was logged, with where it was looked for.
        Played::Missing(_) => {}
        Played::Failed(why) => channel.log(Level::Warning, format!("{application}: {why}")),
    }
    false
}

/// How a number is typed.
pub(super) struct Typing {
    /// What is played first; the first digit ends it.
    pub(super) prompts: Vec<String>,
    /// At most so many digits.
    pub(super) most: usize,
    /// The digit that ends it; `None`: none does.
    pub(super) end: Option<char>,
    /// How long to wait for the first digit.
    pub(super) first: Duration,
    /// How long to wait for each other.
    pub(super) next: Duration,
}

/// What ended a number that was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typed {
    /// It has all the digits it may have.
    Full,
    /// The digit that ends it.
    Ended,
    /// No digit came in time.
    Timeout,
}

/// Reads a number. What was typed until the channel ended is in `number` even then.
pub(super) async fn read_number(
    channel: &mut ChannelHandle,
    application: &str,
    typing: Typing,
    number: &mut String,
) -> Result<Typed, Interrupted> {
    let mut typed = None;
    if !typing.prompts.is_empty() {
        let played = channel.play_until(typing.prompts, Digits::ANY).await?;
        was_played(channel, application, &played);
        if let Played::Digit(digit) = played {
            typed = Some(digit);
        }
    }
    while number.len() < typing.most.min(MAX_TYPED) {
        let time = if number.is_empty() { typing.first } else { typing.next };
        let digit = match typed.take() {
            Some(digit) => Some(digit),
            None => channel.digit(time).await?,
        };
        match digit {
            None => return Ok(Typed::Timeout),
            Some(digit) if Some(digit) == typing.end => return Ok(Typed::Ended),
            Some(digit) => number.push(digit),
        }
    }
    Ok(Typed::Full)
}

/// The tone of that name, for so long: `dial` and its like.
pub(super) fn tone(name: &str, time: Duration) -> Vec<String> {
    let seconds = usize::try_from(time.as_secs()).unwrap_or(usize::MAX).clamp(1, MAX_TONE);
    vec![format!("tone/{name}"); seconds]
}

/// A tone is played for at most so many seconds.
const MAX_TONE: usize = 600;

/// The arguments of an application as people may see them: no PIN is among them.
pub(super) fn shown(application: &str, args: &str) -> String {
    if application != "Authenticate" && application != "DISA" {
        return args.to_owned();
    }
    let (pin, rest) = args.split_once(',').map_or((args, None), |(pin, rest)| (pin, Some(rest)));
    let is_secret =
        !pin.trim().is_empty() && !pin.trim().starts_with('/') && !pin.trim().eq_ignore_ascii_case("no-password");
    let pin = if is_secret { "hidden" } else { pin };
    rest.map_or_else(|| pin.to_owned(), |rest| format!("{pin},{rest}"))
}
