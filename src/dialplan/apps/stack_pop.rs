//! `StackPop`: forgets where Return would go.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;
use crate::dialplan::state::FrameKind;

/// The application.
pub const APP: App = App {
    name: "StackPop",
    synopsis: "Forgets the latest Gosub",
    syntax: "StackPop()",
    help: "Return then goes back to the Gosub before it.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    let latest = scope.state.frames.iter().rposition(|frame| frame.kind == FrameKind::Gosub);
    match latest {
        Some(latest) => drop(scope.state.frames.remove(latest)),
        None => scope.warn("StackPop without a Gosub"),
    }
    Outcome::Next
}
