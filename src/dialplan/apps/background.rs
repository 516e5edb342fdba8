//! `BackGround`: plays sounds while the caller may dial an extension.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::menu;
use crate::dialplan::request::{Interrupted, PlayRequest, Played};
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "BackGround",
    synopsis: "Plays sounds until the caller dials an extension",
    syntax: "BackGround(sound[&sound...][,options[,language[,context]]])",
    help: "The first digit ends the sounds at once. Further digits are waited for, TIMEOUT(digit) long each, as long as \
           they can lead to a longer extension of the context (the one the call is in, unless one is given); then the \
           call goes there, or to i. Without a digit the dialplan goes on after the last sound: WaitExten waits \
           longer. Answers the call first. Options: s (only if the call is answered already), n (does not answer: the \
           sounds are early media), m (only a digit that is an extension by itself ends the sounds), p (no digit ends \
           them). Sets BACKGROUNDSTATUS to SUCCESS or FAILED.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let sounds = menu::names(args.trimmed(0));
    channel.set_variable("BACKGROUNDSTATUS", "FAILED");
    if sounds.is_empty() {
        channel.log(Level::Warning, "BackGround needs the name of a sound".to_owned());
        return Ok(Outcome::Next);
    }
    // The words of Playback are understood as well: people mix the two.
    let words = args.trimmed(1).to_ascii_lowercase();
    let words = match words.as_str() {
        "skip" => "s",
        "noanswer" => "n",
        letters => letters,
    };
    let option = |letter: char| words.contains(letter);
    if !channel.is_answered() {
        if option('s') {
            channel.set_variable("BACKGROUNDSTATUS", "SUCCESS");
            return Ok(Outcome::Next);
        }
        if !option('n') {
            channel.answer().await?;
        }
    }
    let context = Some(args.trimmed(3)).filter(|context| !context.is_empty());
    let context = context.map_or_else(|| menu::here(&channel), str::to_owned);
    let stop_on = match (option('p'), option('m')) {
        (true, _) => Digits::NONE,
        (false, true) => menu::single_digits(&channel, &context),
        (false, false) => Digits::ANY,
    };
    let language = Some(args.trimmed(2)).filter(|language| !language.is_empty());
    let language = language.map_or_else(|| channel.language(), str::to_owned);
    let played = channel.play_as(PlayRequest { sounds, stop_on, language }).await?;
    if menu::was_played(&channel, APP.name, &played) {
        channel.set_variable("BACKGROUNDSTATUS", "SUCCESS");
    }
    match played {
        Played::Digit(digit) => menu::go(&mut channel, &context, digit).await,
        Played::All | Played::Missing(_) | Played::Failed(_) => Ok(Outcome::Next),
    }
}
