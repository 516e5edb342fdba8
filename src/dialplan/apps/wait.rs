//! `Wait`: waits for a number of seconds.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Wait",
    synopsis: "Waits for a number of seconds",
    syntax: "Wait(seconds)",
    help: "Fractions are allowed.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    match arguments::seconds(args.text()) {
        Some(time) => channel.wait(time).await?,
        None if args.text().is_empty() => {}
        None => channel.log(Level::Warning, format!("Wait: '{}' is not a number of seconds", outside(args.text()))),
    }
    Ok(Outcome::Next)
}
