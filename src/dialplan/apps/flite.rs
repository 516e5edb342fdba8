//! `Flite`: speaks a text through Flite.

use crate::dialplan::app::App;
use crate::dialplan::speech;

/// The application.
pub const APP: App = App {
    name: "Flite",
    synopsis: "Speaks a text through Flite, when strowger.toml allows it",
    syntax: "Flite(text[,digits[,language]])",
    help: "Flite has English voices only. Answers the call first, waits until the program has made the sound \
           (20 s at most), and plays it. One of the interrupting digits (any: all of them) ends it, and is the \
           first of the extension the call goes to. The text is given to the program without a shell, 4096 \
           bytes at most; quote a text that has commas.",
    arity: 1,
    run: |mut channel, args| Box::pin(async move { speech::speak(&mut channel, APP.name, "flite", &args).await }),
};
