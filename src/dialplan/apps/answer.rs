//! `Answer`: answers the call.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "Answer",
    synopsis: "Answers the call",
    syntax: "Answer([delay])",
    help: "No effect when the call is answered already. With a delay, waits that many milliseconds afterwards, so \
           that the first words of a prompt are not lost.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    channel.answer().await?;
    if let Some(delay) = arguments::seconds(args.split().get(0)) {
        channel.wait(delay / 1000).await?;
    }
    Ok(Outcome::Next)
}
