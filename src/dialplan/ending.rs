//! How a program comes to its end: what is shown and logged, and whether `i` or `h` follows.

use super::app::App;
use super::apps;
use super::environment::Environment;
use super::handle::Slot;
use super::jumps;
use super::request::{Cause, Position};
use super::special::{self, Finish, Trouble};
use super::state::State;
use crate::event::Level;
use crate::wording::outside;

/// How a program came to its end by itself, and where.
#[derive(Debug, Default)]
pub(super) struct FinishNote(Option<(Finish, Position)>);

impl FinishNote {
    /// Notes it, unless it is known already, or somebody hung up.
    pub(super) fn note(&mut self, how: Finish, slot: &Slot) {
        if self.0.is_none() && slot.ended.is_none() {
            self.0 = Some((how, slot.state.position.clone()));
        }
    }

    /// What was noted.
    pub(super) fn get(&self) -> Option<(Finish, Position)> {
        self.0.clone()
    }
}

/// What becomes of a call without a next priority.
pub(super) enum Fall {
    /// This is shown to the caller for a while.
    Shows(&'static App),
    /// It ends.
    Ends(Cause),
}

/// How a call falls through: as `DIALSTATUS` says.
pub(super) fn fall_through(state: &mut State) -> Fall {
    let status = state.variable("DIALSTATUS").filter(|status| !status.is_empty());
    let shown = status.as_deref().unwrap_or("UNKNOWN");
    state.log(Level::Verbose(3), format!("Auto fallthrough, channel '{}' status is '{shown}'", state.name));
    match status.as_deref() {
        // 488 tells the caller's telephone more than the 503 of congestion: another codec might do.
        Some("CONGESTION" | "CHANUNAVAIL") if state.cause == Cause::NOT_ACCEPTABLE && !state.answered => {
            Fall::Ends(state.cause)
        }
        Some("CONGESTION" | "CHANUNAVAIL") => Fall::Shows(&apps::congestion::APP),
        Some("BUSY") => Fall::Shows(&apps::busy::APP),
        Some("NOANSWER") if state.cause == Cause::NONE => Fall::Ends(Cause::NO_ANSWER),
        _ => Fall::Ends(state.cause),
    }
}

/// A dialled extension is not there: goes to `i`, when the context has it.
pub(super) fn goes_to_invalid(state: &mut State, position: &Position) -> bool {
    let Position { context, exten, priority } = position;
    let place = format!("context,exten,priority={},{},{priority}", outside(context), outside(exten));
    if let Some(to) = special::place(state, context, &Trouble::Invalid(exten)) {
        state.log(Level::Verbose(3), format!("Channel '{}' sent to invalid extension: {place}", state.name));
        state.position = to;
        return true;
    }
    state.warn(format!("Channel '{}' sent to invalid extension but no invalid handler: {place}", state.name));
    false
}

/// Leaves the macros, and goes to `h` when the context has it.
pub(super) fn goes_to_hangup(state: &mut State, environment: &dyn Environment) -> bool {
    jumps::unwind_macros(state, environment.globals());
    let (context, caller) = (state.position.context.clone(), Some(state.caller.number.as_str()));
    let has_h = environment.dialplan().find(&context, "h", 1, caller, environment.now().wall).is_some();
    if has_h {
        state.position = Position::new(&context, "h", 1);
    }
    has_h
}

/// Says that a subroutine which something else ran (`Dial` with `U` or `b`) came to its end without `Return`: that goes on
/// all the same, as with Asterisk.
pub(super) fn log_unreturned(state: &mut State) {
    let text = format!("{}: the subroutine ran out at {} without Return", state.name, state.position);
    state.log(Level::Notice, text);
}

/// Says where an application ended the channel.
pub(super) fn log_spawn_ended(state: &mut State) {
    let Position { context, exten, priority } = &state.position;
    let (context, exten) = (outside(context), outside(exten));
    let text = format!("Spawn extension ({context}, {exten}, {priority}) exited non-zero on '{}'", state.name);
    state.log(Level::Verbose(2), text);
}
