//! `Read`: reads a number into a variable.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::menu::{self, MAX_TYPED, Typed, Typing};
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "Read",
    synopsis: "Reads digits into a variable",
    syntax: "Read(variable[,sound[&sound...][,maxdigits[,options[,attempts[,timeout]]]]])",
    help: "The first digit ends the sounds. Reading ends with #, after maxdigits digits, or when none came for timeout \
           seconds (without: TIMEOUT(response) for the first digit, TIMEOUT(digit) for the others). When nothing was \
           dialled, it is tried attempts times in all. Answers the call first. Options: s (only if the call is answered \
           already), n (does not answer), i (the sound is the name of a tone: dial, busy, ring, congestion), t(x) (x \
           ends the number instead of #; t without a digit: nothing does), e (an empty number ended by # is one: no \
           further attempt). Sets READSTATUS to OK, TIMEOUT, SKIPPED, HANGUP or ERROR.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let variable = args.trimmed(0).to_owned();
    let status = |channel: &ChannelHandle, status: &str| channel.set_variable("READSTATUS", status);
    if variable.is_empty() {
        channel.log(Level::Warning, "Read needs the name of a variable".to_owned());
        status(&channel, "ERROR");
        return Ok(Outcome::Next);
    }
    let options = arguments::options(args.trimmed(3));
    let has = |letter: char| options.iter().any(|(given, _)| *given == letter);
    if !channel.is_answered() {
        if has('s') {
            channel.set_variable(&variable, "");
            status(&channel, "SKIPPED");
            return Ok(Outcome::Next);
        }
        if !has('n') {
            channel.answer().await?;
        }
    }
    let given = arguments::seconds(args.trimmed(5)).filter(|time| !time.is_zero());
    let (first, next) = channel.with_state(|state| (state.timeouts.response, state.timeouts.digit));
    let (first, next) = (given.unwrap_or(first), given.unwrap_or(next));
    let most = args.trimmed(2).parse().ok().filter(|most| *most > 0).unwrap_or(MAX_TYPED);
    let end = options.iter().find(|(letter, _)| *letter == 't').map_or(Some('#'), |(_, argument)| {
        argument.as_deref().and_then(|argument| argument.chars().next()).and_then(crate::dialplan::digits::digit)
    });
    let attempts: u32 = args.trimmed(4).parse().unwrap_or(1);
    for left in (0..attempts.clamp(1, MAX_ATTEMPTS)).rev() {
        let prompts = prompts(&args, has('i'), first);
        let mut number = String::new();
        let typing = Typing { prompts, most, end, first, next };
        let typed = menu::read_number(&mut channel, APP.name, typing, &mut number).await;
        channel.set_variable(&variable, &number);
        let typed = match typed {
            Ok(typed) => typed,
            Err(interrupted) => {
                status(&channel, "HANGUP");
                return Err(interrupted);
            }
        };
        status(&channel, if typed == Typed::Timeout { "TIMEOUT" } else { "OK" });
        if !number.is_empty() {
            channel.log(Level::Verbose(3), format!("User entered '{}'", outside(&number)));
            break;
        }
        if typed == Typed::Ended && has('e') {
            break;
        }
        let rest = if left > 0 { format!(", {left} attempts left") } else { String::new() };
        channel.log(Level::Verbose(3), format!("User entered nothing{rest}"));
    }
    Ok(Outcome::Next)
}

/// Maximum number of attempts.
const MAX_ATTEMPTS: u32 = 1_000;

fn prompts(args: &arguments::Split, is_tone: bool, time: Duration) -> Vec<String> {
    match args.trimmed(1) {
        name if is_tone && !name.is_empty() => menu::tone(name, time),
        names => menu::names(names),
    }
}
