//! `Macro`: runs a macro: an older kind of subroutine.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::arguments;
use crate::dialplan::jumps;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "Macro",
    synopsis: "Runs a macro, an older kind of subroutine",
    syntax: "Macro(name[,arg1[,...]])",
    help: "Runs extension s of context macro-NAME from priority 1, with the arguments in ${ARG1}, ${ARG2}... and what called it in \
           ${MACRO_EXTEN}, ${MACRO_CONTEXT} and ${MACRO_PRIORITY}. It ends where there is no further priority, and the call \
           goes on behind it (so many priorities further as ${MACRO_OFFSET} says). A jump into another context leaves it. \
           Gosub does the same better.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    jumps::enter_macro(scope, &arguments::split(args), None)
}
