//! `Verbose`: writes a message to the console.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "Verbose",
    synopsis: "Writes a message to the console",
    syntax: "Verbose([level,]message)",
    help: "Shown if the console's verbosity is at least the level; without a level, always.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let (level, message) = match args.text().split_once(',') {
        Some((level, message)) => match level.trim().parse::<u8>() {
            Ok(level) => (level, message),
            Err(_) => (0, args.text()),
        },
        None => (0, args.text()),
    };
    channel.log(Level::Verbose(level), message.to_owned());
    Ok(Outcome::Next)
}
