//! `WaitDigit`: waits for one digit.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::digits::Digits;
use crate::dialplan::evaluating::clock;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::Interrupted;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "WaitDigit",
    synopsis: "Waits for one digit",
    syntax: "WaitDigit([seconds[,digits]])",
    help: "For so long (until the hang-up without a time); digits that are not named are ignored. Sets WAITDIGITSTATUS to \
           DTMF, TIMEOUT or CANCEL, and WAITDIGITRESULT to the digit.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// As long as a call goes on.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let mut time = arguments::seconds(args.trimmed(0)).filter(|time| !time.is_zero()).unwrap_or(FOR_EVER).min(FOR_EVER);
    let wanted = if args.trimmed(1).is_empty() { Digits::ANY } else { Digits::of(args.trimmed(1)) };
    channel.set_variable("WAITDIGITSTATUS", "CANCEL");
    channel.set_variable("WAITDIGITRESULT", "");
    loop {
        let began = clock(&mut channel).await;
        match channel.digit(time).await? {
            Some(digit) if wanted.contains(digit) => {
                channel.set_variable("WAITDIGITSTATUS", "DTMF");
                channel.set_variable("WAITDIGITRESULT", &digit.to_string());
                return Ok(Outcome::Next);
            }
            Some(_) => {
                let waited = clock(&mut channel).await.saturating_sub(began);
                time = time.saturating_sub(Duration::from_millis(waited));
            }
            None => {
                channel.set_variable("WAITDIGITSTATUS", "TIMEOUT");
                return Ok(Outcome::Next);
            }
        }
    }
}
