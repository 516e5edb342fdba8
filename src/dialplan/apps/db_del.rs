//! `DBdel`: deletes an entry of the key/value database.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::database;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "DBdel",
    synopsis: "Deletes an entry of the key/value database",
    syntax: "DBdel(family/key)",
    help: "As the function DB_DELETE.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    match database::path_of(args.trim()) {
        Ok(path) => drop(scope.environment.database().delete(&path)),
        Err(why) => scope.warn(&format!("DBdel: {why}")),
    }
    Outcome::Next
}
