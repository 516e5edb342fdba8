//! What the exchange knows: `CHANNEL`, `SIPPEER`, `DIALPLAN_EXISTS`.

use super::record;
use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::bounded;
use crate::dialplan::tree::Existence;
use crate::wording::outside;

pub(super) static CHANNEL: Function = Function {
    name: "CHANNEL",
    synopsis: "A property of this channel. language, musicclass, accountcode, amaflags and userfield can be assigned",
    syntax: "CHANNEL(name|context|exten|uniqueid|state|language|musicclass|accountcode|peername|peerip|recvip|from|uri|useragent|...)",
    read: Some(channel),
    write: Some(set_channel),
};

pub(super) static SIPPEER: Function = Function {
    name: "SIPPEER",
    synopsis: "A property of a peer",
    syntax: "SIPPEER(peer[,item])",
    read: Some(peer),
    write: None,
};

pub(super) static DIALPLAN_EXISTS: Function = Function {
    name: "DIALPLAN_EXISTS",
    synopsis: "1 if the context, extension or priority exists, else 0",
    syntax: "DIALPLAN_EXISTS(context[,extension[,priority]])",
    read: Some(dialplan_exists),
    write: None,
};

fn channel(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let item = args.trim();
    Ok(match item.to_ascii_lowercase().as_str() {
        "name" => scope.state.name.clone(),
        "context" => scope.state.position.context.clone(),
        "exten" => scope.state.position.exten.clone(),
        "pri" | "priority" => scope.state.position.priority.to_string(),
        "language" => scope.state.language.clone(),
        "musicclass" => scope.state.music_class.clone(),
        "channeltype" => scope.state.name.split('/').next().unwrap_or_default().to_owned(),
        item if OF_RECORD.contains(&item) => record::read(scope, item)?,
        other => scope.environment.channel(other).ok_or_else(|| format!("CHANNEL: there is no '{}'", outside(item)))?,
    })
}

/// What is kept with the record is assigned there.
const OF_RECORD: [&str; 3] = ["accountcode", "amaflags", "userfield"];

fn set_channel(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    match args.trim().to_ascii_lowercase().as_str() {
        "language" => {
            scope.state.language = bounded(value.trim());
            Ok(())
        }
        "musicclass" => {
            scope.state.music_class = bounded(value.trim());
            Ok(())
        }
        item if OF_RECORD.contains(&item) => record::write(scope, item, value),
        _ => Err(format!("CHANNEL({}) cannot be assigned", outside(args.trim()))),
    }
}

fn peer(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = arguments::Split(arguments::split(args));
    let (name, item) = (args.trimmed(0), args.trimmed(1));
    if name.is_empty() {
        return Err("SIPPEER needs the name of a peer".to_owned());
    }
    let item = if item.is_empty() { "ip" } else { item };
    Ok(scope.environment.peer(name, item).unwrap_or_default())
}

fn dialplan_exists(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = arguments::Split(arguments::split(args));
    let (context, exten, priority) = (args.trimmed(0), args.trimmed(1), args.trimmed(2));
    let (plan, at) = (scope.environment.dialplan(), scope.environment.now().wall);
    let caller = Some(scope.state.caller.number.as_str());
    let exists = if context.is_empty() {
        return Err("DIALPLAN_EXISTS needs the name of a context".to_owned());
    } else if exten.is_empty() {
        plan.has_context(context)
    } else if priority.is_empty() {
        plan.exists(context, exten, caller, at) == Existence::Yes
    } else {
        match priority.parse() {
            Ok(number) => plan.find(context, exten, number, caller, at).is_some(),
            Err(_) => plan.find_label(context, exten, priority, caller, at).is_some(),
        }
    };
    Ok(u8::from(exists).to_string())
}
