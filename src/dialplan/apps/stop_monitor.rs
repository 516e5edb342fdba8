//! `StopMonitor`: ends recordings of Monitor.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{TapKind, TapRequest};
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "StopMonitor",
    synopsis: "Ends recordings of Monitor",
    syntax: "StopMonitor()",
    help: "All of the channel.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    // There is nothing that could fail: what is not recorded is not ended.
    let _ = channel.tap(TapRequest::Stop(TapKind::Monitor, None)).await?;
    Ok(Outcome::Next)
}
