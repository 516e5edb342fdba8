//! `Gosub`: goes elsewhere until `Return`.

use super::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted, Level};

/// The application.
pub const APP: App = App {
    name: "Gosub",
    synopsis: "Goes elsewhere in the dialplan until Return",
    syntax: "Gosub([[context,]exten,]priority[(arg1[,...])])",
    help: "The arguments are ${ARG1}, ${ARG2}... there and their number ${ARGC}; Return comes back to the next priority.",
    arity: 1,
    run: |line, args| Box::pin(run(line, args)),
};

async fn run(line: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    Ok(Outcome::call(args.text()).unwrap_or_else(|| {
        line.log(Level::Warning, "Gosub needs a priority or label to go to".to_owned());
        Outcome::Stop(Cause::NONE)
    }))
}
