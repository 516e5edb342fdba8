//! `Gosub`: calls a subroutine.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted};
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "Gosub",
    synopsis: "Calls a subroutine",
    syntax: "Gosub([[context,]exten,]priority[(arg1[,...])])",
    help: "The subroutine has its arguments in ${ARG1}, ${ARG2}... and their number in ${ARGC}; Return continues at \
           the priority after Gosub.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    Ok(Outcome::call(args.text()).unwrap_or_else(|| {
        channel.log(Level::Warning, "Gosub needs a priority or label to go to".to_owned());
        Outcome::Stop(Cause::NONE)
    }))
}
