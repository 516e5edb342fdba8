//! `GosubIf`: goes elsewhere on a condition, until `Return`.

use super::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "GosubIf",
    synopsis: "Goes elsewhere in the dialplan on a condition, until Return",
    syntax: "GosubIf(condition?[[[context,]exten,]priority[(args)]][:...])",
    help: "As Gosub, to the first place when the condition holds and otherwise to the second; without a place goes on.",
    arity: 1,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(_: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let (holds, yes, no) = arguments::condition(args.text());
    Ok(Outcome::call(if holds { &yes } else { &no }).unwrap_or(Outcome::Next))
}
