//! `mailbox set`, `mailbox show`: how many messages wait, told by hand.

use super::reply::Reply;
use crate::observe::control_api::ControlApi;
use crate::observe::escape::line;

/// The family of the database that has the counts.
const FAMILY: &str = "/MessageWaiting/";

pub(super) fn set(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let (mailbox, new, old) = match arguments {
        [mailbox, new] => (mailbox, new.as_str(), "0"),
        [mailbox, new, old] => (mailbox, new.as_str(), old.as_str()),
        _ => return Reply::Usage,
    };
    let (Ok(new), Ok(old)) = (new.parse::<u32>(), old.parse::<u32>()) else { return Reply::Usage };
    let mailbox = full_name(mailbox);
    match exchange.database_put(&format!("{FAMILY}{mailbox}"), &format!("{new}/{old}")) {
        Ok(()) => Reply::Done(format!("Mailbox {}: {new} new, {old} old\n", line(&mailbox))),
        Err(why) => Reply::Failed(format!("Failed to set it: {why}\n")),
    }
}

pub(super) fn show(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    let row = |mailbox: &str, new: &str, old: &str| format!("{mailbox:<30.30} {new:>6} {old:>6}\n");
    let mut text = row("Mailbox", "New", "Old");
    for (path, value) in exchange.database() {
        if let (Some(mailbox), Some((new, old))) = (path.strip_prefix(FAMILY), value.split_once('/')) {
            text += &row(&line(mailbox), &line(new), &line(old));
        }
    }
    Reply::Done(text)
}

/// A mailbox with its context.
fn full_name(mailbox: &str) -> String {
    if mailbox.contains('@') { mailbox.to_owned() } else { format!("{mailbox}@default") }
}
