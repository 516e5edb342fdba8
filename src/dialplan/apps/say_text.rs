//! `SayText`: speaks a text through the first program that is installed.

use crate::dialplan::app::App;
use crate::dialplan::speech;

/// The application.
pub const APP: App = App {
    name: "SayText",
    synopsis: "Speaks a text, when strowger.toml allows programs that speak",
    syntax: "SayText(text[,digits[,language]])",
    help: "Takes the first of flite, pico2wave, text2wave, espeak-ng and espeak that is installed and has the \
           language, which is that of the channel unless one is given. Answers the call first, waits until the \
           program has made the sound (20 s at most), and plays it. One of the interrupting digits (any: all of \
           them) ends it, and is the first of the extension the call goes to. The text is given to the program \
           without a shell, 4096 bytes at most; quote a text that has commas.",
    arity: 1,
    run: |mut channel, args| Box::pin(async move { speech::speak(&mut channel, APP.name, "", &args).await }),
};
