//! `core show hints`.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape::line;

pub(super) fn show_hints(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let hints = exchange.hints();
    if hints.is_empty() {
        return Reply::Done("There are no registered dialplan hints\n".to_owned());
    }
    let mut text = String::from("\n    -= Registered Asterisk Dial Plan Hints =-\n");
    for hint in &hints {
        let name = line(&format!("{}@{}", hint.exten, hint.context));
        text += &format!(
            "{name:<30.30}: {:<60.60}  State:{:<15.15} Presence:{:<15.15} Watchers {:>2}\n",
            line(&hint.devices),
            hint.state.shown(),
            "not_set",
            hint.watchers
        );
    }
    text += &"-".repeat(16);
    Reply::Done(text + &format!("\n- {} hints registered\n", hints.len()))
}
