//! `Progress`: opens early media.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, Tone};

/// The application.
pub const APP: App = App {
    name: "Progress",
    synopsis: "Opens early media",
    syntax: "Progress()",
    help: "What is played before the answer then reaches the caller.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    channel.indicate(Tone::Progress).await?;
    Ok(Outcome::Next)
}
