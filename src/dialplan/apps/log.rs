//! `Log`: writes a line to the log.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Log",
    synopsis: "Writes a line to the log at a level",
    syntax: "Log(level,message)",
    help: "The level is ERROR, WARNING, NOTICE, VERBOSE or DEBUG (which is shown like VERBOSE, from verbosity 4 on).",
    arity: 2,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let (level, message) = args.split_once(',').unwrap_or((args, ""));
    let level = match level.trim().to_ascii_uppercase().as_str() {
        "ERROR" => Level::Error,
        "WARNING" => Level::Warning,
        "NOTICE" => Level::Notice,
        "VERBOSE" => Level::Verbose(0),
        "DEBUG" | "DTMF" => Level::Verbose(4),
        _ => {
            scope.warn(&format!("Log: '{}' is no level: ERROR, WARNING, NOTICE, VERBOSE or DEBUG", outside(level)));
            return Outcome::Next;
        }
    };
    let text = format!("Ext. {}: {message}", scope.state.position);
    scope.state.log(level, text);
    Outcome::Next
}
