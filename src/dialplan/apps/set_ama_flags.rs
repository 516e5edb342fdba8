//! `SetAMAFlags`: sets what the call record is for.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetAMAFlags",
    synopsis: "Sets what the call record is for (old: write Set(CDR(amaflags)=default|omit|billing|documentation))",
    syntax: "SetAMAFlags(default|omit|billing|documentation)",
    help: "As Set(CDR(amaflags)=default|omit|billing|documentation).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CDR(amaflags)".to_owned(), args.to_owned())])
}
