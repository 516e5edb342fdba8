//! `DIALGROUP`: lines that come and go, for `Dial` to ring.

use crate::dialplan::arguments::{Split, pieces};
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;

pub(super) static DIALGROUP: Function = Function {
    name: "DIALGROUP",
    synopsis: "The lines of a group as Dial takes them, SIP/a&SIP/b; Set(DIALGROUP(name,add)=SIP/a) adds one, del removes one, and without either the list is replaced. Forgotten at a restart",
    syntax: "DIALGROUP(name[,add|del])",
    read: Some(|scope, args| Ok(bounded(&scope.environment.globals().dial_group(args.trim()).join("&")))),
    write: Some(set),
};

fn set(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let args = Split(pieces(args, ',', 2));
    let (name, value) = (args.trimmed(0), value.trim());
    if name.is_empty() {
        return Err("DIALGROUP needs the name of a group".to_owned());
    }
    let globals = scope.environment.globals();
    let mut lines = globals.dial_group(name);
    match args.trimmed(1).to_ascii_lowercase().as_str() {
        "add" if value.is_empty() || lines.iter().any(|line| line == value) => {}
        "add" => lines.push(bounded(value)),
        "del" => lines.retain(|line| line != value),
        "" => lines = value.split('&').map(str::trim).filter(|line| !line.is_empty()).map(bounded).collect(),
        other => return Err(format!("DIALGROUP: '{}' is neither add nor del", outside(other))),
    }
    match globals.set_dial_group(name, lines) {
        true => Ok(()),
        false => Err(format!("DIALGROUP: no room in or for the group '{}'", outside(name))),
    }
}
