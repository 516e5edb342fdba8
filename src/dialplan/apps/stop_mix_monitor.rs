//! `StopMixMonitor`: ends recordings of MixMonitor.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{TapKind, TapRequest};
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "StopMixMonitor",
    synopsis: "Ends recordings of MixMonitor",
    syntax: "StopMixMonitor([number])",
    help: "All of the channel, or the one whose number MixMonitor's option i gave.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    // A text that is no number means all.
    // There is nothing that could fail: what is not recorded is not ended.
    let _ = channel.tap(TapRequest::Stop(TapKind::Mix, args.text().trim().parse().ok())).await?;
    Ok(Outcome::Next)
}
