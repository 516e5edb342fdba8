//! `ImportVar`: takes a variable from another channel.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "ImportVar",
    synopsis: "Sets a variable to that of another channel",
    syntax: "ImportVar(name=channel,variable)",
    help: "Empty when there is no such channel or variable.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let parts = args.split_once('=').and_then(|(name, from)| Some((name, from.split_once(',')?)));
    let Some((name, (channel, variable))) = parts else {
        scope.warn("ImportVar needs name=channel,variable");
        return Outcome::Next;
    };
    let value = scope.environment.variable_of(channel.trim(), variable.trim()).unwrap_or_default();
    Outcome::Set(vec![(name.trim().to_owned(), value)])
}
