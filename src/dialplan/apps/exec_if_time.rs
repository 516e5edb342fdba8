//! `ExecIfTime`: runs an application at certain times.

use crate::dialplan::app::{App, AppCall, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "ExecIfTime",
    synopsis: "Runs an application at certain times",
    syntax: "ExecIfTime(times,weekdays,monthdays,months[,timezone]?app(args))",
    help: "Times are those of the machine's zone, or of the zone named.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let (holds, call) = scope.holds_now("ExecIfTime", args);
    match AppCall::parse(&call) {
        Some(call) if holds => Outcome::Exec(call),
        Some(_) | None => Outcome::Next,
    }
}
