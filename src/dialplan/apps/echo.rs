//! `Echo`: echoes the caller's audio.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "Echo",
    synopsis: "Echoes the caller's audio",
    syntax: "Echo()",
    help: "Sends back everything it receives, to judge delay and quality, until the caller presses # or hangs up. Answer first. LineTest(loop) at another exchange measures such a loop.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    channel.echo().await?;
    Ok(Outcome::Next)
}
