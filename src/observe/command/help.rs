//! `core show help`.

use super::{Answer, Command, TABLE, begins_with, has_prefix};
use crate::observe::control_api::ControlApi;
use crate::observe::escape;

pub(super) fn show_help(arguments: &[String], _exchange: &mut dyn ControlApi) -> Answer {
    if let Some((command, [])) = super::find(arguments) {
        return Answer::Done(command.usage());
    }
    let found: Vec<&Command> = TABLE.iter().filter(|command| is_meant(command, arguments)).collect();
    if found.is_empty() {
        let typed = escape::line(&arguments.join(" "));
        return Answer::Failed(format!("No command begins with '{typed}'; 'core show help' lists all of them.\n"));
    }
    Answer::Done(found.iter().map(|command| format!("{:>30.30}  {}\n", command.words, command.synopsis)).collect())
}

/// The words typed begin the command's; the last one may be unfinished.
fn is_meant(command: &Command, typed: &[String]) -> bool {
    let Some((last, before)) = typed.split_last() else { return true };
    let next = command.words.split(' ').nth(before.len());
    begins_with(command.words, before) && next.is_some_and(|word| has_prefix(word, last))
}
