//! `Echo`: sends the caller's sound back.

use super::{App, Args, Outcome};
use crate::dialplan::ask::{Ask, Ended};
use crate::dialplan::line::Line;

/// The application.
pub const APP: App = App {
    name: "Echo",
    synopsis: "Sends the caller's sound back",
    syntax: "Echo()",
    help: "Everything heard is sent back, to judge delay and quality, until # is pressed or the caller hangs up. Answer first.",
    arity: 0,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(mut line: Line, _: Args) -> Result<Outcome, Ended> {
    line.ask(Ask::Echo).await?;
    Ok(Outcome::Next)
}
