//! `AppendCDRUserField`: adds to the user field of the call record.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "AppendCDRUserField",
    synopsis: "Adds to the user field of the call record (old: write Set(CDR(userfield)=...))",
    syntax: "AppendCDRUserField(text)",
    help: "As Set(CDR(userfield)=${CDR(userfield)}text).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let value = format!("{}{args}", scope.state.record.user_field);
    Outcome::Set(vec![("CDR(userfield)".to_owned(), value)])
}
