//! The special extensions `i`, `t`, `T` and `e`: where a call goes that cannot go on.

use super::app::{Outcome, Target};
use super::lookup;
use super::request::{Cause, Position};
use super::state::{Exception, State};
use crate::event::Level;
use crate::wording::outside;

/// Why a call cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble<'a> {
    /// There is no such extension.
    Invalid(&'a str),
    /// No digit came in time.
    ResponseTimeout,
    /// The call has lasted as long as `TIMEOUT(absolute)` allows.
    AbsoluteTimeout,
    /// `RaiseException` says so.
    Raised(&'a str),
}

impl Trouble<'_> {
    /// The extension that is there for it.
    fn exten(&self) -> Option<&'static str> {
        match self {
            Trouble::Invalid(_) => Some("i"),
            Trouble::ResponseTimeout => Some("t"),
            Trouble::AbsoluteTimeout => Some("T"),
            Trouble::Raised(_) => None,
        }
    }

    /// `EXCEPTION(reason)`.
    fn reason(&self) -> &str {
        match self {
            Trouble::Invalid(_) => "INVALID",
            Trouble::ResponseTimeout => "RESPONSETIMEOUT",
            Trouble::AbsoluteTimeout => "ABSOLUTETIMEOUT",
            Trouble::Raised(reason) => reason,
        }
    }
}

/// Where the call goes on in this context: its own extension, or `e`. None: there is neither.
pub(super) fn place(state: &mut State, context: &str, trouble: &Trouble<'_>) -> Option<Position> {
    if let Trouble::Invalid(exten) = trouble {
        state.set_variable("INVALID_EXTEN", exten);
    }
    if let Some(exten) = trouble.exten().filter(|exten| lookup::has(state, context, exten)) {
        return Some(Position::new(context, exten, 1));
    }
    if !lookup::has(state, context, "e") {
        return None;
    }
    state.exception = Some(Exception { reason: trouble.reason().to_owned(), at: state.position.clone() });
    Some(Position::new(context, "e", 1))
}

/// The same for an application, which ends so. Where there is no such extension, so does the call.
pub(super) fn leave(state: &mut State, context: &str, trouble: &Trouble<'_>) -> Outcome {
    let to = place(state, context, trouble);
    let (name, shown) = (&state.name, outside(context));
    let what = match trouble {
        Trouble::Invalid(exten) => format!("Invalid extension '{}' in context '{shown}' on {name}", outside(exten)),
        Trouble::ResponseTimeout => format!("Timeout on {name}"),
        Trouble::AbsoluteTimeout => format!("{name} has lasted as long as TIMEOUT(absolute) allows"),
        Trouble::Raised(reason) => format!("Exception {} on {name}", outside(reason)),
    };
    match to {
        Some(to) => {
            state.log(Level::Verbose(3), format!("{what}, going to '{}'", to.exten));
            Outcome::Jump(Target::to(&to.context, &to.exten))
        }
        None => {
            let rules: String = trouble.exten().map(|exten| format!("'{exten}' or ")).unwrap_or_default();
            state.warn(format!("{what}, but no rule {rules}'e' in context '{shown}': the call ends"));
            Outcome::Stop(Cause::NONE)
        }
    }
}
