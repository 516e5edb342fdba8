//! `SendDTMF`: sends a telephone digits.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::digits::DigitRow;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, SendDigitsRequest};
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "SendDTMF",
    synopsis: "Sends a telephone digits",
    syntax: "SendDTMF(digits[,gap][,duration][,channel][,options])",
    help: "The digits are 0 to 9, *, #, A to D; f is a hook flash, w a pause of half a second, W of a second. gap (the \
           pause behind each, 250) and duration (how long each is pressed, 100) are in milliseconds. They go to the \
           caller, or to the named channel, in the way of its line (dtmfmode). Option: a (answer the call first).",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let (mut row, left) = DigitRow::parse(args.get(0));
    if !left.is_empty() {
        channel.log(Level::Warning, format!("SendDTMF: '{}' is not sent: no digits, or too many", outside(&left)));
    }
    let milliseconds = |place: usize| {
        arguments::seconds(args.get(place)).map(|time| time / 1_000).filter(|time: &Duration| !time.is_zero())
    };
    row.gap = milliseconds(1).unwrap_or(row.gap);
    row.pressed = milliseconds(2).unwrap_or(row.pressed);
    if args.trimmed(4).contains('a') {
        channel.answer().await?;
    }
    let to = Some(args.trimmed(3).to_owned()).filter(|name| !name.is_empty());
    if let Err(why) = channel.send_digits(SendDigitsRequest { row, channel: to }).await? {
        channel.log(Level::Warning, format!("SendDTMF: {why}"));
    }
    Ok(Outcome::Next)
}
