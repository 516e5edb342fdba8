//! `GosubIf`: calls a subroutine on a condition.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "GosubIf",
    synopsis: "Calls a subroutine on a condition",
    syntax: "GosubIf(condition?[[[context,]exten,]priority[(args)]][:...])",
    help: "As Gosub: the first place if the condition is true, otherwise the second. Without a place, continues at \
           the next priority.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(_: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let (holds, yes, no) = arguments::condition(args.text());
    Ok(Outcome::call(if holds { &yes } else { &no }).unwrap_or(Outcome::Next))
}
