//! `CALLERID`, `CALLERPRES`: who calls; `REDIRECTING`: who forwarded the call.

use crate::config::presentation::Presentation;
use crate::dialplan::arguments;
use crate::dialplan::diversion::DiversionReason;
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

pub(super) static CONNECTEDLINE: Function = Function {
    name: "CONNECTEDLINE",
    synopsis: "Who is at the other end: on a called line who calls, on a caller's channel behind Dial who answered. It is not assigned: telephones are not told during a call whom they are connected with",
    syntax: "CONNECTEDLINE(num|name|all)",
    read: Some(|scope, args| {
        let (name, number) = connected(scope);
        match item(args).as_str() {
            "num" | "number" => Ok(number),
            "name" => Ok(name),
            "all" => Ok(format!("\"{name}\" <{number}>")),
            "num-valid" => Ok(u8::from(!number.is_empty()).to_string()),
            "name-valid" => Ok(u8::from(!name.is_empty()).to_string()),
            other => Err(format!("CONNECTEDLINE knows num, name and all, and not '{}'", outside(other))),
        }
    }),
    write: None,
};

/// Name and number of who is at the other end.
fn connected(scope: &Scope<'_>) -> (String, String) {
    if let Some(caller) = scope.environment.caller_of_line() {
        return caller;
    }
    let answered = scope.state.variable("DIALEDPEERNAME").unwrap_or_default();
    let line = answered.split_once('/').map_or("", |(_, line)| line.rsplit_once('-').map_or(line, |(line, _)| line));
    let of = |item: &str| scope.environment.peer(line, item).filter(|text| !text.is_empty());
    let dialled = || scope.state.variable("DIALEDPEERNUMBER").unwrap_or_default();
    (of("callerid_name").unwrap_or_default(), of("callerid_num").unwrap_or_else(dialled))
}

pub(super) static REDIRECTING: Function = Function {
    name: "REDIRECTING",
    synopsis: "How the call was forwarded: the number (from-num, the same as CALLERID(rdnis)) and name of who did so last, the \
               number of who did so first, why (cfu, cfb, cfnr, unavailable, unknown, ...), and how often",
    syntax: "REDIRECTING(from-num|from-name|orig-num|reason|count)",
    read: Some(|scope, args| {
        let caller = &scope.state.caller;
        let diversion = &caller.diversion;
        // Who set CALLERID(rdnis) alone has had it forwarded once.
        let count = diversion.count.max(u32::from(!caller.rdnis.is_empty()));
        let original = if diversion.original.is_empty() { &caller.rdnis } else { &diversion.original };
        match item(args).as_str() {
            "from-num" => Ok(caller.rdnis.clone()),
            "from-num-valid" => Ok(u8::from(!caller.rdnis.is_empty()).to_string()),
            "from-name" => Ok(diversion.name.clone()),
            "orig-num" => Ok(original.clone()),
            "reason" => Ok(diversion.reason.name().to_owned()),
            "count" => Ok(count.to_string()),
            other => Err(format!(
                "REDIRECTING knows from-num, from-name, orig-num, reason and count, and not '{}'",
                outside(other)
            )),
        }
    }),
    write: Some(redirect),
};

fn redirect(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let caller = &mut scope.state.caller;
    let value = crate::dialplan::state::bounded(value.trim());
    match item(args).as_str() {
        "from-num" => caller.rdnis = value,
        "from-name" => caller.diversion.name = arguments::unquote(&value),
        "orig-num" => caller.diversion.original = value,
        "reason" => {
            let unknown =
                || format!("REDIRECTING: '{}' is no reason: write cfu, cfb, cfnr or unknown", outside(&value));
            caller.diversion.reason = DiversionReason::parse(&value).ok_or_else(unknown)?;
        }
        "count" => {
            let unknown = || format!("REDIRECTING: '{}' is no number", outside(&value));
            caller.diversion.count = value.parse().map_err(|_| unknown())?;
        }
        other => {
            return Err(format!(
                "REDIRECTING: '{}' cannot be assigned; from-num, from-name, orig-num, reason and count can",
                outside(other)
            ));
        }
    }
    Ok(())
}

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
