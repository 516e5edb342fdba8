//! `ExecIf`: runs an application on a condition.

use crate::dialplan::app::{App, AppCall, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "ExecIf",
    synopsis: "Runs an application on a condition",
    syntax: "ExecIf(condition?app(args)[:app(args)])",
    help: "Runs the first application if the condition is true, otherwise the second if there is one.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(_: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let (holds, yes, no) = arguments::condition(args.text());
    Ok(AppCall::parse(if holds { &yes } else { &no }).map_or(Outcome::Next, Outcome::Exec))
}
