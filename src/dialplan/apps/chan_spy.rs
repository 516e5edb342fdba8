//! `ChanSpy`: listens to the channels that talk.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::dialplan::spy::{self, HELP};
use crate::dialplan::spying::SpyChoice;

/// The application.
pub const APP: App = App {
    name: "ChanSpy",
    synopsis: "Listens to the channels that talk",
    syntax: "ChanSpy([prefix[,options]])",
    help: HELP,
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let prefix = args.trimmed(0);
    let prefix = if prefix.eq_ignore_ascii_case("all") { "" } else { prefix };
    let choice = SpyChoice { prefix: prefix.to_owned(), ..SpyChoice::default() };
    spy::run(&APP, &mut channel, choice, args.get(1)).await
}
