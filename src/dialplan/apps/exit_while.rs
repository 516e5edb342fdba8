//! `ExitWhile`: leaves a loop.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::loops;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "ExitWhile",
    synopsis: "Leaves the loop",
    syntax: "ExitWhile()",
    help: "Goes on behind the EndWhile that ends the loop.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    let behind = loops::end(scope).and_then(|end| end.checked_add(1));
    loops::go(scope, behind, "ExitWhile is in no loop")
}
