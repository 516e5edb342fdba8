//! `Ringing`: lets the caller hear ringing.

use super::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, Tone};

/// The application.
pub const APP: App = App {
    name: "Ringing",
    synopsis: "Lets the caller hear ringing",
    syntax: "Ringing()",
    help: "Shows ringing at once and goes on: follow it with Wait, or the caller will hear it for a moment only.",
    arity: 0,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(mut line: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    line.indicate(Tone::Ringing).await?;
    Ok(Outcome::Next)
}
