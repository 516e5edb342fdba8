//! `ExtenSpy`: listens to the channels that an extension has.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::dialplan::spy::{self, HELP};
use crate::dialplan::spying::SpyChoice;

/// The application.
pub const APP: App = App {
    name: "ExtenSpy",
    synopsis: "Listens to the channels that an extension has",
    syntax: "ExtenSpy(exten[@context][,options])",
    help: HELP,
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let (exten, context) = args.trimmed(0).split_once('@').unwrap_or((args.trimmed(0), ""));
    let context = match context {
        "" => channel.with_state(|state| state.position.context.clone()),
        context => context.to_owned(),
    };
    let choice = SpyChoice { place: Some((exten.to_owned(), context)), ..SpyChoice::default() };
    spy::run(&APP, &mut channel, choice, args.get(1)).await
}
