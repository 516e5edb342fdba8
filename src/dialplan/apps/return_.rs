//! `Return`: returns from Gosub.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "Return",
    synopsis: "Returns from Gosub",
    syntax: "Return([value])",
    help: "The value is then in ${GOSUB_RETVAL}.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(_: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    Ok(Outcome::Return(args.text().to_owned()))
}
