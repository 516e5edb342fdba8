//! `SayAlpha`: spells a text.

use crate::dialplan::app::App;
use crate::dialplan::say::letters;
use crate::dialplan::speak;

/// The application.
pub const APP: App = App {
    name: "SayAlpha",
    synopsis: "Spells a text",
    syntax: "SayAlpha(text)",
    help: "Letter by letter, with the names of other characters. With SAY_DTMF_INTERRUPT=yes a digit \
           interrupts it, and is the first of the extension the call goes to.",
    arity: 1,
    run: |mut channel, args| {
        Box::pin(async move {
            let words = letters::spelled(args.text(), letters::Case::None);
            speak::say(&mut channel, APP.name, words).await
        })
    },
};
