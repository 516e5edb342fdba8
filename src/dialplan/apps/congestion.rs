//! `Congestion`: indicates congestion to the caller.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted, Tone, UNTIL_HANGUP};

/// The application.
pub const APP: App = App {
    name: "Congestion",
    synopsis: "Indicates congestion to the caller",
    syntax: "Congestion([seconds])",
    help: "Refuses an unanswered call (503); on an answered one, plays the congestion tone until the caller hangs \
           up or the seconds are over. The dialplan ends here.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    channel.with_state(|state| state.cause = Cause::CONGESTION);
    channel.indicate(Tone::Congestion).await?;
    channel.wait(arguments::seconds(args.text()).unwrap_or(UNTIL_HANGUP)).await?;
    Ok(Outcome::Stop(Cause::CONGESTION))
}
