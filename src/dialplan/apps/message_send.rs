//! `MessageSend`: sends a text message to a line.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::ask::SendText;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;

/// The application.
pub const APP: App = App {
    name: "MessageSend",
    synopsis: "Sends a text message to a line",
    syntax: "MessageSend(to[,from])",
    help: "to is sip:line, sip:user@trunk or sip:trunk/user. The text is MESSAGE(body): that of the message the dialplan \
           runs for, or what Set(MESSAGE(body)=...) said. from is who sends it; without it MESSAGE(from) does. \
           MESSAGE_SEND_STATUS is SUCCESS (sent, or kept until the line registers), FAILURE, INVALID_PROTOCOL or \
           INVALID_URI. It does not wait for the telephone.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let mut message = channel.with_state(|state| state.message.clone());
    args.trimmed(0).clone_into(&mut message.to);
    if !args.trimmed(1).is_empty() {
        args.trimmed(1).clone_into(&mut message.from);
    }
    let status = match channel.ask(SendText(message)).await? {
        Ok(()) => "SUCCESS",
        Err(why) => {
            channel.log(Level::Warning, format!("MessageSend: {}", why.reason));
            why.status
        }
    };
    channel.set_variable("MESSAGE_SEND_STATUS", status);
    Ok(Outcome::Next)
}
