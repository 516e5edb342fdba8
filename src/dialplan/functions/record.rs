//! The record of the call: `CDR`, `CDR_PROP`.

use crate::dialplan::arguments::is_true;
use crate::dialplan::function::Function;
use crate::dialplan::record::{AmaFlags, MAX_FIELDS};
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::wording::outside;

pub(super) static CDR: Function = Function {
    name: "CDR",
    synopsis: "A field of the call record. accountcode, amaflags, userfield, peeraccount and fields of your own can be assigned",
    syntax: "CDR(src|dst|dcontext|channel|dstchannel|lastapp|lastdata|start|answer|duration|billsec|disposition|...[,u|f])",
    read: Some(read),
    write: Some(write),
};

pub(super) static CDR_PROP: Function = Function {
    name: "CDR_PROP",
    synopsis: "Set(CDR_PROP(disable)=1): there is to be no record of this call",
    syntax: "CDR_PROP(disable)",
    read: None,
    write: Some(|scope, name, value| match name.trim() {
        "disable" => {
            scope.state.record.disabled = is_true(value);
            Ok(())
        }
        other => Err(format!("CDR_PROP: there is no '{}'; there is disable", outside(other))),
    }),
};

/// Fields that the exchange fills in.
const READ_ONLY: [&str; 16] = [
    "src",
    "clid",
    "dst",
    "dcontext",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "uniqueid",
    "linkedid",
];

pub(super) fn read(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let field = args.split(',').next().unwrap_or_default().trim().to_ascii_lowercase();
    let record = &scope.state.record;
    Ok(match field.as_str() {
        "src" => scope.state.caller.number.clone(),
        "clid" => format!("\"{}\" <{}>", scope.state.caller.name, scope.state.caller.number),
        "amaflags" => record.ama_flags.name().to_owned(),
        "userfield" => record.user_field.clone(),
        "peeraccount" => record.peer_account.clone(),
        "accountcode" => match &record.account {
            Some(account) => account.clone(),
            None => scope.environment.record("accountcode").unwrap_or_default(),
        },
        known if READ_ONLY.contains(&known) => {
            let raw = args.split(',').nth(1).map(str::trim).unwrap_or_default();
            scope
                .environment
                .record(&format!("{known}{}", if raw.is_empty() { String::new() } else { format!(",{raw}") }))
                .unwrap_or_default()
        }
        own => record.fields.get(own).cloned().unwrap_or_default(),
    })
}

pub(super) fn write(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let field = args.split(',').next().unwrap_or_default().trim().to_ascii_lowercase();
    let record = &mut scope.state.record;
    let value = bounded(value);
    match field.as_str() {
        "" => return Err("CDR needs the name of a field".to_owned()),
        "accountcode" => record.account = Some(value),
        "peeraccount" => record.peer_account = value,
        "userfield" => record.user_field = value,
        "amaflags" => {
            let unknown =
                || format!("CDR(amaflags): '{}' is not default, omit, billing or documentation", outside(&value));
            record.ama_flags = AmaFlags::parse(&value).ok_or_else(unknown)?;
        }
        known if READ_ONLY.contains(&known) => return Err(format!("CDR({known}) cannot be assigned")),
        own if record.fields.len() < MAX_FIELDS || record.fields.contains_key(own) => {
            record.fields.insert(own.to_owned(), value);
        }
        _ => return Err(format!("CDR: a record holds at most {MAX_FIELDS} fields of your own")),
    }
    Ok(())
}
