//! Commands that speak: by the applications of the same names, where they take digits that end them.

use super::media::{code, play};
use super::talk::{Answer, Answering, Talk};
use crate::dialplan::digits::Digits;

/// Plays these sounds until one of the digits.
fn said<'a>(talk: &'a mut Talk, names: Vec<String>, digits: &'a str) -> Answering<'a> {
    Box::pin(async move {
        let played = play(talk, names, Digits::of(digits)).await?;
        Ok(played.map_or(Answer::number(-1), |digit| Answer::Result(code(digit).to_string())))
    })
}

pub(super) fn digits<'a>(talk: &'a mut Talk, words: &'a [String]) -> Answering<'a> {
    let [text, digits, ..] = words else { return Box::pin(async { Ok(Answer::Usage) }) };
    let names = text.chars().filter_map(|letter| match letter {
        '0'..='9' => Some(format!("digits/{letter}")),
        '*' => Some("digits/star".to_owned()),
        '#' => Some("digits/pound".to_owned()),
        '-' => Some("digits/minus".to_owned()),
        _ => None,
    });
    said(talk, names.collect(), digits)
}
