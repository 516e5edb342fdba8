//! `System`: runs a command of the machine.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::command::{self, Ran};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted};

/// The application.
pub const APP: App = App {
    name: "System",
    synopsis: "Runs a command, when strowger.toml allows commands",
    syntax: "System(command)",
    help: "Waits until the command has ended, for 60 s at most, and sets SYSTEMSTATUS to SUCCESS, APPERROR (it ended with \
           another status than 0) or FAILURE (it could not be run). A command in which a caller has chosen something that \
           the shell acts upon, by ${CALLERID(name)} or an unfiltered ${EXTEN}, is not run. One that the shell \
           does not find ends the call; TrySystem goes on.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    Ok(match command::run("System", &mut channel, args.text()).await? {
        Ran::NotFound => Outcome::Stop(Cause::NONE),
        Ran::Ended | Ran::Refused => Outcome::Next,
    })
}
