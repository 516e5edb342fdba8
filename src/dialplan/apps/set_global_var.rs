//! `SetGlobalVar`: sets a global variable.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetGlobalVar",
    synopsis: "Sets a global variable (old: write Set(GLOBAL(name)=value))",
    syntax: "SetGlobalVar(name=value)",
    help: "As Set(GLOBAL(name)=value).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    match args.split_once('=') {
        Some((name, value)) => Outcome::Set(vec![(format!("GLOBAL({})", name.trim()), value.to_owned())]),
        None => {
            scope.warn("SetGlobalVar needs name=value");
            Outcome::Next
        }
    }
}
