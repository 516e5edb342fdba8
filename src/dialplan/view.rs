//! What applications see of the exchange while their program runs: the dialplan that is in force, and the time.

use super::environment::Environment;
use super::state::State;
use super::tree::{Dialplan, Existence};
use crate::clock::Wall;
use crate::datetime::Civil;
use std::sync::Arc;

/// What applications see of the exchange. It is there only while the program runs, so that one that waits holds no
/// dialplan that a reload has replaced.
#[derive(Debug, Clone)]
pub(super) struct View {
    plan: Arc<Dialplan>,
    now: Wall,
}

impl View {
    pub(super) fn of(environment: &dyn Environment) -> View {
        View { plan: Arc::clone(environment.dialplan()), now: environment.now().wall }
    }
}

/// Is there such an extension, for this caller and now?
pub(super) fn has(state: &State, context: &str, exten: &str) -> bool {
    let Some(View { plan, now }) = &state.view else { return false };
    let caller = Some(state.caller.number.as_str());
    plan.exists(context, exten, caller, *now) == Existence::Yes
}

/// Could more digits lead to an extension?
pub(super) fn may_go_on(state: &State, context: &str, exten: &str) -> bool {
    let Some(View { plan, now }) = &state.view else { return false };
    plan.may_go_on(context, exten, Some(state.caller.number.as_str()), *now)
}

/// Is there this priority of the extension the program is in?
pub(super) fn has_priority(state: &State, priority: u32) -> bool {
    let Some(View { plan, now }) = &state.view else { return false };
    let (at, caller) = (&state.position, Some(state.caller.number.as_str()));
    plan.find(&at.context, &at.exten, priority, caller, *now).is_some()
}

/// A number for each day: the next has the next.
pub(super) fn days(day: &Civil) -> i64 {
    let years = day.year.saturating_sub(1);
    let leaps = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    years.saturating_mul(365).saturating_add(leaps).saturating_add(i64::from(day.yearday))
}
