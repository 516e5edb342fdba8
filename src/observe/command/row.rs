//! What a console command is made of.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;

/// One console command: help, completion and the reference page come from this row.
pub struct Command {
    /// The words that name it, in lower case.
    pub words: &'static str,
    /// Its arguments, as the usage shows them.
    pub arguments: &'static str,
    /// What it does, in a few words.
    pub synopsis: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
    /// What completes each argument.
    pub(super) complete: &'static [Completion],
    /// Carries it out.
    pub(super) run: fn(&[String], &mut dyn ControlApi) -> Reply,
}

/// What an argument is completed from.
#[derive(Clone, Copy)]
pub(super) enum Completion {
    /// These words, separated by blanks.
    Word(&'static str),
    /// The names of the peers.
    Peer,
    /// The types of `sip notify`.
    NotifyType,
    /// The names of the channels.
    Channel,
    /// The names of the contexts.
    Context,
    /// The names of the applications.
    Application,
    /// The names of the functions.
    Function,
    /// The words of the commands.
    Command,
}

impl Command {
    /// How to use it, in whole lines.
    pub fn usage(&self) -> String {
        let space = if self.arguments.is_empty() { "" } else { " " };
        let help = self.help.replace('\n', "\n       ");
        format!("Usage: {}{space}{}\n       {help}\n", self.words, self.arguments)
    }
}
