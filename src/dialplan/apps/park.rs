//! `Park`: has the call wait in a lot until somebody takes it.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::menu;
use crate::dialplan::parked::{self, ParkOptions};
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "Park",
    synopsis: "Has the call wait in a lot until somebody takes it",
    syntax: "Park([lot[,options]])",
    help: "The call is answered and waits, with music on hold (not to a line with line=modem), in a place of the lot \
           (res_parking.conf) until somebody dials the place. Who parks itself hears the place said; a call that was \
           transferred here hears none. After the lot's parkingtime it calls the line that parked it, or goes on in the \
           lot's comebackcontext; PARKINGSLOT, PARKINGLOT, PARKER (SIP/desk) and PARKER_FLAT (SIP_desk) say what was. \
           PARKINGEXTEN wishes for a place. Options: r (ringing instead of music), R (any free place), s (the place is \
           not said), c(context^exten^priority) (where it goes on when nobody takes it), t(seconds) (how long it \
           waits).",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let options = ParkOptions::read(args.get(1));
    let Some(at) = parked::park(&mut channel, args.trimmed(0), &options, APP.name).await? else {
        return Ok(Outcome::Next);
    };
    if at.parker.is_empty() && !options.is_silent {
        let played = channel.play(parked::said(at.slot)).await?;
        menu::was_played(&channel, APP.name, &played);
    }
    parked::wait(channel, at, options, APP.name).await
}
