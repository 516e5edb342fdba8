//! `WaitForNoise`: waits for sound of the caller.

use crate::dialplan::app::App;
use crate::dialplan::listening::{Awaited, wait};

/// The application.
pub const APP: App = App {
    name: "WaitForNoise",
    synopsis: "Waits for sound of the caller",
    syntax: "WaitForNoise([milliseconds[,times[,timeout]]])",
    help: "Until the caller's sound has lasted so many milliseconds (1000), as many times, for at most timeout seconds. Answer \
           first. Sets WAITSTATUS: NOISE or TIMEOUT.",
    arity: 0,
    run: |channel, args| {
        Box::pin(wait(channel, args, Awaited { application: "WaitForNoise", sound: true, status: "NOISE" }))
    },
};
