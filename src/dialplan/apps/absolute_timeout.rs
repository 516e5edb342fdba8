//! `AbsoluteTimeout`: the old name of `Set(TIMEOUT(absolute)=...)`.

use crate::dialplan::app::{App, Outcome};
use crate::dialplan::arguments;
use std::time::Duration;

/// The application.
pub const APP: App = App {
    name: "AbsoluteTimeout",
    synopsis: "Says how long the call may last",
    syntax: "AbsoluteTimeout(seconds)",
    help: "The old name of Set(TIMEOUT(absolute)=seconds). After that time the call goes to T, or ends. 0: no limit.",
    arity: 1,
    run: |channel, args| {
        Box::pin(async move {
            let time = arguments::seconds(args.text()).unwrap_or(Duration::ZERO);
            channel.with_state(|state| {
                let now = state.now.mono;
                state.timeouts.end_after(now, time);
            });
            Ok(Outcome::Next)
        })
    },
};
