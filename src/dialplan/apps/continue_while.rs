//! `ContinueWhile`: begins the next round of a loop.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::loops;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "ContinueWhile",
    synopsis: "Begins the next round of the loop",
    syntax: "ContinueWhile()",
    help: "Goes back to the While that began the loop.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    let begin = loops::begin(scope);
    loops::go(scope, begin, "ContinueWhile is in no loop")
}
