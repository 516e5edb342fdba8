//! `DigitTimeout`: the old name of `Set(TIMEOUT(digit)=...)`.

use crate::dialplan::app::{App, Outcome};
use crate::dialplan::arguments;

/// The application.
pub const APP: App = App {
    name: "DigitTimeout",
    synopsis: "Says how long the next digit is waited for",
    syntax: "DigitTimeout(seconds)",
    help: "The old name of Set(TIMEOUT(digit)=seconds).",
    arity: 1,
    run: |channel, args| {
        Box::pin(async move {
            if let Some(time) = arguments::seconds(args.text()) {
                channel.with_state(|state| state.timeouts.digit = time);
            }
            Ok(Outcome::Next)
        })
    },
};
