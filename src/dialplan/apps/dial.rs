//! `Dial`: calls one or more peers and connects the first that answers.

use crate::dialplan::app::{App, AppCall, Args, Outcome, Target};
use crate::dialplan::dial_options::{HELP, Subroutine};
use crate::dialplan::dial_request;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted};

/// The application.
pub const APP: App = App {
    name: "Dial",
    synopsis: "Calls one or more peers and connects the first that answers",
    syntax: "Dial(technology/resource[&technology/resource...][,timeout[,options]])",
    help: HELP,
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let Some(request) = dial_request::take(&channel, &args.split(), APP.name) else {
        return Ok(Outcome::Stop(Cause::NONE));
    };
    if let Some(Subroutine { place, args: given }) = request.options.gosub('B') {
        let then = AppCall { name: APP.name.to_owned(), args: dial_request::without_option(args.text(), 'B') };
        return Ok(Target::parse(&place).map_or(Outcome::Next, |target| Outcome::CallThen(target, given, then)));
    }
    let continue_after = request.options.continue_after;
    let report = dial_request::dial(&mut channel, request).await?;
    Ok(dial_request::outcome(&report, continue_after))
}
