//! `Goto`: jumps to a priority.

use crate::dialplan::app::{App, Args, Outcome, Target};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted};
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "Goto",
    synopsis: "Jumps to a priority",
    syntax: "Goto([[context,]exten,]priority)",
    help: "The priority is a number, a label, or +n or -n relative to this one. A context or extension left out \
           stays the same.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    Ok(match Target::parse(args.text()) {
        Some(target) => Outcome::Jump(target),
        None => {
            channel.log(Level::Warning, "Goto needs a priority or label to go to".to_owned());
            Outcome::Stop(Cause::NONE)
        }
    })
}
