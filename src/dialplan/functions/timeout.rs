//! `TIMEOUT` and `EXCEPTION`.

use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::wording::outside;
use std::time::Duration;

pub(super) static TIMEOUT: Function = Function {
    name: "TIMEOUT",
    synopsis: "How long digits are waited for, and how long the call may last, in seconds",
    syntax: "TIMEOUT(absolute|digit|response)",
    read: Some(read),
    write: Some(write),
};

pub(super) static EXCEPTION: Function = Function {
    name: "EXCEPTION",
    synopsis: "Why the call was sent to the extension e, and where it was",
    syntax: "EXCEPTION(reason|context|exten|priority)",
    read: Some(exception),
    write: None,
};

/// Which of the three is meant; its first letter is enough.
#[derive(Clone, Copy)]
enum Which {
    Absolute,
    Digit,
    Response,
}

fn which(args: &str) -> Result<Which, String> {
    match args.trim().chars().next().map(|letter| letter.to_ascii_lowercase()) {
        Some('a') => Ok(Which::Absolute),
        Some('d') => Ok(Which::Digit),
        Some('r') => Ok(Which::Response),
        _ => Err(format!("TIMEOUT knows absolute, digit and response, and not '{}'", outside(args))),
    }
}

fn read(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let timeouts = scope.state.timeouts;
    let shown = |time: Duration| format!("{:.3}", time.as_secs_f64());
    Ok(match which(args)? {
        Which::Digit => shown(timeouts.digit),
        Which::Response => shown(timeouts.response),
        Which::Absolute => match timeouts.deadline {
            None => "0".to_owned(),
            Some(deadline) => shown(deadline.since(scope.environment.now().mono)),
        },
    })
}

fn write(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let which = which(args)?;
    // A negative one is none, as 0 is.
    let is_negative = value.trim().starts_with('-');
    let time = if is_negative { Some(Duration::ZERO) } else { arguments::seconds(value) };
    let time = time.ok_or_else(|| format!("TIMEOUT: '{}' is no time in seconds", outside(value)))?;
    let now = scope.environment.now().mono;
    let timeouts = &mut scope.state.timeouts;
    match which {
        Which::Absolute => timeouts.end_after(now, time),
        Which::Digit => timeouts.digit = time,
        Which::Response => timeouts.response = time,
    }
    Ok(())
}

fn exception(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let Some(exception) = &scope.state.exception else { return Ok(String::new()) };
    match args.trim().to_ascii_lowercase().as_str() {
        "reason" => Ok(exception.reason.clone()),
        "context" => Ok(exception.at.context.clone()),
        "exten" => Ok(exception.at.exten.clone()),
        "priority" => Ok(exception.at.priority.to_string()),
        _ => Err(format!("EXCEPTION knows reason, context, exten and priority, and not '{}'", outside(args))),
    }
}
