//! `SoftHangup`: hangs up another channel.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{HangUpRequest, Interrupted};
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "SoftHangup",
    synopsis: "Hangs up another channel",
    syntax: "SoftHangup(technology/resource[-number][,options])",
    help: "A whole name (SIP/kitchen-00000001) is that channel; SIP/kitchen is the first channel of that line, and with option a all of \
           them. What follows is as if its telephone had hung up. Without such a channel nothing happens, and the log says so.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let name = args.trimmed(0);
    let request = HangUpRequest { name: name.to_owned(), all: args.get(1).contains('a') };
    if channel.hang_up(request).await? == 0 {
        channel.log(Level::Notice, format!("SoftHangup: there is no channel '{}'", outside(name)));
    }
    Ok(Outcome::Next)
}
