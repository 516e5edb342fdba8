//! `database ...`: the key/value database.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape;

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let path = match arguments {
        [] => String::new(),
        [family] => format!("/{family}"),
        [family, key] => format!("/{family}/{key}"),
        _ => return Reply::Usage,
    };
    let below = format!("{path}/");
    list(exchange, |name| name == path || name.starts_with(&below))
}

pub(super) fn showkey(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [key] = arguments else { return Reply::Usage };
    let end = format!("/{key}");
    list(exchange, |name| name.ends_with(&end))
}

pub(super) fn get(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [family, key] = arguments else { return Reply::Usage };
    let path = format!("/{family}/{key}");
    let found = exchange.database().into_iter().find(|(name, _)| *name == path);
    Reply::Done(match found {
        Some((_, value)) => format!("Value: {}\n", escape::line(&value)),
        None => "Database entry not found.\n".to_owned(),
    })
}

pub(super) fn put(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [family, key, value] = arguments else { return Reply::Usage };
    match exchange.database_put(&format!("/{family}/{key}"), value) {
        Ok(()) => Reply::Done("Updated database successfully\n".to_owned()),
        Err(why) => Reply::Failed(format!("Failed to update entry: {why}\n")),
    }
}

pub(super) fn del(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [family, key] = arguments else { return Reply::Usage };
    let gone = exchange.database_delete(&format!("/{family}/{key}"), false);
    let said = if gone > 0 { "Database entry removed.\n" } else { "Database entry could not be removed.\n" };
    Reply::Done(said.to_owned())
}

pub(super) fn deltree(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let path = match arguments {
        [family] => format!("/{family}"),
        [family, key] => format!("/{family}/{key}"),
        _ => return Reply::Usage,
    };
    Reply::Done(match exchange.database_delete(&path, true) {
        0 => "Database entries do not exist.\n".to_owned(),
        gone => format!("{gone} database entries removed.\n"),
    })
}

fn list(exchange: &dyn ControlApi, wanted: impl Fn(&str) -> bool) -> Reply {
    let found = exchange.database().into_iter().filter(|(name, _)| wanted(name));
    let rows: Vec<String> =
        found.map(|(name, value)| format!("{:<50}: {:<25}\n", escape::line(&name), escape::line(&value))).collect();
    Reply::Done(format!("{}{} results found.\n", rows.concat(), rows.len()))
}
