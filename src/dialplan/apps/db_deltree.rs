//! `DBdeltree`: deletes a family of the key/value database.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "DBdeltree",
    synopsis: "Deletes a family, or a part of one, of the key/value database",
    syntax: "DBdeltree(family[/part])",
    help: "What stands below it goes, too.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    match args.trim().trim_matches('/') {
        "" => scope.warn("DBdeltree needs a family"),
        family => drop(scope.environment.database().delete_tree(&format!("/{family}"))),
    }
    Outcome::Next
}
