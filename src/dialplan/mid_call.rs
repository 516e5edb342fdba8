//! What runs for a telephone that has pressed a code in mid-call: applications that no dialplan names.

use super::app::{App, Args, Outcome};
use super::arguments::Split;
use super::dial_options::DialOptions;
use super::dial_request;
use super::digits::Digits;
use super::handle::ChannelHandle;
use super::lookup;
use super::menu;
use super::request::{Cause, DialRequest, DialStatus, DialTarget, Interrupted, Played};
use super::say::letters;
use crate::event::Level;
use std::time::Duration;

/// The variable with the number that was typed; empty: none that is there.
pub const NUMBER: &str = "TRANSFERNUMBER";
/// The variable with the place of a call that is being parked.
pub const PLACE: &str = "PARKINGSLOT";

/// Reads the number of a transfer: `context,prompt,invalid,milliseconds`.
pub static READ_NUMBER: App = App {
    name: "TransferNumber",
    synopsis: "Reads the number of a transfer",
    syntax: "TransferNumber(context,prompt,invalid,milliseconds)",
    help: "",
    arity: 4,
    run: |channel, args| Box::pin(read_number(channel, args)),
};

/// The same, and calls it: `context,prompt,invalid,milliseconds,seconds,sound of failure`.
pub static CONSULT: App = App {
    name: "Consult",
    synopsis: "Reads the number of a transfer and calls it",
    syntax: "Consult(context,prompt,invalid,milliseconds,seconds,failed)",
    help: "",
    arity: 6,
    run: |channel, args| Box::pin(consult(channel, args)),
};

/// Calls a number for a line whose transferer has hung up meanwhile, and then that one: `context,number,line,seconds,times,delay`.
pub static RECALL: App = App {
    name: "Recall",
    synopsis: "Calls the number of a transfer, and then who transferred",
    syntax: "Recall(context,number,line,seconds,times,delay)",
    help: "",
    arity: 6,
    run: |channel, args| Box::pin(recall(channel, args)),
};

/// Says where a call is parked.
pub static SAY_PLACE: App = App {
    name: "SayPlace",
    synopsis: "Says where a call is parked",
    syntax: "SayPlace()",
    help: "",
    arity: 0,
    run: |channel, args| Box::pin(say_place(channel, args)),
};

async fn read_number(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let number = number(&mut channel, &args.split()).await?;
    channel.set_variable(NUMBER, &number);
    Ok(Outcome::Stop(Cause::NORMAL))
}

async fn consult(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let number = number(&mut channel, &args).await?;
    channel.set_variable(NUMBER, &number);
    if number.is_empty() {
        return Ok(Outcome::Stop(Cause::NORMAL));
    }
    let options = DialOptions { continue_after: true, ..DialOptions::default() };
    let target = format!("Local/{number}@{}", args.trimmed(0));
    let time = Duration::from_secs(args.trimmed(4).parse().unwrap_or(15));
    let is_had = call(&mut channel, &target, time, options).await?;
    if !is_had && !args.trimmed(5).is_empty() {
        let played = channel.play(vec![args.trimmed(5).to_owned()]).await?;
        menu::was_played(&channel, "transfer", &played);
    }
    Ok(Outcome::Stop(Cause::NORMAL))
}

/// Calls a line; says whether it answered.
async fn call(
    channel: &mut ChannelHandle,
    target: &str,
    time: Duration,
    options: DialOptions,
) -> Result<bool, Interrupted> {
    let Some(target) = DialTarget::parse(target) else { return Ok(false) };
    let request = DialRequest { targets: vec![target], timeout: Some(time), options, located: Default::default() };
    Ok(dial_request::dial(channel, request).await?.status == DialStatus::Answer)
}

/// As soon as somebody answers this is broken off: the channel goes on as before, with that one.
async fn recall(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let (number, line) = (format!("Local/{}@{}", args.trimmed(1), args.trimmed(0)), args.trimmed(2).to_owned());
    let amount = |index: usize| args.trimmed(index).parse::<u64>().unwrap_or(0);
    let (time, times, delay) = (Duration::from_secs(amount(3)), amount(4), Duration::from_secs(amount(5)));
    let ringing = || DialOptions { ringing: true, continue_after: true, ..DialOptions::default() };
    for count in 0..=times {
        if count > 0 {
            channel.wait(delay).await?;
        }
        for target in [&number, &line] {
            if call(&mut channel, target, time, ringing()).await? {
                return Ok(Outcome::Stop(Cause::NORMAL));
            }
        }
    }
    Ok(Outcome::Stop(Cause::NORMAL))
}

/// A number of the context; empty when none was typed that is there, which is said.
async fn number(channel: &mut ChannelHandle, args: &Split) -> Result<String, Interrupted> {
    let context = args.trimmed(0).to_owned();
    let time = Duration::from_millis(args.trimmed(3).parse().unwrap_or(3_000));
    let mut dialled = String::new();
    if !args.trimmed(1).is_empty() {
        let played = channel.play_until(vec![args.trimmed(1).to_owned()], Digits::ANY).await?;
        menu::was_played(channel, "transfer", &played);
        if let Played::Digit(digit) = played {
            dialled.push(digit);
        }
    }
    let may_go_on = |channel: &ChannelHandle, dialled: &str| {
        dialled.is_empty() || channel.with_state(|state| lookup::may_go_on(state, &context, dialled))
    };
    while dialled != "#" && dialled.len() < menu::MAX_EXTEN && may_go_on(channel, &dialled) {
        match channel.digit(time).await? {
            Some('#') | None => break,
            Some(digit) => dialled.push(digit),
        }
    }
    if channel.with_state(|state| lookup::has(state, &context, &dialled)) {
        return Ok(dialled);
    }
    let text =
        format!("There is no extension '{}' in context '{context}' to transfer to", crate::wording::outside(&dialled));
    channel.log(Level::Notice, text);
    if !args.trimmed(2).is_empty() {
        let played = channel.play(vec![args.trimmed(2).to_owned()]).await?;
        menu::was_played(channel, "transfer", &played);
    }
    Ok(String::new())
}

/// How long the other side may take until it is parked.
const PARKS: Duration = Duration::from_millis(500);

async fn say_place(mut channel: ChannelHandle, _: Args) -> Result<Outcome, Interrupted> {
    channel.wait(PARKS).await?;
    let place = channel.variable(PLACE);
    let sounds = if place.is_empty() { vec!["pbx-parkingfailed".to_owned()] } else { letters::digits(&place) };
    let played = channel.play(sounds).await?;
    menu::was_played(&channel, "parking", &played);
    Ok(Outcome::Stop(Cause::NORMAL))
}
