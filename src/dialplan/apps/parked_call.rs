//! `ParkedCall`: takes a call that waits in a lot.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::ask::{FindParked, TakeParked};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::handover::ParkedPlace;
use crate::dialplan::menu;
use crate::dialplan::request::{Cause, DialStatus, Interrupted};
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "ParkedCall",
    synopsis: "Takes a call that waits in a lot",
    syntax: "ParkedCall([lot][,place])",
    help: "Connects the caller with the call in that place, or without a place with the one that waits longest. The \
           exchange makes an extension with this for each place of a lot (res_parking.conf). ParkedCall(701) is the \
           place 701 of the line's own lot, as older versions have it. When there is none, that is said, and the call \
           is ended.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let place = place(args.trimmed(0), args.trimmed(1));
    let found = channel.ask(FindParked(place.clone())).await?;
    channel.answer().await?;
    if let Some(tone) = found {
        if !tone.is_empty() {
            let played = channel.play(vec![tone]).await?;
            menu::was_played(&channel, APP.name, &played);
        }
        let report = channel.ask(TakeParked(place)).await?;
        if report.status == DialStatus::Answer {
            return Ok(Outcome::Stop(Cause(report.hangup_cause)));
        }
        channel.log(Level::Notice, format!("ParkedCall: {}", report.reason));
    } else {
        channel.log(Level::Notice, "ParkedCall: no call waits there".to_owned());
    }
    let played = channel.play(vec!["pbx-invalidpark".to_owned()]).await?;
    menu::was_played(&channel, APP.name, &played);
    Ok(Outcome::Stop(Cause::NORMAL))
}

fn place(first: &str, second: &str) -> ParkedPlace {
    match (first.parse(), second.parse()) {
        (Ok(slot), Err(_)) => ParkedPlace { lot: String::new(), slot: Some(slot) },
        (_, slot) => ParkedPlace { lot: first.to_owned(), slot: slot.ok() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read() {
        let of = |lot: &str, slot| ParkedPlace { lot: lot.to_owned(), slot };
        assert_eq!(place("default", "701"), of("default", Some(701)));
        assert_eq!(place("701", ""), of("", Some(701)));
        assert_eq!(place("shop", ""), of("shop", None));
        assert_eq!(place("", "702"), of("", Some(702)));
    }
}
