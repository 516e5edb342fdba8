//! `Busy`: indicates busy to the caller.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted, Tone, UNTIL_HANGUP};

/// The application.
pub const APP: App = App {
    name: "Busy",
    synopsis: "Indicates busy to the caller",
    syntax: "Busy([seconds])",
    help: "Refuses an unanswered call as busy (486); on an answered one, plays the busy tone until the caller hangs \
           up or the seconds are over. The dialplan ends here.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    channel.with_state(|state| state.cause = Cause::BUSY);
    channel.indicate(Tone::Busy).await?;
    channel.wait(arguments::seconds(args.text()).unwrap_or(UNTIL_HANGUP)).await?;
    Ok(Outcome::Stop(Cause::BUSY))
}
