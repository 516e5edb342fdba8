//! `ResetCDR`: lets the call record begin here.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::record::RecordNotes;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "ResetCDR",
    synopsis: "Lets the call record begin at this moment",
    syntax: "ResetCDR([options])",
    help: "Start and answer of the record are now. Option v keeps what was assigned to CDR(); without it that is forgotten. Option e \
           undoes NoCDR.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, options: &str) -> Outcome {
    let now = scope.environment.now();
    let record = &mut scope.state.record;
    let disabled = record.disabled && !options.contains('e');
    let kept = if options.contains('v') { record.clone() } else { RecordNotes::default() };
    let earlier = std::mem::take(&mut record.earlier);
    *record = RecordNotes { begun_again: Some(now), answered_again: None, disabled, earlier, ..kept };
    Outcome::Next
}
