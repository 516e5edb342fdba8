//! `WaitMusicOnHold`: plays music on hold for so many seconds.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "WaitMusicOnHold",
    synopsis: "Plays music on hold for so many seconds",
    syntax: "WaitMusicOnHold(seconds)",
    help: "As MusicOnHold, of the channel's own class (old: write MusicOnHold(,seconds)).",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let Some(time) = arguments::seconds(args.text().trim()) else {
        let text = format!("WaitMusicOnHold: '{}' is no number of seconds", outside(args.text().trim()));
        channel.log(Level::Warning, text);
        return Ok(Outcome::Next);
    };
    channel.music("", APP.name).await?;
    channel.wait(time).await?;
    channel.stop_music().await?;
    Ok(Outcome::Next)
}
