//! `StopMusicOnHold`: stops music on hold.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "StopMusicOnHold",
    synopsis: "Stops music on hold",
    syntax: "StopMusicOnHold()",
    help: "Ends what StartMusicOnHold plays.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    channel.stop_music().await?;
    Ok(Outcome::Next)
}
