//! `UserEvent`: tells programs that watch the exchange.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::arguments;
use crate::dialplan::scope::Scope;
use crate::event::CallEvent;

/// The application.
pub const APP: App = App {
    name: "UserEvent",
    synopsis: "Tells of an event of your own",
    syntax: "UserEvent(name[,key: value[,...]])",
    help: "It is an event of the exchange, as what happens on a call is: the log shows it at verbosity 3.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let mut parts = arguments::split(args).into_iter();
    let name = parts.next().unwrap_or_default();
    let fields = parts.map(|part| match part.split_once(':') {
        Some((key, value)) => (key.trim().into(), value.trim().into()),
        None => (part.trim().into(), "".into()),
    });
    let event =
        CallEvent::User { channel: scope.state.name.clone(), name: name.trim().into(), fields: fields.collect() };
    scope.state.tell(event);
    Outcome::Next
}
