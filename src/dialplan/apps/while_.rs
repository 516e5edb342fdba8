//! `While`: begins a loop.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::arguments;
use crate::dialplan::loops;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "While",
    synopsis: "Begins a loop that runs while a condition is true",
    syntax: "While(condition)",
    help: "The lines up to the EndWhile are run again and again; with a false condition the call goes on behind it. The condition \
           counts as in GotoIf.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, condition: &str) -> Outcome {
    if arguments::is_true(condition) {
        return Outcome::Next;
    }
    let behind = loops::end(scope).and_then(|end| end.checked_add(1));
    loops::go(scope, behind, "While has no EndWhile in its extension")
}
