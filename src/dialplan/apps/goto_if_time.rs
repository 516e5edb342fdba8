//! `GotoIfTime`: jumps to a priority at certain times.

use crate::dialplan::app::{App, Outcome, Target, decided};
use crate::dialplan::arguments;
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "GotoIfTime",
    synopsis: "Jumps to a priority at certain times",
    syntax: "GotoIfTime(times,weekdays,monthdays,months[,timezone]?[[[context,]exten,]priority][:...])",
    help: "Jumps to the first place at these times, otherwise to the second. Without a place, continues at the next priority. \
           Times are those of the machine's zone, or of the zone named.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let (holds, branches) = scope.holds_now("GotoIfTime", args);
    let mut branches = arguments::pieces(&branches, ':', 2).into_iter();
    let (yes, no) = (branches.next().unwrap_or_default(), branches.next().unwrap_or_default());
    Target::parse(if holds { &yes } else { &no }).map_or(Outcome::Next, Outcome::Jump)
}
