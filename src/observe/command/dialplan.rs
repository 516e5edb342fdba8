//! `dialplan ...`: the dialplan prints itself.

use super::reply::Reply;
use crate::observe::control_api::{ConsoleOrder, ControlApi};
use crate::observe::escape::line;

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let filter = match arguments {
        [] => None,
        [filter] => Some(filter.as_str()),
        _ => return Reply::Usage,
    };
    match exchange.dialplan(filter) {
        Ok(text) => Reply::Done(ended(text)),
        Err(why) => Reply::Failed(ended(why)),
    }
}

/// The columns and the footer of Asterisk's.
pub(super) fn show_globals(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let globals = exchange.globals();
    let rows: String = globals.iter().map(|(name, value)| format!("   {}={}\n", line(name), line(value))).collect();
    Reply::Done(format!("{rows}\n    -- {} variable(s)\n", globals.len()))
}

/// Says so in Asterisk's words.
pub(super) fn set_global(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [name, value] = arguments else { return Reply::Usage };
    let order = ConsoleOrder::SetGlobal { name: name.clone(), value: value.clone() };
    match exchange.order(order) {
        Ok(()) => Reply::Done(format!("\n    -- Global variable '{}' set to '{}'\n", line(name), line(value))),
        Err(why) => Reply::Failed(format!("{why}\n")),
    }
}

fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
