//! `Ringing`: indicates ringing to the caller.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, Tone};

/// The application.
pub const APP: App = App {
    name: "Ringing",
    synopsis: "Indicates ringing to the caller",
    syntax: "Ringing()",
    help: "Does not wait: follow it with Wait, or the ringing lasts only a moment.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    channel.indicate(Tone::Ringing).await?;
    Ok(Outcome::Next)
}
