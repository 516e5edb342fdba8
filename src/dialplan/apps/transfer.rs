//! `Transfer`: sends the caller's telephone elsewhere.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Transfer",
    synopsis: "Sends the caller's telephone elsewhere",
    syntax: "Transfer([SIP/]destination)",
    help: "The destination is a number, or number@host; without a host it is the exchange itself. A caller that is not \
           answered is redirected (302), and the call is over here; one that is answered is asked by REFER to call there, \
           and the dialplan goes on when its telephone has told how that went. TRANSFERSTATUS is SUCCESS, FAILURE (it \
           refused, or the call there failed) or UNSUPPORTED (there is no telephone, or it is no SIP destination).",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let to = args.text().trim().to_owned();
    let foreign = to.split_once('/').is_some_and(|(technology, _)| !technology.eq_ignore_ascii_case("SIP"));
    let is_plain = !to.is_empty() && to.chars().all(|letter| !letter.is_whitespace() && !"<>\"\\;?".contains(letter));
    let status = if foreign || !is_plain {
        channel.log(Level::Warning, format!("Transfer: '{}' is no number of a SIP telephone", outside(&to)));
        "UNSUPPORTED"
    } else {
        match channel.transfer(&to).await? {
            Ok(true) => "SUCCESS",
            Ok(false) => "FAILURE",
            Err(why) => {
                channel.log(Level::Warning, format!("Transfer: {why}"));
                "UNSUPPORTED"
            }
        }
    };
    channel.set_variable("TRANSFERSTATUS", status);
    Ok(Outcome::Next)
}
