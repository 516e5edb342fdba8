//! `StopPlayTones`: ends tones.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "StopPlayTones",
    synopsis: "Ends the tones of PlayTones",
    syntax: "StopPlayTones()",
    help: "The caller hears nothing any more until the next sound.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    channel.stop_tone().await?;
    Ok(Outcome::Next)
}
