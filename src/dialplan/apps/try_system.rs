//! `TrySystem`: runs a command of the machine, and goes on whatever comes of it.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::command;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "TrySystem",
    synopsis: "Runs a command, when strowger.toml allows commands, and goes on whatever comes of it",
    syntax: "TrySystem(command)",
    help: "As System, but the call goes on even when the command is not found.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    command::run("TrySystem", &mut channel, args.text()).await?;
    Ok(Outcome::Next)
}
