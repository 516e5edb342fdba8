//! `CALLERID`, `CALLERPRES`: who calls; `REDIRECTING`: who forwarded the call.

use crate::config::presentation::Presentation;
use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::wording::outside;

pub(super) static CALLERID: Function = Function {
    name: "CALLERID",
    synopsis: "Number, name and other parts of the caller ID",
    syntax: "CALLERID(num|name|all|ani|dnid|rdnis|pres)",
    read: Some(read),
    write: Some(write),
};

pub(super) static CALLERPRES: Function = Function {
    name: "CALLERPRES",
    synopsis: "Presentation of the caller ID: allowed, prohib, unavailable, ...; the same as CALLERID(pres)",
    syntax: "CALLERPRES()",
    read: Some(|scope, _| Ok(scope.state.caller.presentation.name().to_owned())),
    write: Some(|scope, _, value| {
        scope.state.caller.presentation = presentation(value)?;
        Ok(())
    }),
};

pub(super) static REDIRECTING: Function = Function {
    name: "REDIRECTING",
    synopsis: "Who forwarded the call: from-num is the same as CALLERID(rdnis), count is 1 when somebody did, else 0",
    syntax: "REDIRECTING(from-num|count)",
    read: Some(|scope, args| {
        let forwarder = &scope.state.caller.rdnis;
        match item(args).as_str() {
            "from-num" => Ok(forwarder.clone()),
            "from-num-valid" | "count" => Ok(u8::from(!forwarder.is_empty()).to_string()),
            other => Err(format!("REDIRECTING knows from-num and count, and not '{}'", outside(other))),
        }
    }),
    write: Some(|scope, args, value| match item(args).as_str() {
        "from-num" => {
            scope.state.caller.rdnis = crate::dialplan::state::bounded(value.trim());
            Ok(())
        }
        other => Err(format!("REDIRECTING: '{}' cannot be assigned; from-num can", outside(other))),
    }),
};

fn presentation(text: &str) -> Result<Presentation, String> {
    let unknown = || {
        format!(
            "'{text}' is not a presentation: write allowed, allowed_passed_screen, prohib, prohib_not_screened, unavailable"
        )
    };
    Presentation::parse(text).ok_or_else(unknown)
}

/// The item's name. A second argument would name another caller ID to read; it is ignored.
fn item(args: &str) -> String {
    args.split(',').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn read(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let caller = &scope.state.caller;
    Ok(match item(args).as_str() {
        "num" | "number" => caller.number.clone(),
        "name" => caller.name.clone(),
        "all" => format!("\"{}\" <{}>", caller.name, caller.number),
        "ani" | "ani-num" => caller.ani.clone(),
        "dnid" | "dnid-num-plan" => caller.dnid.clone(),
        "rdnis" => caller.rdnis.clone(),
        "pres" | "num-pres" | "name-pres" => caller.presentation.name().to_owned(),
        "num-valid" => u8::from(!caller.number.is_empty()).to_string(),
        "name-valid" => u8::from(!caller.name.is_empty()).to_string(),
        other => return Err(format!("CALLERID: there is no '{}'", outside(other))),
    })
}

fn write(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let caller = &mut scope.state.caller;
    let value = crate::dialplan::state::bounded(value.trim());
    match item(args).as_str() {
        "num" | "number" => caller.number = value,
        "name" => caller.name = arguments::unquote(&value),
        "all" => (caller.name, caller.number) = crate::dialplan::state::name_and_number(&value),
        "ani" | "ani-num" => caller.ani = value,
        "dnid" => caller.dnid = value,
        "rdnis" => caller.rdnis = value,
        "pres" | "num-pres" | "name-pres" => caller.presentation = presentation(&value)?,
        other => return Err(format!("CALLERID: '{}' cannot be assigned", outside(other))),
    }
    Ok(())
}
