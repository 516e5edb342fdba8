//! `EAGI`: refused, for no script is given the sound of a call.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "EAGI",
    synopsis: "Is refused: no script is given the sound of a call",
    syntax: "EAGI(script[,arguments...])",
    help: "Sets AGISTATUS to FAILURE and continues. Use AGI; a script that needs what the caller says has it recorded \
           (RECORD FILE) and reads the file.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    let text =
        "EAGI is refused: no script is given the sound of a call; use AGI, and RECORD FILE for what the caller says";
    channel.log(Level::Warning, text.to_owned());
    channel.set_variable("AGISTATUS", "FAILURE");
    Ok(Outcome::Next)
}
