//! What is looked up elsewhere: `BLACKLIST`, `IMPORT`, `LOCAL_PEEK`, `STACK_PEEK`, `VALID_EXTEN`, `VERSION`, `DB_KEYS`,
//! `DB_KEYCOUNT`; and locks: `LOCK`, `TRYLOCK`, `UNLOCK`.

use crate::dialplan::arguments::{Split, split};
use crate::dialplan::database;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::dialplan::state::FrameKind;
use crate::wording::outside;
use std::collections::BTreeSet;

pub(super) static BLACKLIST: Function = Function {
    name: "BLACKLIST",
    synopsis: "1 if family blacklist of the key/value database has the caller's number or name, else 0",
    syntax: "BLACKLIST()",
    read: Some(|scope, _| {
        let caller = &scope.state.caller;
        let found = database::is_blacklisted(scope.environment.database(), &caller.number, &caller.name);
        Ok(u8::from(found).to_string())
    }),
    write: None,
};

pub(super) static IMPORT: Function = Function {
    name: "IMPORT",
    synopsis: "A variable of another channel",
    syntax: "IMPORT(channel,name)",
    read: Some(|scope, args| {
        let args = Split(split(args));
        Ok(scope.environment.variable_of(args.trimmed(0), args.trimmed(1)).unwrap_or_default())
    }),
    write: None,
};

pub(super) static LOCAL_PEEK: Function = Function {
    name: "LOCAL_PEEK",
    synopsis: "A variable as it was so many calls of Gosub ago",
    syntax: "LOCAL_PEEK(levels,name)",
    read: Some(|scope, args| {
        let args = Split(split(args));
        let levels = level("LOCAL_PEEK", args.trimmed(0))?;
        Ok(scope.state.variable_below(levels, args.trimmed(1)).unwrap_or_default())
    }),
    write: None,
};

pub(super) static STACK_PEEK: Function = Function {
    name: "STACK_PEEK",
    synopsis: "Where the subroutine so many levels up goes back to: c (context), e (extension), p (priority), l (all of it)",
    syntax: "STACK_PEEK(levels,c|e|p|l[,1])",
    read: Some(stack_peek),
    write: None,
};

pub(super) static VALID_EXTEN: Function = Function {
    name: "VALID_EXTEN",
    synopsis: "1 if the extension exists with that priority (1 without one), else 0; old: write DIALPLAN_EXISTS",
    syntax: "VALID_EXTEN([context],extension[,priority])",
    read: Some(valid_exten),
    write: None,
};

pub(super) static VERSION: Function = Function {
    name: "VERSION",
    synopsis: "strowger and its version",
    syntax: "VERSION()",
    read: Some(|_, _| Ok(concat!("strowger ", env!("CARGO_PKG_VERSION")).to_owned())),
    write: None,
};

pub(super) static DB_KEYS: Function = Function {
    name: "DB_KEYS",
    synopsis: "The names right below a family of the key/value database, with commas between them",
    syntax: "DB_KEYS([family[/part]])",
    read: Some(|scope, args| Ok(keys(scope, args).into_iter().collect::<Vec<_>>().join(","))),
    write: None,
};

pub(super) static DB_KEYCOUNT: Function = Function {
    name: "DB_KEYCOUNT",
    synopsis: "How many entries of the key/value database stand below a family",
    syntax: "DB_KEYCOUNT([family[/part]])",
    read: Some(|scope, args| {
        let below = below(args);
        let entries = scope.environment.database().all();
        Ok(entries.iter().filter(|(path, _)| path.starts_with(&below)).count().to_string())
    }),
    write: None,
};

pub(super) static TRYLOCK: Function = Function {
    name: "TRYLOCK",
    synopsis: "Takes a lock if no other call has it: 1, else 0. It is given back by UNLOCK, and at the end of the call",
    syntax: "TRYLOCK(name)",
    read: Some(
        |scope, name| Ok(u8::from(scope.environment.globals().lock(name.trim(), &scope.state.name)).to_string()),
    ),
    write: None,
};

pub(super) static LOCK: Function = Function {
    name: "LOCK",
    synopsis: "As TRYLOCK: it does not wait for the lock",
    syntax: "LOCK(name)",
    read: Some(
        |scope, name| Ok(u8::from(scope.environment.globals().lock(name.trim(), &scope.state.name)).to_string()),
    ),
    write: None,
};

pub(super) static UNLOCK: Function = Function {
    name: "UNLOCK",
    synopsis: "Gives a lock back: 1, or 0 when this call does not have it",
    syntax: "UNLOCK(name)",
    read: Some(|scope, name| {
        Ok(u8::from(scope.environment.globals().unlock(name.trim(), &scope.state.name)).to_string())
    }),
    write: None,
};

fn level(who: &str, text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{who}: '{}' is not a number of levels", outside(text)))
}

fn stack_peek(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = Split(split(args));
    let levels = level("STACK_PEEK", args.trimmed(0))?;
    let mut frames = scope.state.frames.iter().rev().filter(|frame| frame.kind == FrameKind::Gosub);
    let Some(frame) = levels.checked_sub(1).and_then(|levels| frames.nth(levels)) else {
        return match args.trimmed(2) {
            "" | "0" => Err(format!("STACK_PEEK: there are not {levels} subroutines to come back from")),
            _ => Ok(String::new()),
        };
    };
    let back = &frame.back;
    Ok(match args.trimmed(1).chars().next() {
        Some('c') => back.context.clone(),
        Some('e') => back.exten.clone(),
        Some('p') => back.priority.to_string(),
        Some('l') => format!("{},{},{}", back.context, back.exten, back.priority),
        _ => return Err("STACK_PEEK needs c, e, p or l".to_owned()),
    })
}

fn valid_exten(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = Split(split(args));
    let context = match args.trimmed(0) {
        "" => scope.state.position.context.clone(),
        context => context.to_owned(),
    };
    let priority = match args.trimmed(2) {
        "" => Some(1),
        text => text.parse().ok(),
    };
    let (caller, at) = (Some(scope.state.caller.number.as_str()), scope.environment.now().wall);
    let plan = scope.environment.dialplan();
    let found = priority.and_then(|priority| plan.find(&context, args.trimmed(1), priority, caller, at));
    Ok(u8::from(found.is_some()).to_string())
}

/// What the names of the entries below a family begin with.
fn below(family: &str) -> String {
    match family.trim().trim_matches('/') {
        "" => "/".to_owned(),
        family => format!("/{family}/"),
    }
}

fn keys(scope: &Scope<'_>, args: &str) -> BTreeSet<String> {
    let below = below(args);
    let names = scope.environment.database().all().into_iter();
    let rest = names.filter_map(|(path, _)| Some(path.strip_prefix(&below)?.split('/').next()?.to_owned()));
    rest.collect()
}
