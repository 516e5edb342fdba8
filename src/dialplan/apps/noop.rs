//! `NoOp`: does nothing.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "NoOp",
    synopsis: "Does nothing",
    syntax: "NoOp([text])",
    help: "The text is evaluated and shown on the console with the step: a way to look at variables.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(_: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    Ok(Outcome::Next)
}
