//! `SayCountedNoun`: says a noun as so many need it: message, messages.

use crate::dialplan::app::App;
use crate::dialplan::speak;

/// The application.
pub const APP: App = App {
    name: "SayCountedNoun",
    synopsis: "Says a noun as so many need it: message, messages",
    syntax: "SayCountedNoun(number,sound[,gender])",
    help: "The sound is that of the singular; in English the plural's has an s behind its name, as \
           in vm-message and vm-messages. The number itself is said by SayNumber. With SAY_DTMF_INTERRUPT=yes a digit \
           interrupts it, and is the first of the extension the call goes to.",
    arity: 2,
    run: |mut channel, args| {
        Box::pin(async move {
            let parts = args.split();
            let number = parts.trimmed(0).parse().unwrap_or_default();
            let ending = (speak::language(&channel).plural)(number);
            let words = vec![format!("{}{ending}", parts.trimmed(1))];
            speak::say(&mut channel, APP.name, words).await
        })
    },
};
