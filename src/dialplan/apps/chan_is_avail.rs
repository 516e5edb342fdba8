//! `ChanIsAvail`: says which of several lines could be called now.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::dial_request;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "ChanIsAvail",
    synopsis: "Says which of several lines could be called now",
    syntax: "ChanIsAvail(technology/resource[&technology/resource...][,options])",
    help: "Nobody is called. AVAILORIGCHAN is the first target that could be, as it was written, AVAILCHAN the same; both \
           are empty when none could. AVAILSTATUS is the state of the line that was looked at last: 1 not in use, 2 in \
           use, 3 busy, 4 no such line, 5 not registered or not reachable. Options: s (a line that has a call already \
           does not count), a (all of them that could be called, joined by &), t (accepted, changes nothing).",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// The state of a line that has no call.
const NOT_IN_USE: u8 = 1;
/// That of one that has a call, and may have more.
const IN_USE: u8 = 2;

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let (alone, all) = (args.get(1).contains('s'), args.get(1).contains('a'));
    let mut found = Vec::new();
    let mut status = 0;
    match dial_request::targets(args.trimmed(0), APP.name) {
        Ok(targets) => {
            let shown: Vec<String> = targets.iter().map(ToString::to_string).collect();
            let states = channel.line_states(targets).await?;
            for (target, state) in shown.into_iter().zip(states) {
                status = state;
                if state == NOT_IN_USE || (state == IN_USE && !alone) {
                    found.push(target);
                    if !all {
                        break;
                    }
                }
            }
        }
        Err(why) => channel.log(Level::Warning, why),
    }
    let found = found.join("&");
    channel.set_variable("AVAILCHAN", &found);
    channel.set_variable("AVAILORIGCHAN", &found);
    channel.set_variable("AVAILSTATUS", &status.to_string());
    Ok(Outcome::Next)
}
