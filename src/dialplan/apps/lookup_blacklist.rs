//! `LookupBlacklist`: looks a caller up in the blacklist.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::database;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "LookupBlacklist",
    synopsis: "Looks the caller up in the blacklist (old: write GotoIf(${BLACKLIST()}?...))",
    syntax: "LookupBlacklist()",
    help: "Sets LOOKUPBLSTATUS: FOUND or NOTFOUND, as family blacklist of the database has the number or name.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    let caller = &scope.state.caller;
    let is_found = database::is_blacklisted(scope.environment.database(), &caller.number, &caller.name);
    scope.state.set_variable("LOOKUPBLSTATUS", if is_found { "FOUND" } else { "NOTFOUND" });
    Outcome::Next
}
