//! `Echo`: sends the caller's sound back.

use super::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{AppRequest, Interrupted};

/// The application.
pub const APP: App = App {
    name: "Echo",
    synopsis: "Sends the caller's sound back",
    syntax: "Echo()",
    help: "Everything heard is sent back, to judge delay and quality, until # is pressed or the caller hangs up. Answer first.",
    arity: 0,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(mut line: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    line.ask(AppRequest::Echo).await?;
    Ok(Outcome::Next)
}
