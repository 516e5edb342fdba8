//! `WaitForSilence`: waits for silence of the caller.

use crate::dialplan::app::App;
use crate::dialplan::listening::{Awaited, wait};

/// The application.
pub const APP: App = App {
    name: "WaitForSilence",
    synopsis: "Waits for silence of the caller",
    syntax: "WaitForSilence([milliseconds[,times[,timeout]]])",
    help: "Until the caller's silence has lasted so many milliseconds (1000), as many times, for at most timeout seconds. Answer \
           first. Sets WAITSTATUS: SILENCE or TIMEOUT.",
    arity: 0,
    run: |channel, args| {
        Box::pin(wait(channel, args, Awaited { application: "WaitForSilence", sound: false, status: "SILENCE" }))
    },
};
