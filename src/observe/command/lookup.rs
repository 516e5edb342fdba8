//! How the words of a line find their row in the table.

use super::row::Command;
use super::table::{ALIASES, TABLE};

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
