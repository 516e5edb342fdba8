//! `PickupChan`: answers a line that rings, by the name of the line or channel.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::handover::PickupTarget;
use crate::dialplan::pick_up::{MAX_TARGETS, pick_up};
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "PickupChan",
    synopsis: "Answers a call that rings at a line, by the line's name",
    syntax: "PickupChan(technology/resource[&technology/resource...][,options])",
    help: "The first of these that rings is taken, as Pickup takes it: a line (SIP/desk) or a channel \
           (SIP/desk-0000002a). Option p: each is only the beginning of a channel's name.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let is_prefix = args.trimmed(1).contains('p');
    let words = args.trimmed(0).split('&').map(str::trim).filter(|word| !word.is_empty());
    let named = |word: &str| PickupTarget::Channel { name: word.to_owned(), is_prefix };
    let targets = words.take(MAX_TARGETS).map(named).collect();
    pick_up(channel, targets).await
}
