//! `GotoIf`: goes on elsewhere on a condition.

use super::{App, Args, Outcome, Target};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "GotoIf",
    synopsis: "Goes on elsewhere in the dialplan on a condition",
    syntax: "GotoIf(condition?[[[context,]exten,]priority][:[[context,]exten,]priority])",
    help: "To the first place when the condition holds and otherwise to the second; without a place goes on with the next \
           priority. Empty text and 0 do not hold; other text does.",
    arity: 1,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(_: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let (holds, yes, no) = arguments::condition(args.text());
    Ok(Target::parse(if holds { &yes } else { &no }).map_or(Outcome::Next, Outcome::Jump))
}
