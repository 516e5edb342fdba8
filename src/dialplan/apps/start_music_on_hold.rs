//! `StartMusicOnHold`: plays music on hold while the dialplan goes on.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "StartMusicOnHold",
    synopsis: "Plays music on hold while the dialplan goes on",
    syntax: "StartMusicOnHold([class])",
    help: "As MusicOnHold, and goes on at once. It ends with StopMusicOnHold, and with the next thing that the dialplan does \
           with sound: a prompt, a tone, Dial, Echo.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    channel.music(args.text().trim(), APP.name).await?;
    Ok(Outcome::Next)
}
