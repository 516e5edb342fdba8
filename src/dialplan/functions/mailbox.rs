//! What is known of mailboxes: `MAILBOX_EXISTS`, `VM_INFO`.

use crate::dialplan::arguments::{Split, split};
use crate::dialplan::function::Function;
use crate::dialplan::mailbox::messages;
use crate::wording::outside;

pub(super) static MAILBOX_EXISTS: Function = Function {
    name: "MAILBOX_EXISTS",
    synopsis: "1 if anybody has told how many messages wait in the mailbox (a provider, the console), else 0",
    syntax: "MAILBOX_EXISTS(mailbox[@context])",
    read: Some(|scope, mailbox| Ok(u8::from(messages(scope.environment.database(), mailbox).is_some()).to_string())),
    write: None,
};

pub(super) static VM_INFO: Function = Function {
    name: "VM_INFO",
    synopsis: "How many messages wait in a mailbox: new ones, or with the folder Old those that were heard; or whether anybody has told",
    syntax: "VM_INFO(mailbox[@context],count|exists[,INBOX|Old])",
    read: Some(|scope, args| {
        let args = Split(split(args));
        let known = messages(scope.environment.database(), args.trimmed(0));
        let count = known.unwrap_or_default();
        match (args.trimmed(1).to_ascii_lowercase().as_str(), args.trimmed(2).to_ascii_lowercase().as_str()) {
            ("exists", _) => Ok(u8::from(known.is_some()).to_string()),
            ("count", "" | "inbox") => Ok(count.new.to_string()),
            ("count", "old") => Ok(count.old.to_string()),
            ("count", folder) => {
                Err(format!("VM_INFO: there is no folder '{}': INBOX and Old are counted", outside(folder)))
            }
            (item, _) => Err(format!("VM_INFO: '{}' is not known here: only count and exists are", outside(item))),
        }
    }),
    write: None,
};
