//! `SayAlphaCase`: spells a text and says which letters are capitals.

use crate::dialplan::app::App;
use crate::dialplan::arguments;
use crate::dialplan::say::letters::{self, Case};
use crate::dialplan::speak;
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "SayAlphaCase",
    synopsis: "Spells a text and says which letters are capitals",
    syntax: "SayAlphaCase(case,text)",
    help: "The case is said of all letters (a), of capitals (u), of small letters (l), or of none \
           (n). With SAY_DTMF_INTERRUPT=yes a digit \
           interrupts it, and is the first of the extension the call goes to.",
    arity: 2,
    run: |mut channel, args| {
        Box::pin(async move {
            let parts = arguments::Split(arguments::pieces(args.text(), ',', 2));
            let case = Case::of(parts.trimmed(0)).unwrap_or_else(|| {
                let text = format!("SayAlphaCase: a case is a, u, l or n, and not '{}'", outside(parts.trimmed(0)));
                channel.log(Level::Warning, text);
                Case::None
            });
            let words = letters::spelled(&arguments::unquote(parts.get(1)), case);
            speak::say(&mut channel, APP.name, words).await
        })
    },
};
