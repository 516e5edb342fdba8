//! Where jumps lead, and how subroutines (`Gosub`, `Macro`) are entered and left.

use super::app::{AppCall, Outcome, Target};
use super::environment::{Environment, Globals};
use super::request::{Cause, Position};
use super::scope::Scope;
use super::state::{FrameKind, State};
use crate::event::Level;
use crate::wording::outside;

/// Calls a subroutine there, which goes on with `then` behind it; false when it is nested too deep, which is logged.
pub(super) fn gosub(state: &mut State, to: Position, args: &[String], then: Option<AppCall>) -> bool {
    let here = state.position.clone();
    let back = if then.is_some() { here.clone() } else { after(&here) };
    if !push_gosub(state, back, args) {
        state.warn(format!("Gosub is nested too deep at {here}: does the subroutine call itself?"));
        return false;
    }
    state.then(then.map(|call| (call.name, call.args)));
    state.position = to;
    true
}

/// Enters a subroutine that goes back there; false when it is nested too deep.
pub(super) fn push_gosub(state: &mut State, back: Position, args: &[String]) -> bool {
    // Arguments that only the caller was given are not the subroutine's.
    let before = state.variable("ARGC").and_then(|count| count.parse().ok()).unwrap_or(0usize);
    let hidden = (args.len().saturating_add(1)..=before).map(|number| (format!("ARG{number}"), String::new()));
    let mut locals: Vec<(String, String)> = vec![("ARGC".to_owned(), args.len().to_string())];
    locals.extend(numbered(args).chain(hidden));
    state.push_frame(back, FrameKind::Gosub, locals)
}

/// `Return`: back behind the latest `Gosub`, out of the macros that were entered since. What goes on there, if that is
/// an application; an error when there is no `Gosub`, which is logged.
pub(super) fn give_back(state: &mut State, value: &str, globals: &Globals) -> Result<Option<(String, String)>, ()> {
    if !state.frames.iter().any(|frame| frame.kind == FrameKind::Gosub) {
        state.warn(format!("Return at {} without a Gosub to return from", state.position));
        return Err(());
    }
    while state.frames.last().is_some_and(|frame| frame.kind != FrameKind::Gosub) {
        pop(state, globals);
    }
    let Some(frame) = state.frames.pop() else { return Err(()) };
    state.position = frame.back;
    state.set_variable("GOSUB_RETVAL", value);
    Ok(frame.then)
}

/// `Macro(name,arguments)`, with a lock of that name when it is exclusive.
pub(super) fn enter_macro(scope: &mut Scope<'_>, args: &[String], lock: Option<String>) -> Outcome {
    let name = args.first().map_or("", |name| name.trim());
    let state = &mut *scope.state;
    let (context, caller) = (format!("macro-{name}"), state.caller.number.clone());
    let to = Position::new(&context, "s", 1);
    let plan = scope.environment.dialplan();
    if plan.find(&context, "s", 1, Some(&caller), scope.environment.now().wall).is_none() {
        let what = if plan.has_context(&context) { "extension s in context" } else { "context" };
        state.warn(format!("Macro: there is no {what} '{}' (at {})", outside(&context), state.position));
        release(scope.environment.globals(), lock.as_deref(), &state.name);
        return Outcome::Next;
    }
    // A macro in a macro is told of the extension that called the first.
    let in_macro = state.frames.last().is_some_and(|frame| frame.kind != FrameKind::Gosub);
    let first = |name: &str, here: &str| {
        let known = if in_macro { state.variable(name) } else { None };
        (name.to_owned(), known.unwrap_or_else(|| here.to_owned()))
    };
    let here = state.position.clone();
    let depth = state.frames.iter().filter(|frame| frame.kind != FrameKind::Gosub).count().saturating_add(1);
    let mut locals = vec![
        first("MACRO_EXTEN", &here.exten),
        first("MACRO_CONTEXT", &here.context),
        first("MACRO_PRIORITY", &here.priority.to_string()),
        ("MACRO_DEPTH".to_owned(), depth.to_string()),
        ("MACRO_OFFSET".to_owned(), String::new()),
    ];
    locals.extend(numbered(args.get(1..).unwrap_or_default()));
    if !state.push_frame(after(&here), FrameKind::Macro { context, lock: lock.clone() }, locals) {
        state.warn(format!("Macro is nested too deep at {here}: does it call itself?"));
        release(scope.environment.globals(), lock.as_deref(), &state.name);
        return Outcome::Stop(Cause::NONE);
    }
    Outcome::Jump(Target::at(&to))
}

/// The program stands in another context than that of the macro it is in: it has jumped out of it.
pub(super) fn leave_macros(state: &mut State, globals: &Globals) {
    while let Some(FrameKind::Macro { context, .. }) = state.frames.last().map(|frame| &frame.kind)
        && !context.eq_ignore_ascii_case(&state.position.context)
    {
        let text = format!("Channel '{}' jumped out of '{}'", state.name, outside(context));
        state.log(Level::Verbose(3), text);
        pop(state, globals);
    }
}

/// There is no further priority in the macro the program is in: it goes on behind it. False when it is in none.
pub(super) fn end_macro(state: &mut State, environment: &dyn Environment) -> bool {
    if !state.frames.last().is_some_and(|frame| frame.kind != FrameKind::Gosub) {
        return false;
    }
    let offset: u32 = state.variable("MACRO_OFFSET").and_then(|offset| offset.trim().parse().ok()).unwrap_or(0);
    let Some(back) = pop(state, environment.globals()) else { return false };
    let further = Position { priority: back.priority.saturating_add(offset), ..back.clone() };
    let caller = Some(state.caller.number.as_str());
    let Position { context, exten, priority } = &further;
    let found = environment.dialplan().find(context, exten, *priority, caller, environment.now().wall);
    state.position = if found.is_some() { further } else { back };
    true
}

/// `MacroExit`: out of the latest macro, and the subroutines that were entered since. None when there is no macro.
pub(super) fn exit_macro(scope: &mut Scope<'_>) -> Option<Position> {
    if scope.state.frames.iter().all(|frame| frame.kind == FrameKind::Gosub) {
        return None;
    }
    while scope.state.frames.last().is_some_and(|frame| frame.kind == FrameKind::Gosub) {
        scope.state.frames.pop();
    }
    pop(scope.state, scope.environment.globals())
}

/// The call is over within macros: what ran them counts as the place it ended in.
pub(super) fn unwind_macros(state: &mut State, globals: &Globals) {
    while state.frames.last().is_some_and(|frame| frame.kind != FrameKind::Gosub) {
        if let Some(back) = pop(state, globals) {
            state.position = Position { priority: back.priority.saturating_sub(1), ..back };
        }
    }
}

/// Leaves the latest frame: where it goes back to.
fn pop(state: &mut State, globals: &Globals) -> Option<Position> {
    let frame = state.frames.pop()?;
    if let FrameKind::Macro { lock, .. } = frame.kind {
        release(globals, lock.as_deref(), &state.name);
    }
    Some(frame.back)
}

fn release(globals: &Globals, lock: Option<&str>, channel: &str) {
    if let Some(lock) = lock {
        globals.unlock(lock, channel);
    }
}

fn after(position: &Position) -> Position {
    Position { priority: position.priority.saturating_add(1), ..position.clone() }
}

fn numbered(args: &[String]) -> impl Iterator<Item = (String, String)> {
    (1u32..).zip(args).map(|(number, arg)| (format!("ARG{number}"), arg.clone()))
}
