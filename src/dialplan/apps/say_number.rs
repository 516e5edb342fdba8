//! `SayNumber`: says a number.

use crate::dialplan::app::App;
use crate::dialplan::say::Language;
use crate::dialplan::speak;

/// The application.
pub const APP: App = App {
    name: "SayNumber",
    synopsis: "Says a number",
    syntax: "SayNumber(number[,gender])",
    help: "In the language of the channel. Gender of what is counted, where the language has \
           any: m, f, c, n. With SAY_DTMF_INTERRUPT=yes a digit \
           interrupts it, and is the first of the extension the call goes to.",
    arity: 1,
    run: |mut channel, args| {
        Box::pin(async move { speak::say_number(&mut channel, APP.name, &args, Language::number).await })
    },
};
