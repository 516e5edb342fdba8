//! `features show`.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape::line;

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let rows = exchange.features();
    let row = |name: &str, default: &str, current: &str| format!("{name:<25} {default:<7} {current:<7}\n");
    let head = |kind: &str| row(kind, "Default", "Current") + &row("---------------", "-------", "-------");
    let mut text = head("Builtin Feature");
    for (name, default, current) in &rows.codes {
        text += &row(name, default, &line(current));
    }
    text += "\n";
    text += &head("Dynamic Feature");
    for (name, digits) in &rows.applications {
        text += &row(&line(name), "no def", &line(digits));
    }
    if rows.applications.is_empty() {
        text += "(none)\n";
    }
    Reply::Done(text)
}
