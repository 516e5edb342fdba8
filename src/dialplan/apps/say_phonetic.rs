//! `SayPhonetic`: spells a text by the spelling alphabet.

use crate::dialplan::app::App;
use crate::dialplan::say::letters;
use crate::dialplan::speak;

/// The application.
pub const APP: App = App {
    name: "SayPhonetic",
    synopsis: "Spells a text by the spelling alphabet",
    syntax: "SayPhonetic(text)",
    help: "Alpha, bravo, charlie. With SAY_DTMF_INTERRUPT=yes a digit \
           interrupts it, and is the first of the extension the call goes to.",
    arity: 1,
    run: |mut channel, args| {
        Box::pin(async move {
            let words = letters::phonetic(args.text());
            speak::say(&mut channel, APP.name, words).await
        })
    },
};
