//! `Playback`: plays sounds.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, Played};
use crate::dialplan::spoken;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Playback",
    synopsis: "Plays sounds",
    syntax: "Playback(sound[&sound...][,options])",
    help: "Answers the call first, unless an option says otherwise. Options: skip (play only if the call is \
           answered already), noanswer (play as early media), say (the names are values that are said: num:12, \
           digit:12, char:ab, phonetic:ab, enum:2, money:1.50, and date:, time:, datetime: with seconds since 1970), mix (those \
           with a colon are, the others are sounds). Sets PLAYBACKSTATUS to SUCCESS or FAILED.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    channel.set_variable("PLAYBACKSTATUS", "FAILED");
    let sounds: Vec<String> =
        args.trimmed(0).split('&').map(str::trim).filter(|sound| !sound.is_empty()).map(str::to_owned).collect();
    if sounds.is_empty() {
        channel.log(Level::Warning, "Playback needs the name of a sound".to_owned());
        return Ok(Outcome::Next);
    }
    let option = |wanted: &str| args.trimmed(1).split([' ', '|', '&']).any(|word| word.eq_ignore_ascii_case(wanted));
    let sounds = if option("say") || option("mix") { said(&channel, sounds, option("say")) } else { sounds };
    if !channel.is_answered() {
        if option("skip") {
            channel.set_variable("PLAYBACKSTATUS", "SUCCESS");
            return Ok(Outcome::Next);
        }
        if !option("noanswer") {
            channel.answer().await?;
        }
    }
    match channel.play(sounds).await? {
        Played::All | Played::Digit(_) => channel.set_variable("PLAYBACKSTATUS", "SUCCESS"),
        // Each was logged, with where it was looked for.
        Played::Missing(_) => {}
        Played::Failed(why) => channel.log(Level::Warning, why),
    }
    Ok(Outcome::Next)
}

/// The sounds of values that are said, among sounds that are played as they are named.
fn said(channel: &ChannelHandle, names: Vec<String>, all: bool) -> Vec<String> {
    let mut sounds = Vec::new();
    for name in names {
        if !all && !name.contains(':') {
            sounds.push(name);
            continue;
        }
        match spoken::words(channel, &name) {
            Some(words) => sounds.extend(words),
            None => {
                let text = format!("Playback does not say '{}': there are {}", outside(&name), spoken::KINDS);
                channel.log(Level::Warning, text);
            }
        }
    }
    sounds
}
