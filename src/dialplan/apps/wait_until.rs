//! `WaitUntil`: waits for a moment.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "WaitUntil",
    synopsis: "Waits for a moment",
    syntax: "WaitUntil(epoch)",
    help: "The moment is in seconds since 1970, as ${EPOCH} has it. Sets WAITUNTILSTATUS: OK, PAST, HANGUP or FAILURE.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let now = channel.wall().0.max(0).unsigned_abs();
    let status = match arguments::seconds(args.text()) {
        None => {
            let text = format!("WaitUntil: '{}' is not a number of seconds", outside(args.text()));
            channel.log(Level::Warning, text);
            "FAILURE"
        }
        Some(until) => match until.checked_sub(Duration::from_millis(now)) {
            None => "PAST",
            Some(time) => {
                channel.set_variable("WAITUNTILSTATUS", "HANGUP");
                channel.wait(time).await?;
                "OK"
            }
        },
    };
    channel.set_variable("WAITUNTILSTATUS", status);
    Ok(Outcome::Next)
}
