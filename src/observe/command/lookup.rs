//! How the words of a line find their row in the table.

use super::row::Command;
use super::table::{ALIASES, TABLE};
use crate::wording;

/// The row whose words are the longest beginning of the line, and the words after them.
pub(super) fn find(words: &[String]) -> Option<(&'static Command, &[String])> {
    let name = names().filter(|name| is_beginning(name, words)).max_by_key(|name| count(name))?;
    let meant = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, meant)| *meant);
    let command = TABLE.iter().find(|command| command.words == meant)?;
    Some((command, words.get(count(name)..).unwrap_or_default()))
}

/// The words that may follow these in the name of a command.
pub(super) fn next_words(words: &[String]) -> Vec<String> {
    let next = names().filter(|name| begins_with(name, words)).filter_map(|name| name.split(' ').nth(words.len()));
    next.map(str::to_owned).collect()
}

/// The names of all commands, other spellings included.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|command| command.words).chain(ALIASES.iter().map(|(alias, _)| *alias))
}

/// The name that these words, which are none, were most likely meant to be: abbreviated, misspelt, or with a word left
/// out.
pub(super) fn nearest(words: &[String]) -> Option<&'static str> {
    let abbreviated = names().find(|name| {
        let each = || name.split(' ').zip(words);
        count(name) == words.len() && each().all(|(whole, typed)| has_prefix(whole, typed))
    });
    let misspelt = |length: &usize| {
        let typed = words.get(..*length)?.join(" ");
        wording::nearest(&typed, names().filter(|name| count(name) == *length))
    };
    let incomplete = || {
        let is_begun = TABLE.iter().any(|command| begins_with(command.words, words));
        let longer = names().filter(|name| !is_begun && count(name) > words.len() && stand_in(name, words));
        longer.min_by_key(|name| count(name))
    };
    abbreviated.or_else(|| (1..=words.len()).rev().find_map(|length| misspelt(&length))).or_else(incomplete)
}

/// The words stand in the name in this order, with others before, between or after them.
fn stand_in(name: &str, words: &[String]) -> bool {
    let mut rest = name.split(' ');
    words.iter().all(|word| rest.any(|part| part.eq_ignore_ascii_case(word)))
}

fn count(name: &str) -> usize {
    name.split(' ').count()
}

/// All words of the name stand at the beginning of the line.
fn is_beginning(name: &str, line: &[String]) -> bool {
    count(name) <= line.len() && name.split(' ').zip(line).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// All words of the line stand at the beginning of the name.
pub(super) fn begins_with(name: &str, line: &[String]) -> bool {
    line.len() <= count(name) && name.split(' ').zip(line).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Whether the word begins with this, in capitals or not.
pub(super) fn has_prefix(word: &str, prefix: &str) -> bool {
    word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
