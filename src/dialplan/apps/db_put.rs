//! `DBput`: writes to the key/value database.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "DBput",
    synopsis: "Writes to the key/value database (old: write Set(DB(family/key)=value))",
    syntax: "DBput(family/key=value)",
    help: "As Set(DB(family/key)=value).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    match args.split_once('=') {
        Some((key, value)) => Outcome::Set(vec![(format!("DB({})", key.trim()), value.to_owned())]),
        None => {
            scope.warn("DBput needs family/key=value");
            Outcome::Next
        }
    }
}
