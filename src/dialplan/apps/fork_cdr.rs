//! `ForkCDR`: a second record of the same call begins.

use crate::dialplan::app::{App, Outcome, decided};
use crate::dialplan::record::{Earlier, MAX_RECORDS, RecordNotes};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "ForkCDR",
    synopsis: "Begins another record of this call",
    syntax: "ForkCDR([options])",
    help: "When the call is over, the record so far and the new one are both kept; what is assigned to CDR() from here on is \
           the new one's. It begins as the first one did, with what was assigned to it. Options: a (its answer is now, when \
           the call is answered), e (the record so far ends now), r (it begins now, and a), v (what was assigned to the \
           record so far is not the new one's). At most 16 records of a call.",
    arity: 0,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, options: &str) -> Outcome {
    let now = scope.environment.now();
    if scope.state.record.earlier.len().saturating_add(1) >= MAX_RECORDS {
        scope.warn(&format!("ForkCDR: the call has {MAX_RECORDS} records already"));
        return Outcome::Next;
    }
    let mut before = std::mem::take(&mut scope.state.record);
    let mut earlier = std::mem::take(&mut before.earlier);
    let kept = if options.contains('v') {
        RecordNotes { begun_again: before.begun_again, answered_again: before.answered_again, ..RecordNotes::default() }
    } else {
        before.clone()
    };
    let begun_again = if options.contains('r') { Some(now) } else { kept.begun_again };
    let answered_again = if options.contains(['a', 'r']) { Some(now) } else { kept.answered_again };
    let ended = options.contains('e').then_some(now.mono);
    earlier.push(Earlier { notes: before, ended });
    scope.state.record = RecordNotes { begun_again, answered_again, earlier, ..kept };
    Outcome::Next
}
