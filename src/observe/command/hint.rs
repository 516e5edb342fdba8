//! `core show hints`, `core show hint`, `devstate ...`: what lamps show.

use super::reply::Reply;
use crate::event::DeviceState;
use crate::observe::control_api::ControlApi;
use crate::observe::escape::line;
use crate::observe::snapshot::HintRow;
use crate::wording::plural;

/// The family of the database that has the states of `Custom:` devices, as in Asterisk.
const CUSTOM: &str = "/CustomDevstate/";

pub(super) fn show_hints(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let hints = exchange.hints();
    if hints.is_empty() {
        return Reply::Done("There are no registered dialplan hints\n".to_owned());
    }
    let rows: String = hints.iter().map(row).collect();
    let head = "\n    -= Registered Asterisk Dial Plan Hints =-\n";
    Reply::Done(format!("{head}{rows}{}\n- {} hints registered\n", "-".repeat(16), hints.len()))
}

pub(super) fn show_hint(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [wanted] = arguments else { return Reply::Usage };
    let (exten, context) = match wanted.split_once('@') {
        Some((exten, context)) => (exten, Some(context)),
        None => (wanted.as_str(), None),
    };
    let hints = exchange.hints();
    if hints.is_empty() {
        return Reply::Done("There are no registered dialplan hints\n".to_owned());
    }
    let is_meant = |hint: &&HintRow| hint.exten == exten && context.is_none_or(|context| hint.context == context);
    let found: Vec<&HintRow> = hints.iter().filter(is_meant).collect();
    if found.is_empty() {
        return Reply::Done(format!("No hints matching extension {}\n", line(exten)));
    }
    let rows: String = found.iter().map(|hint| row(hint)).collect();
    let count = plural(found.len() as u64, "hint");
    Reply::Done(format!("{rows}{}\n- {count} matching extension {}\n", "-".repeat(16), line(exten)))
}

fn row(hint: &HintRow) -> String {
    let name = line(&format!("{}@{}", hint.exten, hint.context));
    format!(
        "{name:<30.30}: {:<60.60}  State:{:<15.15} Presence:{:<15.15} Watchers {:>2}\n",
        line(&hint.devices),
        hint.state.shown(),
        "not_set",
        hint.watchers
    )
}

pub(super) fn list_states(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let rule = "-".repeat(69);
    let title = format!("{:-<69}", "--- Custom Device States ");
    let mut text = format!("\n{rule}\n{title}\n{rule}\n---\n");
    for (path, state) in exchange.database() {
        if let Some(name) = path.strip_prefix(CUSTOM) {
            text += &format!("--- Name: 'Custom:{}'  State: '{}'\n---\n", line(name), line(&state));
        }
    }
    Reply::Done(format!("{text}{rule}\n{rule}\n\n"))
}

pub(super) fn change_state(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [device, state] = arguments else { return Reply::Usage };
    let custom = device.split_once(':').filter(|(kind, name)| kind.eq_ignore_ascii_case("Custom") && !name.is_empty());
    let Some((_, name)) = custom else {
        return Reply::Failed(
            "Only a device that begins with 'Custom:' can be changed: others do what they do\n".to_owned(),
        );
    };
    let Some(state) = DeviceState::from_word(state) else {
        let known: Vec<&str> = DeviceState::words().collect();
        return Reply::Failed(format!("'{}' is no state: write one of {}\n", line(state), known.join(", ")));
    };
    match exchange.database_put(&format!("{CUSTOM}{name}"), state.word()) {
        Ok(()) => Reply::Done(format!("Changing {} to {}\n", line(device), state.word())),
        Err(why) => Reply::Failed(format!("Failed to change it: {why}\n")),
    }
}
