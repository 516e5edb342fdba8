//! `SetCallerID`: sets name and number of the caller.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetCallerID",
    synopsis: "Sets name and number of the caller (old: write Set(CALLERID(all)=\"name\" <number>))",
    syntax: "SetCallerID(\"name\" <number>)",
    help: "As Set(CALLERID(all)=\"name\" <number>).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CALLERID(all)".to_owned(), args.to_owned())])
}
