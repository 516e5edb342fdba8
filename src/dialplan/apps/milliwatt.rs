//! `Milliwatt`: the tone by which levels are measured.

use crate::audio::sound::Sound;
use crate::audio::tone;
use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::dialplan::test_signal::{SignalReply, TestSignal};
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Milliwatt",
    synopsis: "Plays the tone by which levels are measured",
    syntax: "Milliwatt([options])",
    help: "1,004 Hz at 0 dBm0, which is one milliwatt at a point of level zero, until the hang-up. Options: m (with one second \
           of silence after nine of tone, as a milliwatt line of North America has it), o (1,000 Hz, as the eight bytes of \
           G.711 that are the reference tone, and the call is answered). Without o an unanswered caller hears it as early \
           media: answer first. LineTest(milliwatt) is the same for a menu: # ends it.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// Seconds of tone before the silence of a milliwatt line.
const SECONDS_OF_TONE: usize = 9;

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let options = args.text().trim().to_ascii_lowercase();
    let unknown: String = options.chars().filter(|letter| !matches!(letter, 'm' | 'o')).collect();
    if !unknown.is_empty() {
        channel.log(Level::Notice, format!("Milliwatt has no option '{}': m and o are all", outside(&unknown)));
    }
    let sound = if options.contains('o') {
        channel.answer().await?;
        Sound::reference_tone()
    } else {
        let mut samples = tone::milliwatt();
        if options.contains('m') {
            let second = samples.len();
            samples = samples.repeat(SECONDS_OF_TONE);
            samples.resize(samples.len().saturating_add(second), 0);
        }
        Sound::of_samples(&samples)
    };
    if let SignalReply::Failed(why) = channel.ask(TestSignal { sound, stop_on: Digits::NONE, measure: None }).await? {
        channel.log(Level::Warning, format!("Milliwatt: {why}"));
    }
    Ok(Outcome::Next)
}
