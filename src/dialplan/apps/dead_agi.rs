//! `DeadAGI`: lets a script work for a call that has ended.

use crate::dialplan::agi;
use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "DeadAGI",
    synopsis: "Lets a script work for a call that has ended",
    syntax: "DeadAGI(script[,arguments...])",
    help: "The same as AGI, which may be used in h just as well: what needs a telephone is answered with 511 there.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    agi::run("DeadAGI", channel, args).await
}
