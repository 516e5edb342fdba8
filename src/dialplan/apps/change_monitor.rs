//! `ChangeMonitor`: gives the files of Monitor another name.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{TapKind, TapRequest};
use crate::dialplan::request::Interrupted;
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "ChangeMonitor",
    synopsis: "Gives the files of Monitor another name",
    syntax: "ChangeMonitor(name)",
    help: "Those of the channel's recordings that are under way: NAME-in and NAME-out, or NAME where both are mixed, with the ending that they \
           have. The recording goes on. A file that is there already under that name stays, and the recording keeps the name it has, which is logged when it ends.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    if let Err(why) = channel.tap(TapRequest::Rename(TapKind::Monitor, args.trimmed(0).to_owned())).await? {
        channel.log(Level::Warning, format!("ChangeMonitor: {why}"));
    }
    Ok(Outcome::Next)
}
