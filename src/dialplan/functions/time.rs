//! `STRFTIME`.

use crate::clock::Wall;
use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;

pub(super) static STRFTIME: Function = Function {
    name: "STRFTIME",
    synopsis: "Formats a time (default: now) with the clock of a time zone (default: the machine's)",
    syntax: "STRFTIME([epoch][,[timezone][,format]])",
    read: Some(strftime),
    write: None,
};

fn strftime(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let parts = arguments::Split(arguments::pieces(args, ',', 3));
    let at = match parts.trimmed(0) {
        "" => scope.environment.now().wall,
        text => {
            let seconds: f64 =
                text.parse().map_err(|_| format!("STRFTIME: '{}' is not a time in seconds", outside(text)))?;
            Wall((seconds * 1000.0) as i64)
        }
    };
    let zone = scope.state.zone(&arguments::unquote(parts.get(1)), "STRFTIME");
    let format = arguments::unquote(parts.get(2));
    let format = if format.is_empty() { "%c" } else { format.as_str() };
    Ok(bounded(&zone.format(at, format)))
}
