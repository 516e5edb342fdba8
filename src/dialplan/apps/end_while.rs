//! `EndWhile`: ends a loop.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::loops;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "EndWhile",
    synopsis: "Goes back to the While that began the loop",
    syntax: "EndWhile()",
    help: "The condition is looked at there.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    let begin = loops::begin(scope);
    loops::go(scope, begin, "EndWhile has no While in its extension")
}
