//! `Set`: assigns a variable or function.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Set",
    synopsis: "Assigns a variable or function",
    syntax: "Set(name=value)",
    help: "Everything after the first = is the value, commas and quotes included. Channels created by this one \
           inherit _NAME; those created by them inherit __NAME, too. Functions that can be written are assigned the \
           same way: Set(CALLERID(num)=42), Set(GLOBAL(X)=1).",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let Some((name, value)) = args.text().split_once('=') else {
        channel.log(Level::Warning, format!("Set needs name=value; '{}' has no '='", outside(args.text())));
        return Ok(Outcome::Next);
    };
    Ok(Outcome::Set(vec![(name.trim().to_owned(), value.to_owned())]))
}
