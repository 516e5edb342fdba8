//! `SetAccount`: sets the account of the call record.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetAccount",
    synopsis: "Sets the account of the call record (old: write Set(CDR(accountcode)=account))",
    syntax: "SetAccount(account)",
    help: "As Set(CDR(accountcode)=account).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CDR(accountcode)".to_owned(), args.to_owned())])
}
