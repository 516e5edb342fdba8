//! `ParkAndAnnounce`: parks the call, and tells a line where it is.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::dial_request::admit;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::originate::{Goal, OriginateRequest};
use crate::dialplan::parked::{self, ParkOptions};
use crate::dialplan::request::{DialTarget, Interrupted};
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "ParkAndAnnounce",
    synopsis: "Parks the call, and tells a line where it is",
    syntax: "ParkAndAnnounce([lot[,options]],sound[:sound...],technology/resource)",
    help: "As Park. The line is called, and who answers is played the sounds; the word PARKED among them is the place, \
           digit by digit. The call that waits is told nothing.",
    arity: 3,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// How long the line rings that is told.
const RINGS: Duration = Duration::from_secs(30);
/// The word that stands for the place.
const PLACE: &str = "PARKED";

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let options = ParkOptions::read(args.get(1));
    let Some(at) = parked::park(&mut channel, args.trimmed(0), &options, APP.name).await? else {
        return Ok(Outcome::Next);
    };
    let whom = args.trimmed(3);
    match DialTarget::parse(whom)
        .ok_or_else(|| format!("ParkAndAnnounce: '{}' is no line: write SIP/name", outside(whom)))
    {
        Ok(target) => {
            let goal = Goal::Application("Playback".to_owned(), sounds(args.trimmed(2), at.slot));
            let request = OriginateRequest::new(target, goal, RINGS);
            match admit(&channel, request, whom, APP.name) {
                Ok(request) => {
                    channel.originate(request).await?;
                }
                Err(why) => channel.log(Level::Warning, why),
            }
        }
        Err(why) => channel.log(Level::Warning, why),
    }
    parked::wait(channel, at, options, APP.name).await
}

/// What the line is played.
fn sounds(template: &str, slot: u32) -> String {
    let words = template.split(':').map(str::trim).filter(|word| !word.is_empty());
    let words = words.flat_map(|word| match word {
        PLACE => parked::said(slot),
        word => vec![word.to_owned()],
    });
    words.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_said_where_the_word_stands() {
        assert_eq!(sounds("beep:PARKED:vm-goodbye", 71), "beep&digits/7&digits/1&vm-goodbye");
        assert_eq!(sounds("", 71), "");
    }
}
