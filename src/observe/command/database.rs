//! `database ...`: the key/value database.

use super::Answer;
use crate::observe::control_api::ControlApi;
use crate::observe::escape;

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let path = match arguments {
        [] => String::new(),
        [family] => format!("/{family}"),
        [family, key] => format!("/{family}/{key}"),
        _ => return Answer::Usage,
    };
    let below = format!("{path}/");
    list(exchange, |name| name == path || name.starts_with(&below))
}

pub(super) fn showkey(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let [key] = arguments else { return Answer::Usage };
    let end = format!("/{key}");
    list(exchange, |name| name.ends_with(&end))
}

pub(super) fn get(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let [family, key] = arguments else { return Answer::Usage };
    let path = format!("/{family}/{key}");
    let found = exchange.database().into_iter().find(|(name, _)| *name == path);
    Answer::Done(match found {
        Some((_, value)) => format!("Value: {}\n", escape::line(&value)),
        None => "Database entry not found.\n".to_owned(),
    })
}

pub(super) fn put(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let [family, key, value] = arguments else { return Answer::Usage };
    match exchange.database_put(&format!("/{family}/{key}"), value) {
        Ok(()) => Answer::Done("Updated database successfully\n".to_owned()),
        Err(why) => Answer::Failed(format!("Failed to update entry: {why}\n")),
    }
}

pub(super) fn del(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let [family, key] = arguments else { return Answer::Usage };
    let gone = exchange.database_delete(&format!("/{family}/{key}"), false);
    let said = if gone > 0 { "Database entry removed.\n" } else { "Database entry could not be removed.\n" };
    Answer::Done(said.to_owned())
}

pub(super) fn deltree(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let path = match arguments {
        [family] => format!("/{family}"),
        [family, key] => format!("/{family}/{key}"),
        _ => return Answer::Usage,
    };
    Answer::Done(match exchange.database_delete(&path, true) {
        0 => "Database entries do not exist.\n".to_owned(),
        gone => format!("{gone} database entries removed.\n"),
    })
}

fn list(exchange: &dyn ControlApi, wanted: impl Fn(&str) -> bool) -> Answer {
    let found = exchange.database().into_iter().filter(|(name, _)| wanted(name));
    let rows: Vec<String> =
        found.map(|(name, value)| format!("{:<50}: {:<25}\n", escape::line(&name), escape::line(&value))).collect();
    Answer::Done(format!("{}{} results found.\n", rows.concat(), rows.len()))
}
