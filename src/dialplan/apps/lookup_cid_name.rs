//! `LookupCIDName`: looks up the name of a caller.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::database;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "LookupCIDName",
    synopsis: "Sets the name of the caller from the database (old)",
    syntax: "LookupCIDName()",
    help: "The name is that of family cidname with the caller's number as key, if there is one.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    let path = database::path("cidname", &scope.state.caller.number);
    if let Some(name) = scope.environment.database().get(&path) {
        scope.state.caller.name = name;
    }
    Outcome::Next
}
