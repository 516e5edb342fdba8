//! `While` and its kin: which line of an extension belongs to which is found by looking through its priorities.

use super::app::{Outcome, Target};
use super::request::Position;
use super::scope::Scope;

/// The most priorities that are looked at for the other end of a loop.
const MAX_LOOKED: u32 = 10_000;

/// The priority of the `EndWhile` that ends the loop around the line (or that the line begins).
pub(super) fn end(scope: &Scope<'_>) -> Option<u32> {
    partner(scope, "EndWhile", "While", |priority| priority.checked_add(1))
}

/// The priority of the `While` that begins the loop around the line (or that the line ends).
pub(super) fn begin(scope: &Scope<'_>) -> Option<u32> {
    partner(scope, "While", "EndWhile", |priority| priority.checked_sub(1).filter(|priority| *priority > 0))
}

/// Going step by step from the line: the first `wanted` that no `inner` between takes for itself.
fn partner(scope: &Scope<'_>, wanted: &str, inner: &str, step: impl Fn(u32) -> Option<u32>) -> Option<u32> {
    let Position { context, exten, priority } = &scope.state.position;
    let (caller, at) = (Some(scope.state.caller.number.as_str()), scope.environment.now().wall);
    let (mut priority, mut depth) = (*priority, 0u32);
    for _ in 0..MAX_LOOKED {
        priority = step(priority)?;
        let found = scope.environment.dialplan().find(context, exten, priority, caller, at)?;
        let application = found.priority.application.trim();
        if application.eq_ignore_ascii_case(inner) {
            depth = depth.saturating_add(1);
        } else if application.eq_ignore_ascii_case(wanted) {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some(priority),
            }
        }
    }
    None
}

/// Goes to a priority of this extension; without one, goes on behind the line with a warning that says what is missing.
pub(super) fn go(scope: &mut Scope<'_>, priority: Option<u32>, missing: &str) -> Outcome {
    match priority {
        Some(priority) => Outcome::Jump(Target { priority: priority.to_string(), ..Target::default() }),
        None => {
            scope.warn(missing);
            Outcome::Next
        }
    }
}
