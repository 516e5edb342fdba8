//! `MacroExit`: ends a macro.

use crate::dialplan::app::{App, Outcome, Target, decided};
use crate::dialplan::jumps;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "MacroExit",
    synopsis: "Ends the macro",
    syntax: "MacroExit()",
    help: "The call goes on behind the line that ran the macro.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    match jumps::exit_macro(scope) {
        Some(back) => Outcome::Jump(Target::at(&back)),
        None => {
            scope.warn("MacroExit is in no macro");
            Outcome::Next
        }
    }
}
