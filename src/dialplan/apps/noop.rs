//! `NoOp`: does nothing, and shows its text.

use super::{App, Args, Outcome};
use crate::dialplan::ask::Ended;
use crate::dialplan::line::Line;

/// The application.
pub const APP: App = App {
    name: "NoOp",
    synopsis: "Does nothing",
    syntax: "NoOp([text])",
    help: "The text is substituted and shown on the console with the step itself: a way to look at variables.",
    arity: 0,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(_: Line, _: Args) -> Result<Outcome, Ended> {
    Ok(Outcome::Next)
}
