//! `RaiseException`: goes to `e`.

use crate::dialplan::app::{App, Outcome};
use crate::dialplan::menu;
use crate::dialplan::special::{self, Trouble};

/// The application.
pub const APP: App = App {
    name: "RaiseException",
    synopsis: "Goes to the extension e",
    syntax: "RaiseException(reason)",
    help: "There EXCEPTION(reason) gives the reason, and EXCEPTION(context), EXCEPTION(exten) and EXCEPTION(priority) \
           say where the call was. Without an extension e in the context the call ends.",
    arity: 1,
    run: |channel, args| {
        Box::pin(async move {
            let context = menu::here(&channel);
            let reason = args.text().trim();
            Ok::<Outcome, _>(channel.with_state(|state| special::leave(state, &context, &Trouble::Raised(reason))))
        })
    },
};
