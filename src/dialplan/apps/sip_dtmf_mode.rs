//! `SIPDtmfMode`: says how the digits of a channel go and come.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "SIPDtmfMode",
    synopsis: "Changes how the digits of the channel go and come",
    syntax: "SIPDtmfMode(mode)",
    help: "mode is one of rfc2833, info, shortinfo, inband and auto, and takes the place of the line's dtmfmode for this \
           call. What was agreed on with the telephone stays as it is.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    if let Err(why) = channel.set_dtmf_mode(args.trimmed(0)).await? {
        channel.log(Level::Warning, format!("SIPDtmfMode: {why}"));
    }
    Ok(Outcome::Next)
}
