//! Variables by name: `GLOBAL` and its kin, `LOCAL`, `SET`, `INC`, `DEC`, `DELETE`.

use crate::dialplan::expression;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;

pub(super) static GLOBAL: Function = Function {
    name: "GLOBAL",
    synopsis: "A global variable",
    syntax: "GLOBAL(name)",
    read: Some(|scope, name| Ok(scope.environment.globals().get(name.trim()).unwrap_or_default())),
    write: Some(set_global),
};

pub(super) static GLOBAL_EXISTS: Function = Function {
    name: "GLOBAL_EXISTS",
    synopsis: "1 if there is a global variable of that name, else 0",
    syntax: "GLOBAL_EXISTS(name)",
    read: Some(|scope, name| Ok(u8::from(scope.environment.globals().get(name.trim()).is_some()).to_string())),
    write: None,
};

pub(super) static GLOBAL_DELETE: Function = Function {
    name: "GLOBAL_DELETE",
    synopsis: "Removes a global variable, by Set(GLOBAL_DELETE(name)=)",
    syntax: "GLOBAL_DELETE(name)",
    read: None,
    write: Some(|scope, name, _| {
        scope.environment.globals().remove(name.trim());
        Ok(())
    }),
};

pub(super) static DELETE: Function = Function {
    name: "DELETE",
    synopsis: "Removes a variable of the channel, by Set(DELETE(name)=)",
    syntax: "DELETE(name)",
    read: None,
    write: Some(|scope, name, _| {
        scope.state.remove_variable(name.trim());
        Ok(())
    }),
};

pub(super) static LOCAL: Function = Function {
    name: "LOCAL",
    synopsis: "A variable that Return discards",
    syntax: "LOCAL(name)",
    read: Some(|scope, name| Ok(scope.state.variable(name.trim()).unwrap_or_default())),
    write: Some(set_local),
};

pub(super) static SET: Function = Function {
    name: "SET",
    synopsis: "Assigns a variable and returns its value",
    syntax: "SET(name=value)",
    read: Some(set),
    write: None,
};

pub(super) static INC: Function = Function {
    name: "INC",
    synopsis: "Adds 1 to a variable, given its name, and returns its value",
    syntax: "INC(name)",
    read: Some(|scope, name| add(scope, name, "1")),
    write: None,
};

pub(super) static DEC: Function = Function {
    name: "DEC",
    synopsis: "Subtracts 1 from a variable, given its name, and returns its value",
    syntax: "DEC(name)",
    read: Some(|scope, name| add(scope, name, "-1")),
    write: None,
};

fn set_global(scope: &mut Scope<'_>, name: &str, value: &str) -> Result<(), String> {
    let name = name.trim();
    if name.is_empty() {
        return Err("GLOBAL needs the name of a variable".to_owned());
    }
    if scope.environment.globals().set(name, &bounded(value)) {
        Ok(())
    } else {
        Err(format!("No room for the global variable '{}'", outside(name)))
    }
}

fn set_local(scope: &mut Scope<'_>, name: &str, value: &str) -> Result<(), String> {
    if scope.state.set_local(name.trim(), value) {
        Ok(())
    } else {
        Err(format!("LOCAL({}) needs a Gosub to be local to", outside(name)))
    }
}

fn set(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let (name, value) = args.split_once('=').ok_or_else(|| "SET needs name=value".to_owned())?;
    scope.state.set_variable(name.trim(), value);
    Ok(value.to_owned())
}

fn add(scope: &mut Scope<'_>, name: &str, what: &str) -> Result<String, String> {
    let name = name.trim();
    let value = scope.variable(name).unwrap_or_default();
    let value = if value.is_empty() { "0" } else { value.as_str() };
    let sum = expression::evaluate(&format!("\"{value}\" + {what}"), &mut Vec::new())?;
    scope.state.set_variable(name, &sum);
    Ok(sum)
}
