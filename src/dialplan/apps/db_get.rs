//! `DBget`: reads from the key/value database.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::database;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "DBget",
    synopsis: "Reads from the key/value database (old: write Set(name=${DB(family/key)}))",
    syntax: "DBget(name=family/key)",
    help: "As Set(name=${DB(family/key)}).",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let parts = args.split_once('=').map(|(name, key)| (name.trim(), database::path_of(key.trim())));
    match parts {
        Some((name, Ok(path))) => {
            let value = scope.environment.database().get(&path).unwrap_or_default();
            Outcome::Set(vec![(name.to_owned(), value)])
        }
        Some((_, Err(why))) => {
            scope.warn(&format!("DBget: {why}"));
            Outcome::Next
        }
        None => {
            scope.warn("DBget needs name=family/key");
            Outcome::Next
        }
    }
}
