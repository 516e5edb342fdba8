//! Values with their kind before them, `num:12`, as the options `say` and `mix` of `Playback` have them.

use super::handle::ChannelHandle;
use super::say::{self, Day, Gender, Words, letters};
use super::speak;
use crate::clock::Wall;

/// The kinds there are.
pub(super) const KINDS: &str = "num, enum, digit, char, phonetic, money, date, time and datetime";

/// What is said to the channel of one of them; none: there is no such kind, or no such value.
pub(super) fn words(channel: &ChannelHandle, text: &str) -> Option<Words> {
    let (kind, value) = text.split_once(':')?;
    let (value, language) = (value.trim(), speak::language(channel));
    let dated = |format: &str| {
        let at = Wall(value.parse::<i64>().ok()?.checked_mul(1000)?);
        let zone = channel.zone("", "Playback");
        let (at, today) = (zone.civil(at), zone.civil(channel.wall()));
        let days_ago = speak::day_number(&today).saturating_sub(speak::day_number(&at));
        Some(say::date::date(language, &Day { at, days_ago }, format).0)
    };
    match kind.trim().to_ascii_lowercase().as_str() {
        "num" | "number" => language.number(value.parse().ok()?, Gender::None),
        "enum" | "ordinal" => language.ordinal(value.parse().ok()?, Gender::None),
        "digit" | "digits" => Some(letters::digits(value)),
        "char" | "chars" | "characters" | "alpha" => Some(letters::spelled(value, letters::Case::None)),
        "phonetic" => Some(letters::phonetic(value)),
        "money" => language.money(say::cents(value)?),
        "date" => dated("ABdY"),
        "time" => dated("IMp"),
        "datetime" => dated(""),
        _ => None,
    }
}
