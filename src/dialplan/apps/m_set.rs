//! `MSet`: assigns several variables.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::arguments;
use crate::dialplan::scope::Scope;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "MSet",
    synopsis: "Assigns several variables or functions",
    syntax: "MSet(name1=value1[,name2=value2[,...]])",
    help: "As Set, for several at once; a value with a comma stands in quotes.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let mut assignments = Vec::new();
    for piece in arguments::pieces(args, ',', usize::MAX) {
        match piece.split_once('=') {
            Some((name, value)) => assignments.push((name.trim().to_owned(), arguments::unquote(value))),
            None => scope.warn(&format!("MSet needs name=value; '{}' has no '='", outside(&piece))),
        }
    }
    Outcome::Set(assignments)
}
