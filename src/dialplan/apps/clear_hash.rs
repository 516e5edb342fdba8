//! `ClearHash`: forgets a hash.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::hash;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "ClearHash",
    synopsis: "Forgets every key of a hash",
    syntax: "ClearHash(name)",
    help: "See the function HASH.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, name: &str) -> Outcome {
    scope.state.remove_variables(&hash::prefix(name.trim()));
    Outcome::Next
}
