//! `SetCDRUserField`: sets the user field of the call record.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetCDRUserField",
    synopsis: "Sets the user field of the call record (old: write Set(CDR(userfield)=text))",
    syntax: "SetCDRUserField(text)",
    help: "As Set(CDR(userfield)=text).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CDR(userfield)".to_owned(), args.to_owned())])
}
