//! What applications have in common that speak.

use super::app::{Args, Outcome};
use super::digits::Digits;
use super::handle::ChannelHandle;
use super::menu;
use super::request::Interrupted;
use super::say::{self, Day, Gender, Language, Words};
use crate::clock::Wall;
use crate::datetime::Civil;
use crate::event::Level;
use crate::wording::outside;

/// Says words that the caller may interrupt when `SAY_DTMF_INTERRUPT` is true: the digit is the first of an extension.
pub(super) async fn say(channel: &mut ChannelHandle, application: &str, words: Words) -> Result<Outcome, Interrupted> {
    let interrupt = ["yes", "true", "on", "1", "y", "t"];
    let wanted = channel.variable("SAY_DTMF_INTERRUPT");
    let stop_on =
        if interrupt.iter().any(|word| word.eq_ignore_ascii_case(wanted.trim())) { Digits::ANY } else { Digits::NONE };
    say_until(channel, application, words, stop_on).await
}

/// Says words until one of these digits comes, which is the first of an extension.
pub(super) async fn say_until(
    channel: &mut ChannelHandle,
    application: &str,
    words: Words,
    stop_on: Digits,
) -> Result<Outcome, Interrupted> {
    if words.is_empty() {
        return Ok(Outcome::Next);
    }
    let played = channel.play_until(words, stop_on).await?;
    menu::follow(channel, application, played).await
}

/// The language that is spoken to the channel.
pub(super) fn language(channel: &ChannelHandle) -> &'static Language {
    say::language(&channel.language())
}

/// Says a number, by `SayNumber` or its like: the number, and the gender of what is counted.
pub(super) async fn say_number(
    channel: &mut ChannelHandle,
    application: &str,
    args: &Args,
    words: fn(&Language, i64, Gender) -> Option<Words>,
) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let Some(number) = integer(args.trimmed(0)) else {
        let text = format!("{application} needs a number, and not '{}'", outside(args.trimmed(0)));
        channel.log(Level::Warning, text);
        return Ok(Outcome::Next);
    };
    let gender = Gender::of(args.trimmed(1)).unwrap_or_else(|| {
        let text = format!("{application}: a gender is m, f, c or n, and not '{}'", outside(args.trimmed(1)));
        channel.log(Level::Warning, text);
        Gender::None
    });
    match words(language(channel), number, gender) {
        Some(words) => say(channel, application, words).await,
        None => {
            channel.log(Level::Warning, format!("{application}: {number} is too large to be said"));
            Ok(Outcome::Next)
        }
    }
}

/// The integer a text begins with.
fn integer(text: &str) -> Option<i64> {
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
    text.get(..sign.checked_add(digits)?)?.parse().ok()
}

/// Says a moment, by `SayUnixTime` or its like: seconds since 1970, time zone, format, options.
pub(super) async fn unix_time(
    channel: &mut ChannelHandle,
    application: &str,
    args: &Args,
) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let (now, zone) = channel.with_state(|state| (state.now.wall, state.zone(args.trimmed(1), application)));
    let at = integer(args.trimmed(0)).map_or(now, |seconds| Wall(seconds.saturating_mul(1000)));
    let (at, today) = (zone.civil(at), zone.civil(now));
    let day = Day { at, days_ago: day_number(&today).saturating_sub(day_number(&at)) };
    let (words, unknown) = say::date::date(language(channel), &day, args.get(2));
    if !unknown.is_empty() {
        let letters: String = unknown.into_iter().collect();
        channel.log(Level::Warning, format!("{application}: no part of a date is called '{}'", outside(&letters)));
    }
    if args.trimmed(3).contains('j') {
        return say_until(channel, application, words, Digits::ANY).await;
    }
    say(channel, application, words).await
}

/// A number for each day: the next has the next.
pub(super) fn day_number(day: &Civil) -> i64 {
    let years = day.year.saturating_sub(1);
    let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    years.saturating_mul(365).saturating_add(leaps).saturating_add(i64::from(day.yearday))
}
