//! `SendText`: sends the caller's telephone a text within the call.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::ask::SendToCaller;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "SendText",
    synopsis: "Sends the caller's telephone a text within the call",
    syntax: "SendText(text)",
    help: "As a MESSAGE in the dialog of the call, for telephones that show one. SENDTEXTSTATUS is SUCCESS (sent), or \
           UNSUPPORTED when the telephone takes none.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let status = match channel.ask(SendToCaller(args.text().to_owned())).await? {
        Ok(()) => "SUCCESS",
        Err(why) => {
            channel.log(Level::Warning, format!("SendText: {}", why.reason));
            why.status
        }
    };
    channel.set_variable("SENDTEXTSTATUS", status);
    Ok(Outcome::Next)
}
