//! `DumpChan`: shows a channel in the log.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "DumpChan",
    synopsis: "Writes what is known of the channel to the log",
    syntax: "DumpChan([verbosity])",
    help: "Shown if the console's verbosity is at least that; without it, always.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let level = Level::Verbose(args.trim().parse().unwrap_or(0));
    let state = &mut *scope.state;
    let answered = if state.answered { "answered" } else { "not answered" };
    let (name, here, who) = (state.name.clone(), state.position.clone(), state.caller.clone());
    state.log(
        level,
        format!("{name} at {here}, {answered}, caller \"{}\" <{}>", outside(&who.name), outside(&who.number)),
    );
    for (name, value) in state.all_variables() {
        state.log(level, format!("    {name}={}", outside(&value)));
    }
    Outcome::Next
}
