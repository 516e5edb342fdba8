//! `NoCDR`: leaves no call record.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "NoCDR",
    synopsis: "Leaves no record of this call",
    syntax: "NoCDR()",
    help: "As Set(CDR_PROP(disable)=1).",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, _: &str) -> Outcome {
    scope.state.record.disabled = true;
    Outcome::Next
}
