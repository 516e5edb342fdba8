//! `SayCountedAdj`: says an adjective as so many need it.

use crate::dialplan::app::App;
use crate::dialplan::speak;

/// The application.
pub const APP: App = App {
    name: "SayCountedAdj",
    synopsis: "Says an adjective as so many need it",
    syntax: "SayCountedAdj(number,sound[,gender])",
    help: "In the languages that are here the adjective stays as it is. With SAY_DTMF_INTERRUPT=yes a digit \
           interrupts it, and is the first of the extension the call goes to.",
    arity: 2,
    run: |mut channel, args| {
        Box::pin(async move {
            let words = vec![args.split().trimmed(1).to_owned()];
            speak::say(&mut channel, APP.name, words).await
        })
    },
};
