//! `PauseMonitor`: leaves what is said out of the recording of Monitor.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{TapKind, TapRequest};
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "PauseMonitor",
    synopsis: "Leaves what is said out of the recording of Monitor",
    syntax: "PauseMonitor()",
    help: "Until UnpauseMonitor; the time is left out of the files.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    // There is nothing that could fail: what is not recorded is not ended.
    let _ = channel.tap(TapRequest::Pause(TapKind::Monitor, true)).await?;
    Ok(Outcome::Next)
}
