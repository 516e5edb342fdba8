//! `SetCIDNum`: sets the number of the caller.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "SetCIDNum",
    synopsis: "Sets the number of the caller (old: write Set(CALLERID(num)=number))",
    syntax: "SetCIDNum(number)",
    help: "As Set(CALLERID(num)=number).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, args: &str) -> Outcome {
    Outcome::Set(vec![("CALLERID(num)".to_owned(), args.to_owned())])
}
