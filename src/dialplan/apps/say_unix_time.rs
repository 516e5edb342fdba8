//! `SayUnixTime`: says a date and a time.

use crate::dialplan::app::App;
use crate::dialplan::speak;

/// The application.
pub const APP: App = App {
    name: "SayUnixTime",
    synopsis: "Says a date and a time",
    syntax: "SayUnixTime([time][,[timezone][,[format][,options]]])",
    help: "Without a time: now. The time zone is a name such as Europe/Paris; without one it is \
           the machine's. Letters of the format: A (weekday), B (month), m (month as a number), d (day), Y (year), I \
           (hour, 12-hour clock), H and k (24-hour clock), M (minute), N (the same, 00 as hundred), S (second), P (a.m. or \
           p.m.), Q (today, yesterday, tomorrow or the date), q (the same, nothing for today), R (HM), T (HMS), and names \
           of sounds in single quotes. Option: j (a digit interrupts it, and is the first of the extension the call goes \
           to; so it does with SAY_DTMF_INTERRUPT=yes).",
    arity: 0,
    run: |mut channel, args| Box::pin(async move { speak::unix_time(&mut channel, APP.name, &args).await }),
};
