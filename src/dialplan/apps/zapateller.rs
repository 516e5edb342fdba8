//! `Zapateller`: the tones of a number that is not in service, for machines that call.

use crate::audio::sound::Sound;
use crate::audio::tone;
use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, Played};
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "Zapateller",
    synopsis: "Plays the tones of a number that is not in service",
    syntax: "Zapateller([options])",
    help: "Machines that call many numbers take this one off their list. Options: answer (answer the call first; without it \
           the tones are early media), nocallerid (only for a caller without a number). Sets ZAPATELLERSTATUS to \
           NOTHING, ANSWERED or ZAPPED.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// The special information tone (ITU-T E.180): three tones, each higher than the one before, in Hz.
const TONES: [u16; 3] = [950, 1_400, 1_800];

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let option = |wanted: &str| args.text().split([',', '|']).any(|word| word.trim().eq_ignore_ascii_case(wanted));
    channel.set_variable("ZAPATELLERSTATUS", "NOTHING");
    if option("answer") && !channel.is_answered() {
        channel.answer().await?;
        channel.set_variable("ZAPATELLERSTATUS", "ANSWERED");
    }
    if option("nocallerid") && channel.with_state(|state| !state.caller.number.is_empty()) {
        return Ok(Outcome::Next);
    }
    let mut samples: Vec<i16> = TONES.iter().flat_map(|tone| tone::stretch(&[*tone], 330, -13.0)).collect();
    samples.resize(samples.len().saturating_add(8_000), 0);
    match channel.play_sound(Sound::of_samples(&samples), Digits::NONE).await? {
        Played::Failed(why) => channel.log(Level::Warning, format!("Zapateller: {why}")),
        Played::All | Played::Digit(_) | Played::Missing(_) => channel.set_variable("ZAPATELLERSTATUS", "ZAPPED"),
    }
    Ok(Outcome::Next)
}
