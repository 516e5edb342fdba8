//! `ExecIf`: runs an application on a condition.

use super::{App, AppCall, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::ask::Ended;
use crate::dialplan::line::Line;

/// The application.
pub const APP: App = App {
    name: "ExecIf",
    synopsis: "Runs an application on a condition",
    syntax: "ExecIf(condition?app(args)[:app(args)])",
    help: "Runs the first application when the condition holds, otherwise the second if there is one.",
    arity: 1,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(_: Line, args: Args) -> Result<Outcome, Ended> {
    let (holds, yes, no) = arguments::condition(args.text());
    let chosen = if holds { yes } else { no };
    let chosen = chosen.trim();
    if chosen.is_empty() {
        return Ok(Outcome::Next);
    }
    let (name, args) = chosen.split_once('(').unwrap_or((chosen, ""));
    let args = args.rfind(')').and_then(|end| args.get(..end)).unwrap_or(args);
    Ok(Outcome::Exec(AppCall { name: name.trim().to_owned(), args: args.to_owned() }))
}
