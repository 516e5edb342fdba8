//! `RetryDial`: dials again and again until somebody answers.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::arguments::{self, Split};
use crate::dialplan::dial_request;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, DialStatus, Interrupted};
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "RetryDial",
    synopsis: "Dials again and again until somebody answers",
    syntax: "RetryDial(announce,sleep,retries,technology/resource[&technology/resource...][,timeout[,options]])",
    help: "Each time nobody answers, the sound announce is played and sleep seconds pass (10 without a number), at most \
           retries times; 0 is no limit but the caller's patience. Everything else is as with Dial; with its option d the \
           caller may leave by a digit while it rings.",
    arity: 4,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// The time between two when none is given.
const SLEEP: Duration = Duration::from_secs(10);
/// The least time between two: a line that is not there must not be dialled in a circle.
const LEAST_SLEEP: Duration = Duration::from_millis(500);

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let announce = args.trimmed(0).to_owned();
    let sleep = arguments::seconds(args.get(1)).filter(|time| !time.is_zero()).unwrap_or(SLEEP).max(LEAST_SLEEP);
    let retries = args.trimmed(2).parse::<u32>().ok().filter(|retries| *retries > 0);
    let dialled = Split(args.0.into_iter().skip(3).collect());
    let mut left = retries;
    loop {
        let Some(request) = dial_request::take(&channel, &dialled, APP.name) else {
            return Ok(Outcome::Stop(Cause::NONE));
        };
        let continue_after = request.options.continue_after;
        let report = dial_request::dial(&mut channel, request).await?;
        if report.status == DialStatus::Answer || report.status == DialStatus::InvalidArgs {
            return Ok(dial_request::outcome(&report, continue_after));
        }
        left = match left {
            None => None,
            Some(0 | 1) => return Ok(Outcome::Next),
            Some(left) => Some(left.saturating_sub(1)),
        };
        if !announce.is_empty() {
            channel.play(vec![announce.clone()]).await?;
        }
        channel.wait(sleep).await?;
    }
}
