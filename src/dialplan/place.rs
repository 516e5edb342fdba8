//! Where a jump leads: a label or a relative priority becomes a number.

use super::environment::Environment;
use super::request::Position;
use super::state::State;
use crate::wording::outside;

/// The position that a context, an extension (those of now when they are not named) and a number, `+n`, `-n` or a label
/// lead to. Says in the log when there is none.
pub(super) fn resolve(
    (context, exten, wanted): (Option<&str>, Option<&str>, &str),
    state: &mut State,
    environment: &dyn Environment,
) -> Option<Position> {
    let here = &state.position;
    let context = context.unwrap_or(&here.context);
    let exten = exten.unwrap_or(&here.exten);
    let relative = wanted.strip_prefix(['+', '-']).and_then(|text| text.parse::<u32>().ok());
    let number = match (wanted.parse::<u32>(), relative) {
        (_, Some(far)) if wanted.starts_with('+') => here.priority.checked_add(far),
        (_, Some(far)) => here.priority.checked_sub(far),
        (Ok(number), None) => Some(number),
        (Err(_), None) => {
            let caller = Some(state.caller.number.as_str());
            environment.dialplan().find_label(context, exten, wanted, caller, environment.now().wall)
        }
    };
    match number {
        Some(number) if number > 0 => Some(Position::new(context, exten, number)),
        _ => {
            let text = format!(
                "'{}' is neither a priority above 0 nor a label of {} in context '{}' (at {here})",
                outside(wanted),
                outside(exten),
                outside(context)
            );
            state.warn(text);
            None
        }
    }
}
