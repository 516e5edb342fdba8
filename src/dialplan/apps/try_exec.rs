//! `TryExec`: runs an application and goes on when it fails.

use crate::dialplan::app::{App, AppCall, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "TryExec",
    synopsis: "Runs an application and goes on whatever becomes of it",
    syntax: "TryExec(app(args))",
    help: "Sets TRYSTATUS: SUCCESS, FAILED (it wanted to end the call) or NOAPP (there is no such application).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    match AppCall::parse(args) {
        Some(call) => Outcome::Try(call),
        None => {
            scope.state.set_variable("TRYSTATUS", "NOAPP");
            Outcome::Next
        }
    }
}
