//! Waits for sound of a caller, or for silence.

use super::app::{Args, Outcome};
use super::arguments;
use super::handle::ChannelHandle;
use super::recording::{RecordReply, RecordRequest};
use super::request::Interrupted;
use crate::event::Level;
use std::time::Duration;

/// What an application waits for.
pub(super) struct Awaited {
    /// Its name, for the log.
    pub application: &'static str,
    /// Sound, or else silence.
    pub sound: bool,
    /// What WAITSTATUS says when it came.
    pub status: &'static str,
}

/// Waits for it, as often and as long as the arguments say.
pub(super) async fn wait(mut channel: ChannelHandle, args: Args, awaited: Awaited) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let lasting = Duration::from_millis(args.trimmed(0).parse().unwrap_or(1_000));
    let times = args.trimmed(1).parse::<u32>().unwrap_or(1).clamp(1, 100);
    let max = arguments::seconds(args.trimmed(2)).filter(|time| !time.is_zero());
    for _ in 0..times {
        let request = RecordRequest { max, until: Some((awaited.sound, lasting)), ..RecordRequest::default() };
        let came = match channel.record(request).await? {
            RecordReply::Until => true,
            RecordReply::Failed(why) => {
                channel.log(Level::Warning, format!("{}: {why}", awaited.application));
                false
            }
            RecordReply::Max | RecordReply::Digit(_) => false,
        };
        channel.set_variable("WAITSTATUS", if came { awaited.status } else { "TIMEOUT" });
        if !came {
            break;
        }
    }
    Ok(Outcome::Next)
}
