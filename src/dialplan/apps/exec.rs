//! `Exec`: runs an application whose name may come from a variable.

use crate::dialplan::app::{App, AppCall, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "Exec",
    synopsis: "Runs an application whose name may come from a variable",
    syntax: "Exec(app(args))",
    help: "Exec(${WHAT}(${WITH})) runs what the variable names.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    AppCall::parse(args).map_or(Outcome::Next, Outcome::Exec)
}
