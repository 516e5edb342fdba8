//! Programs that are no call's own: one subroutine, one application, or `h` alone. They are over when that is.

use super::{MAX_STEPS_AFTER_HANGUP, Program, Stage};
use crate::clock::Wall;
use crate::dialplan::app::{App, AppCall, Target};
use crate::dialplan::apps;
use crate::dialplan::jumps;
use crate::dialplan::request::{Cause, ChannelId, Interrupted, Position};
use crate::dialplan::state::CallerId;
use crate::dialplan::text_message::TextMessage;
use crate::dialplan::tree::Dialplan;
use crate::wording::outside;

/// A channel as an errand needs it: its id and its name.
pub type Named<'a> = (ChannelId, &'a str);

/// One subroutine, from `start` to its `Return`.
pub fn subroutine(channel: Named<'_>, start: Position, args: &[String], caller: CallerId) -> Program {
    let program = Program::new(channel.0, channel.1, start.clone(), caller);
    jumps::push_gosub(&mut program.slot.borrow_mut().state, start, args);
    Program { is_errand: true, ..program }
}

/// One application. A jump makes it an ordinary program.
pub fn application(channel: Named<'_>, start: Position, caller: CallerId, call: AppCall) -> Program {
    let mut program = Program { is_errand: true, ..Program::new(channel.0, channel.1, start, caller) };
    match apps::find(&call.name) {
        Some(app) => program.start(app, call.args),
        None => program.slot.borrow_mut().state.warn(format!("There is no application '{}'", outside(&call.name))),
    }
    program
}

/// One application of the exchange's own, which no dialplan can name.
pub fn own(channel: Named<'_>, start: Position, caller: CallerId, app: &'static App, args: String) -> Program {
    let mut program = Program { is_errand: true, ..Program::new(channel.0, channel.1, start, caller) };
    program.start(app, args);
    program
}

/// `h` of a context, on a channel that has ended; none when it has no such extension.
pub fn after_hangup(channel: Named<'_>, plan: &Dialplan, at: (&str, Wall), cause: Cause) -> Option<Program> {
    plan.find(at.0, "h", 1, None, at.1)?;
    let program = Program::new(channel.0, channel.1, Position::new(at.0, "h", 1), CallerId::default());
    let mut slot = program.slot.borrow_mut();
    (slot.ended, slot.state.cause) = (Some(Interrupted::Hangup(cause)), cause);
    drop(slot);
    Some(Program { stage: Stage::AfterHangup(cause, MAX_STEPS_AFTER_HANGUP), ..program })
}

/// Where `[[context,]exten,]priority` is, seen from somewhere; none when there is no such place.
pub fn position(plan: &Dialplan, text: &str, here: &Position, wall: Wall) -> Option<Position> {
    let Target { context, exten, priority } = Target::parse(text)?;
    let (context, exten) = (context.unwrap_or(here.context.clone()), exten.unwrap_or(here.exten.clone()));
    let number = match priority.parse::<u32>() {
        Ok(number) => number,
        Err(_) => plan.find_label(&context, &exten, &priority, None, wall)?,
    };
    plan.find(&context, &exten, number, None, wall)?;
    Some(Position::new(&context, &exten, number))
}

/// Says which text message a program runs for.
pub fn message(program: &mut Program, message: TextMessage) {
    program.slot.borrow_mut().state.message = message;
}
