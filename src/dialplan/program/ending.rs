//! How a program comes to its end: nothing more to run, an application that is not there, a hang-up; and `h`.

use super::{MAX_STEPS_AFTER_HANGUP, Program, Stage};
use crate::dialplan::apps;
use crate::dialplan::chore::ChoreReply;
use crate::dialplan::environment::Environment;
use crate::dialplan::jumps;
use crate::dialplan::request::{Cause, Interrupted, Position};
use crate::dialplan::special::{self, Finish, Trouble};
use crate::dialplan::tree::Priority;
use crate::event::Level;
use crate::wording::outside;

pub(super) fn no_application(
    program: &mut Program,
    name: &str,
    priority: Option<&Priority>,
    environment: &dyn Environment,
) {
    let place = priority.and_then(|priority| priority.place.as_ref()).map(|place| format!(" at {place}"));
    special::no_application(&mut program.slot.borrow_mut().state, name, &place.unwrap_or_default());
    program.note_finish(Finish::NoApplication(name.to_owned()));
    spawn_ended(program, Cause::NONE, environment);
}

/// A dialled extension that is not there: `i`, or the end.
pub(super) fn no_extension(program: &mut Program, position: &Position, environment: &dyn Environment) {
    if matches!(program.stage, Stage::AfterHangup(..)) {
        return end(program, Cause::NONE, environment);
    }
    let Position { context, exten, priority } = position;
    let mut slot = program.slot.borrow_mut();
    let state = &mut slot.state;
    let place = format!("context,exten,priority={},{},{priority}", outside(context), outside(exten));
    if let Some(to) = special::place(state, context, &Trouble::Invalid(exten)) {
        state.log(Level::Verbose(3), format!("Channel '{}' sent to invalid extension: {place}", state.name));
        state.position = to;
        return;
    }
    state.warn(format!("Channel '{}' sent to invalid extension but no invalid handler: {place}", state.name));
    drop(slot);
    program.note_finish(Finish::Nowhere);
    end(program, Cause::NONE, environment);
}

/// No next priority: the call ends as `DIALSTATUS` says, or digits are waited for.
pub(super) fn fall_through(program: &mut Program, environment: &dyn Environment) {
    if matches!(program.stage, Stage::AfterHangup(..)) || program.is_errand {
        return end(program, Cause::NONE, environment);
    }
    program.note_finish(Finish::RanOut);
    if !environment.dialplan().general().autofallthrough {
        program.stage = Stage::OutOfPriorities;
        return program.start(&apps::wait_exten::AFTER_THE_LAST, String::new());
    }
    let mut slot = program.slot.borrow_mut();
    let state = &mut slot.state;
    let status = state.variable("DIALSTATUS").filter(|status| !status.is_empty());
    let shown = status.as_deref().unwrap_or("UNKNOWN");
    state.log(Level::Verbose(3), format!("Auto fallthrough, channel '{}' status is '{shown}'", state.name));
    let (cause, answered) = (state.cause, state.answered);
    drop(slot);
    match status.as_deref() {
        // 488 tells the caller's telephone more than the 503 of congestion: another codec might do.
        Some("CONGESTION" | "CHANUNAVAIL") if cause == Cause::NOT_ACCEPTABLE && !answered => {
            end(program, cause, environment)
        }
        Some("CONGESTION" | "CHANUNAVAIL") => {
            program.stage = Stage::FallingThrough;
            program.start(&apps::congestion::APP, "10".to_owned());
        }
        Some("BUSY") => {
            program.stage = Stage::FallingThrough;
            program.start(&apps::busy::APP, "10".to_owned());
        }
        Some("NOANSWER") if cause == Cause::NONE => end(program, Cause::NO_ANSWER, environment),
        _ => end(program, cause, environment),
    }
}

/// An application ended the channel, or the channel ended under it.
pub(super) fn spawn_ended(program: &mut Program, cause: Cause, environment: &dyn Environment) {
    let mut slot = program.slot.borrow_mut();
    let Position { context, exten, priority } = &slot.state.position;
    let text = format!(
        "Spawn extension ({}, {}, {priority}) exited non-zero on '{}'",
        outside(context),
        outside(exten),
        slot.state.name
    );
    // After a fall-through it is logged already.
    if program.stage != Stage::FallingThrough {
        slot.state.log(Level::Verbose(2), text);
    }
    drop(slot);
    end(program, cause, environment);
}

/// The program is over but for `h`, which runs once, on a channel that has ended: every request in it ends at once.
pub(super) fn end(program: &mut Program, cause: Cause, environment: &dyn Environment) {
    if matches!(program.stage, Stage::AfterHangup(..)) && program.unsuspend(ChoreReply::Failed) {
        return;
    }
    if let Stage::AfterHangup(decided, _) | Stage::Finished(decided) = program.stage {
        program.stage = Stage::Finished(decided);
        return;
    }
    let mut slot = program.slot.borrow_mut();
    // The first cause stays.
    let cause = match slot.ended {
        Some(Interrupted::Hangup(latched)) => latched,
        Some(Interrupted::Redirect(_)) | None => cause,
    };
    slot.ended = Some(Interrupted::Hangup(cause));
    if !program.suspended.is_empty() {
        drop(slot);
        program.stage = Stage::Plan;
        program.unsuspend(ChoreReply::Failed);
        return;
    }
    let state = &mut slot.state;
    state.cause = cause;
    if program.is_errand {
        program.stage = Stage::Finished(cause);
        return;
    }
    jumps::unwind_macros(state, environment.globals());
    let context = state.position.context.clone();
    let caller = Some(state.caller.number.as_str());
    if environment.dialplan().find(&context, "h", 1, caller, environment.now().wall).is_some() {
        state.position = Position::new(&context, "h", 1);
        program.stage = Stage::AfterHangup(cause, MAX_STEPS_AFTER_HANGUP);
    } else {
        program.stage = Stage::Finished(cause);
    }
}
