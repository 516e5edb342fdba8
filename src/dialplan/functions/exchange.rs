//! What the exchange knows: `CHANNEL`, `SIPPEER`, `DIALPLAN_EXISTS`, `CHECKSIPDOMAIN`, `ENV`.

use super::record;
use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::{TONE_ZONE, bounded};
use crate::dialplan::tree::Existence;
use crate::wording::outside;

pub(super) static CHANNEL: Function = Function {
    name: "CHANNEL",
    synopsis: "A property of this channel. language, musicclass, tonezone, accountcode, amaflags and userfield can be assigned",
    syntax: "CHANNEL(name|context|exten|uniqueid|state|language|musicclass|accountcode|peername|peerip|recvip|from|uri|useragent|linkedid|audioreadformat|rtpdest|secure_signaling|tonezone|...)",
    read: Some(channel),
    write: Some(set_channel),
};

pub(super) static SIPPEER: Function = Function {
    name: "SIPPEER",
    synopsis: "A property of a peer",
    syntax: "SIPPEER(peer[,ip|port|status|dynamic|expire|context|callerid_num|callerid_name|language|accountcode|useragent|limit|curcalls|regexten|mailbox|vmexten|maxforwards|codecs|codec[n]|chanvar[name]])",
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

pub(super) static CHECKSIPDOMAIN: Function = Function {
    name: "CHECKSIPDOMAIN",
    synopsis: "The domain, when domain= of sip.conf names it or autodomain= makes it ours; else nothing",
    syntax: "CHECKSIPDOMAIN(domain)",
    read: Some(|scope, domain| {
        let is_ours = scope.environment.is_own_domain(domain.trim());
        Ok(if is_ours { domain.trim().to_owned() } else { String::new() })
    }),
    write: None,
};

pub(super) static ENV: Function = Function {
    name: "ENV",
    synopsis: "A variable of the environment that the exchange was started with; it cannot be changed",
    syntax: "ENV(name)",
    read: Some(|scope, name| Ok(scope.environment.process_variable(name.trim()).unwrap_or_default())),
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
        "tonezone" => match scope.state.variable(TONE_ZONE) {
            Some(zone) => zone,
            None => scope.environment.channel("tonezone").unwrap_or_default(),
        },
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
        "tonezone" => {
            let zone = value.trim().to_ascii_lowercase();
            if !zone.is_empty() && !scope.environment.has_tone_zone(&zone) {
                return Err(format!("CHANNEL(tonezone): no tones of '{}' are known", outside(value.trim())));
            }
            scope.state.set_variable(TONE_ZONE, &zone);
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
