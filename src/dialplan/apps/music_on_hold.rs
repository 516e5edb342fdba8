//! `MusicOnHold`: plays music on hold.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, UNTIL_HANGUP};

/// The application.
pub const APP: App = App {
    name: "MusicOnHold",
    synopsis: "Plays music on hold",
    syntax: "MusicOnHold([class][,seconds])",
    help: "For so many seconds, or until the hang-up. The class is one of musiconhold.conf; without one it is that of \
           CHANNEL(musicclass), else default. Does not answer: an unanswered caller hears it as early media. Not to a \
           line with line=modem: there it waits in silence.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let time = arguments::seconds(args.trimmed(1)).filter(|time| !time.is_zero());
    channel.music(args.trimmed(0), APP.name).await?;
    channel.wait(time.unwrap_or(UNTIL_HANGUP)).await?;
    channel.stop_music().await?;
    Ok(Outcome::Next)
}
