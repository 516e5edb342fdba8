//! `core show help`.

use super::lookup::{begins_with, find, has_prefix};
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
        return Err(format!("No command begins with '{typed}'; 'core show help' lists all of them.\n"));
    }
    Ok(found.iter().map(|command| format!("{:>30.30}  {}\n", command.words, command.synopsis)).collect())
}

/// The words typed begin the command's; the last one may be unfinished.
fn is_meant(command: &Command, typed: &[String]) -> bool {
    let Some((last, before)) = typed.split_last() else { return true };
    let next = command.words.split(' ').nth(before.len());
    begins_with(command.words, before) && next.is_some_and(|word| has_prefix(word, last))
}
