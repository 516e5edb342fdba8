//! `SayMoney`: says an amount of money.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::dialplan::say;
use crate::dialplan::speak;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "SayMoney",
    synopsis: "Says an amount of money",
    syntax: "SayMoney(amount)",
    help: "Dollars and cents: 12.50. In Spanish and French there is no word for cents among the sounds: the number behind \
           the dollars is said alone. With SAY_DTMF_INTERRUPT=yes a digit interrupts it, and is the first of the \
           extension the call goes to.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let words = say::cents(args.text()).and_then(|cents| speak::language(&channel).money(cents));
    let Some(words) = words else {
        channel.log(Level::Warning, format!("SayMoney needs an amount, as 12.50, and not '{}'", outside(args.text())));
        return Ok(Outcome::Next);
    };
    speak::say(&mut channel, APP.name, words).await
}
