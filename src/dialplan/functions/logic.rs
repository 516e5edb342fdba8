//! Conditions: `IF`, `IFTIME`, `EXISTS`, `ISNULL`.

use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::timing::Timing;

pub(super) static IF: Function = Function {
    name: "IF",
    synopsis: "The first text if the condition is true, otherwise the second",
    syntax: "IF(condition?[yes][:no])",
    read: Some(if_),
    write: None,
};

pub(super) static IFTIME: Function = Function {
    name: "IFTIME",
    synopsis: "The first text at the given times, otherwise the second",
    syntax: "IFTIME(times,weekdays,monthdays,months[,timezone]?[yes][:no])",
    read: Some(if_time),
    write: None,
};

pub(super) static EXISTS: Function = Function {
    name: "EXISTS",
    synopsis: "1 if the text is not empty, else 0",
    syntax: "EXISTS(text)",
    read: Some(|_, text| Ok(u8::from(!text.is_empty()).to_string())),
    write: None,
};

pub(super) static ISNULL: Function = Function {
    name: "ISNULL",
    synopsis: "1 if the text is empty, else 0",
    syntax: "ISNULL(text)",
    read: Some(|_, text| Ok(u8::from(text.is_empty()).to_string())),
    write: None,
};

fn if_(_: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let (holds, yes, no) = arguments::condition(args);
    Ok(arguments::unquote(if holds { &yes } else { &no }))
}

fn if_time(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let Some((times, rest)) = args.split_once('?') else {
        return Err("IFTIME needs times,weekdays,monthdays,months?yes:no".to_owned());
    };
    let (timing, odd) = Timing::read(times, scope.environment.dialplan().zones());
    for what in odd {
        scope.state.warn(format!("IFTIME: {what}"));
    }
    let mut branches = arguments::pieces(rest, ':', 2).into_iter();
    let yes = branches.next().unwrap_or_default();
    let no = branches.next().unwrap_or_default();
    Ok(if timing.holds(scope.environment.now().wall) { yes } else { no })
}
