//! `Wait`: lets time pass.

use super::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::ask::{Ended, Level};
use crate::dialplan::line::Line;

/// The application.
pub const APP: App = App {
    name: "Wait",
    synopsis: "Lets time pass",
    syntax: "Wait(seconds)",
    help: "The seconds may have a fraction.",
    arity: 1,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(mut line: Line, args: Args) -> Result<Outcome, Ended> {
    match arguments::seconds(args.text()) {
        Some(time) => line.wait(time).await?,
        None if args.text().is_empty() => {}
        None => line.log(Level::Warning, format!("Wait: '{}' is no number of seconds", args.text())),
    }
    Ok(Outcome::Next)
}
