//! Commands that speak, in the language of the channel, until one of the digits comes that they name.

use super::media::{code, play};
use super::talk::{Answer, Answering, Talk};
use crate::clock::Wall;
use crate::dialplan::digits::Digits;
use crate::dialplan::say::{self, Day, Gender, Words, letters};
use crate::dialplan::speak;

/// What is said of a date, a time, and both, as Asterisk has it.
const DATE: &str = "ABdY";
const TIME: &str = "IMp";
const DATE_AND_TIME: &str = "ABdY 'digits/at' IMp";

/// Plays these words until one of the digits.
fn said<'a>(talk: &'a mut Talk, words: Words, digits: &'a str) -> Answering<'a> {
    Box::pin(async move {
        let played = play(talk, words, Digits::of(digits)).await?;
        Ok(played.map_or(Answer::number(-1), |digit| Answer::Result(code(digit).to_string())))
    })
}

fn usage<'a>() -> Answering<'a> {
    Box::pin(async { Ok(Answer::Usage) })
}

pub(super) fn digits<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    let [text, digits, ..] = words else { return usage() };
    said(talk, letters::digits(text), digits)
}

pub(super) fn number<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    let [text, digits, rest @ ..] = words else { return usage() };
    let Ok(number) = text.parse::<i64>() else { return usage() };
    let gender = rest.first().and_then(|gender| Gender::of(gender)).unwrap_or(Gender::None);
    match say::language(&talk.channel.language()).number(number, gender) {
        Some(words) => said(talk, words, digits),
        None => usage(),
    }
}

pub(super) fn alpha<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    let [text, digits, ..] = words else { return usage() };
    said(talk, letters::spelled(text, letters::Case::None), digits)
}

pub(super) fn phonetic<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    let [text, digits, ..] = words else { return usage() };
    said(talk, letters::phonetic(text), digits)
}

pub(super) fn date<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    moment(talk, words, DATE)
}

pub(super) fn time<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    moment(talk, words, TIME)
}

pub(super) fn date_time<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    moment(talk, words, words.get(2).map_or(DATE_AND_TIME, String::as_str))
}

/// `seconds digits [format] [zone]`.
fn moment<'a>(talk: &'a mut Talk, words: &'a [String], format: &str) -> Answering<'a> {
    let [seconds, digits, rest @ ..] = words else { return usage() };
    let Ok(seconds) = seconds.parse::<i64>() else { return usage() };
    let zone = talk.channel.zone(rest.get(1).map_or("", String::as_str), "AGI");
    let (at, today) = (zone.civil(Wall(seconds.saturating_mul(1000))), zone.civil(talk.channel.wall()));
    let day = Day { at, days_ago: speak::day_number(&today).saturating_sub(speak::day_number(&at)) };
    let (words, _) = say::date::date(say::language(&talk.channel.language()), &day, format);
    said(talk, words, digits)
}
