//! `SayDigits`: says digits one by one.

use crate::dialplan::app::App;
use crate::dialplan::say::letters;
use crate::dialplan::speak;

/// The application.
pub const APP: App = App {
    name: "SayDigits",
    synopsis: "Says digits one by one",
    syntax: "SayDigits(digits)",
    help: "* is star, # is pound, - is minus. With SAY_DTMF_INTERRUPT=yes a digit \
           interrupts it, and is the first of the extension the call goes to.",
    arity: 1,
    run: |mut channel, args| {
        Box::pin(async move {
            let words = letters::digits(args.text());
            speak::say(&mut channel, APP.name, words).await
        })
    },
};
