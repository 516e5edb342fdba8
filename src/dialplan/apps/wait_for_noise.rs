//! `WaitForNoise`: waits for sound of the caller.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::recording::{RecordReply, RecordRequest};
use crate::dialplan::request::Interrupted;
use crate::event::Level;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "WaitForNoise",
    synopsis: "Waits for sound of the caller",
    syntax: "WaitForNoise([milliseconds[,times[,timeout]]])",
    help: "Until the caller's sound has lasted so many milliseconds (1000), as many times, for at most timeout seconds. Answer \
           first. Sets WAITSTATUS: NOISE or TIMEOUT.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let lasting = Duration::from_millis(args.trimmed(0).parse().unwrap_or(1_000));
    let times = args.trimmed(1).parse::<u32>().unwrap_or(1).clamp(1, 100);
    let max = arguments::seconds(args.trimmed(2)).filter(|time| !time.is_zero());
    for _ in 0..times {
        let request = RecordRequest { max, until: Some((true, lasting)), ..RecordRequest::default() };
        let status = match channel.record(request).await? {
            RecordReply::Until => "NOISE",
            RecordReply::Failed(why) => {
                channel.log(Level::Warning, format!("WaitForNoise: {why}"));
                "TIMEOUT"
            }
            RecordReply::Max | RecordReply::Digit(_) => "TIMEOUT",
        };
        channel.set_variable("WAITSTATUS", status);
        if status == "TIMEOUT" {
            break;
        }
    }
    Ok(Outcome::Next)
}
