//! `GotoIf`: jumps to a priority on a condition.

use crate::dialplan::app::{App, Args, Outcome, Target};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "GotoIf",
    synopsis: "Jumps to a priority on a condition",
    syntax: "GotoIf(condition?[[[context,]exten,]priority][:[[context,]exten,]priority])",
    help: "Jumps to the first place if the condition is true, otherwise to the second. Without a place, continues \
           at the next priority. Empty text and 0 are false; any other text is true.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(_: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let (holds, yes, no) = arguments::condition(args.text());
    Ok(Target::parse(if holds { &yes } else { &no }).map_or(Outcome::Next, Outcome::Jump))
}
