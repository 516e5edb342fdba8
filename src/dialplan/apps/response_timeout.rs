//! `ResponseTimeout`: the old name of `Set(TIMEOUT(response)=...)`.

use crate::dialplan::app::{App, Outcome};
use crate::dialplan::arguments;

/// The application.
pub const APP: App = App {
    name: "ResponseTimeout",
    synopsis: "Says how long the first digit is waited for",
    syntax: "ResponseTimeout(seconds)",
    help: "The old name of Set(TIMEOUT(response)=seconds).",
    arity: 1,
    run: |channel, args| {
        Box::pin(async move {
            if let Some(time) = arguments::seconds(args.text()) {
                channel.with_state(|state| state.timeouts.response = time);
            }
            Ok(Outcome::Next)
        })
    },
};
