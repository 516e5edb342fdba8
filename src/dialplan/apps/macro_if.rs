//! `MacroIf`: runs a macro on a condition.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::arguments;
use crate::dialplan::jumps;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "MacroIf",
    synopsis: "Runs a macro on a condition",
    syntax: "MacroIf(condition?name[,args][:name[,args]])",
    help: "As Macro: the first if the condition is true, otherwise the second if there is one.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let (holds, yes, no) = arguments::condition(args);
    match if holds { yes } else { no } {
        nothing if nothing.is_empty() => Outcome::Next,
        branch => jumps::enter_macro(scope, &arguments::split(&branch), None),
    }
}
