//! `SetCIDName`: sets the name of the caller.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetCIDName",
    synopsis: "Sets the name of the caller (old: write Set(CALLERID(name)=name))",
    syntax: "SetCIDName(name)",
    help: "As Set(CALLERID(name)=name).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CALLERID(name)".to_owned(), args.to_owned())])
}
