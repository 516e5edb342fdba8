//! `ReadExten`: reads an extension into a variable.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::lookup;
use crate::dialplan::menu;
use crate::dialplan::request::{Interrupted, Played};
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "ReadExten",
    synopsis: "Reads an extension into a variable",
    syntax: "ReadExten(variable[,sound[&sound...][,context[,options[,timeout]]]])",
    help: "Digits are waited for as BackGround does, but the call stays where it is. Options: s (only if the call is \
           answered already), n (does not answer), i (the sound is the name of a tone: dial, busy, ring, congestion), \
           p (# ends the number). Sets READEXTENSTATUS: OK; INVALID, and then the variable to i and INVALID_EXTEN to \
           what was dialled; TIMEOUT, and then the variable to t; SKIP; ERROR.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let variable = args.trimmed(0).to_owned();
    let end = |channel: &ChannelHandle, status: &str| {
        channel.set_variable("READEXTENSTATUS", status);
        Ok(Outcome::Next)
    };
    if variable.is_empty() {
        channel.log(Level::Warning, "ReadExten needs the name of a variable".to_owned());
        return end(&channel, "ERROR");
    }
    let options = args.trimmed(3).to_owned();
    if !channel.is_answered() {
        if options.contains('s') {
            channel.set_variable(&variable, "");
            return end(&channel, "SKIP");
        }
        if !options.contains('n') {
            channel.answer().await?;
        }
    }
    let context = Some(args.trimmed(2)).filter(|context| !context.is_empty());
    let context = context.map_or_else(|| menu::here(&channel), str::to_owned);
    let given = arguments::seconds(args.trimmed(4)).filter(|time| !time.is_zero());
    let first = given.unwrap_or_else(|| channel.with_state(|state| state.timeouts.response));
    let prompts = match args.trimmed(1) {
        name if options.contains('i') && !name.is_empty() => menu::tone(name, first),
        names => menu::names(names),
    };
    let mut digit = None;
    if !prompts.is_empty() {
        let played = channel.play_until(prompts, Digits::ANY).await?;
        menu::was_played(&channel, APP.name, &played);
        if let Played::Digit(pressed) = played {
            digit = Some(pressed);
        }
    }
    if digit.is_none() {
        digit = channel.digit(first).await?;
    }
    let Some(digit) = digit else {
        channel.set_variable(&variable, "t");
        return end(&channel, "TIMEOUT");
    };
    let mut dialled = String::from(digit);
    menu::dial_on(&mut channel, &context, &mut dialled, options.contains('p').then_some('#')).await?;
    if channel.with_state(|state| lookup::has(state, &context, &dialled)) {
        channel.set_variable(&variable, &dialled);
        return end(&channel, "OK");
    }
    channel.set_variable(&variable, "i");
    channel.set_variable("INVALID_EXTEN", &dialled);
    end(&channel, "INVALID")
}
