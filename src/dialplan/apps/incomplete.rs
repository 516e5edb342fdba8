//! `Incomplete`: says that more digits are needed.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::request::Cause;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "Incomplete",
    synopsis: "Says that the number is not complete",
    syntax: "Incomplete()",
    help: "A caller that is not answered gets 484 (Address Incomplete), and may go on dialling where allowoverlap=yes.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(_: &mut Scope<'_>, _: &str) -> Outcome {
    Outcome::Stop(Cause(28))
}
