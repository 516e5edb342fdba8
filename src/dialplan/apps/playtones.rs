//! `Playtones`: plays tones while the dialplan goes on.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "PlayTones",
    synopsis: "Plays tones while the dialplan goes on",
    syntax: "PlayTones(tone)",
    help: "The name of a tone of the caller's country (dial, ring, busy, congestion, callwaiting, dialrecall, stutter, \
           record, info, or one of indications.conf), or tones as they are written there: 425/500,0/500. Does not wait \
           and does not answer: an unanswered caller hears it as early media. It ends with the next sound, a call, or \
           StopPlayTones.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let tone = args.text().trim();
    if let Err(why) = channel.tone(tone).await? {
        channel.log(Level::Warning, format!("The tone '{}' is not played: {why}", outside(tone)));
    }
    Ok(Outcome::Next)
}
