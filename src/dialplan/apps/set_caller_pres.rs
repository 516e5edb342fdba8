//! `SetCallerPres`: says whether the number of the caller may be shown.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetCallerPres",
    synopsis: "Says whether the number of the caller may be shown (old: write Set(CALLERPRES()=presentation))",
    syntax: "SetCallerPres(presentation)",
    help: "As Set(CALLERPRES()=presentation).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CALLERPRES()".to_owned(), args.to_owned())])
}
