//! `core show help`.

use super::lookup::{begins_with, find, has_prefix, nearest};
use super::row::Command;
use super::table::TABLE;
use crate::observe::escape;

/// How to use the command that these words name, or a list of those they begin; or why there is neither.
pub(super) fn show(words: &[String]) -> Result<String, String> {
    if let Some((command, [])) = find(words) {
        return Ok(command.usage());
    }
    let found: Vec<&Command> = TABLE.iter().filter(|command| is_meant(command, words)).collect();
    if found.is_empty() {
        let typed = escape::line(&words.join(" "));
        let near = nearest(words).map(|name| format!(" Did you mean '{name}'?")).unwrap_or_default();
        let help = of_the_beginning(words);
        return Err(format!("No command begins with '{typed}'.{near} '{help}' lists those there are.\n"));
    }
    Ok(found.iter().map(|command| format!("{:>30.30}  {}\n", command.words, command.synopsis)).collect())
}

/// The help there is for a command that does not exist: of those that begin with the same words, else of all.
pub(super) fn of_the_beginning(words: &[String]) -> String {
    let is_known = |length: &usize| {
        let beginning = words.get(..*length).unwrap_or_default();
        !beginning.is_empty() && TABLE.iter().any(|command| begins_with(command.words, beginning))
    };
    let known = (1..=words.len()).rev().find(is_known).and_then(|length| words.get(..length)).unwrap_or_default();
    ["core show help".to_owned(), escape::line(&known.join(" "))].join(" ").trim_end().to_owned()
}

/// The words typed begin the command's; the last one may be unfinished.
fn is_meant(command: &Command, typed: &[String]) -> bool {
    let Some((last, before)) = typed.split_last() else { return true };
    let next = command.words.split(' ').nth(before.len());
    begins_with(command.words, before) && next.is_some_and(|word| has_prefix(word, last))
}
