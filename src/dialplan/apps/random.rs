//! `Random`: jumps by chance.

use crate::dialplan::app::{App, Outcome, Target, decided};
use crate::dialplan::scope::Scope;

/// The application.
pub const APP: App = App {
    name: "Random",
    synopsis: "Jumps to a priority by chance (old: write GotoIf($[${RAND(1,100)} <= 20]?...))",
    syntax: "Random(percent:[[context,]exten,]priority)",
    help: "In so many of 100 calls jumps there; otherwise continues at the next priority.",
    arity: 1,
    run: |_, args| decided(args, decide),
};

fn decide(scope: &mut Scope<'_>, args: &str) -> Outcome {
    let Some((percent, place)) = args.split_once(':') else {
        scope.warn("Random needs percent:priority");
        return Outcome::Next;
    };
    let percent: u64 = percent.trim().parse().unwrap_or(0);
    let jumps = scope.environment.random() % 100 < percent;
    Target::parse(place).filter(|_| jumps).map_or(Outcome::Next, Outcome::Jump)
}
