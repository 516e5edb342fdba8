//! Lists in a variable, and hashes: `ARRAY`, `HASH`, `HASHKEYS`, `SORT`, `PUSH`, `POP`, `SHIFT`, `UNSHIFT`, `LISTFILTER`,
//! `FIELDNUM`.

use crate::dialplan::arguments::{Split, split};
use crate::dialplan::function::Function;
use crate::dialplan::hash;
use crate::dialplan::scope::Scope;
use crate::wording::outside;

pub(super) static ARRAY: Function = Function {
    name: "ARRAY",
    synopsis: "Assigns several variables at once: Set(ARRAY(a,b)=1,2)",
    syntax: "ARRAY(name1[,name2[,...]])",
    read: None,
    write: Some(set_array),
};

pub(super) static HASH: Function = Function {
    name: "HASH",
    synopsis: "A value of a hash by its key; without a key all values, in the order of HASHKEYS",
    syntax: "HASH(name[,key])",
    read: Some(hash),
    write: Some(set_hash),
};

pub(super) static HASHKEYS: Function = Function {
    name: "HASHKEYS",
    synopsis: "The keys of a hash, with commas between them",
    syntax: "HASHKEYS(name)",
    read: Some(|scope, name| Ok(entries(scope, name).into_iter().map(|(key, _)| key).collect::<Vec<_>>().join(","))),
    write: None,
};

pub(super) static SORT: Function = Function {
    name: "SORT",
    synopsis: "The keys in the order of their values",
    syntax: "SORT(key1:value1[,key2:value2[,...]])",
    read: Some(sort),
    write: None,
};

pub(super) static PUSH: Function = Function {
    name: "PUSH",
    synopsis: "Appends to the list in a variable: Set(PUSH(name)=value)",
    syntax: "PUSH(name[,delimiter])",
    read: None,
    write: Some(|scope, args, value| add(scope, args, value, false)),
};

pub(super) static UNSHIFT: Function = Function {
    name: "UNSHIFT",
    synopsis: "Puts a value before the list in a variable: Set(UNSHIFT(name)=value)",
    syntax: "UNSHIFT(name[,delimiter])",
    read: None,
    write: Some(|scope, args, value| add(scope, args, value, true)),
};

pub(super) static POP: Function = Function {
    name: "POP",
    synopsis: "Takes the last value from the list in a variable",
    syntax: "POP(name[,delimiter])",
    read: Some(|scope, args| Ok(take(scope, args, false))),
    write: None,
};

pub(super) static SHIFT: Function = Function {
    name: "SHIFT",
    synopsis: "Takes the first value from the list in a variable",
    syntax: "SHIFT(name[,delimiter])",
    read: Some(|scope, args| Ok(take(scope, args, true))),
    write: None,
};

pub(super) static LISTFILTER: Function = Function {
    name: "LISTFILTER",
    synopsis: "The list in a variable without a value",
    syntax: "LISTFILTER(name,delimiter,value)",
    read: Some(filter),
    write: None,
};

pub(super) static FIELDNUM: Function = Function {
    name: "FIELDNUM",
    synopsis: "Which field of the list in a variable a value is, from 1; 0 when it is none",
    syntax: "FIELDNUM(name,delimiter,value)",
    read: Some(number),
    write: None,
};

fn set_array(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    let values = Split(split(value));
    for (place, name) in split(args).iter().enumerate() {
        scope.state.set_variable(name.trim(), values.get(place));
    }
    Ok(())
}

/// The keys and values of a hash, by key.
fn entries(scope: &Scope<'_>, name: &str) -> Vec<(String, String)> {
    let prefix = hash::prefix(name.trim());
    let all = scope.state.all_variables().into_iter();
    all.filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?.to_owned(), value))).collect()
}

fn hash(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let Some((name, key)) = args.split_once(',') else {
        let values = entries(scope, args).into_iter().map(|(_, value)| value);
        return Ok(values.collect::<Vec<_>>().join(","));
    };
    let name = format!("{}{}", hash::prefix(name.trim()), key.trim());
    Ok(scope.state.variable(&name).unwrap_or_default())
}

fn set_hash(scope: &mut Scope<'_>, args: &str, value: &str) -> Result<(), String> {
    match args.split_once(',') {
        Some((name, key)) if !key.trim().is_empty() => {
            scope.state.set_variable(&format!("{}{}", hash::prefix(name.trim()), key.trim()), value);
            Ok(())
        }
        _ => Err("HASH needs a name and a key to be assigned".to_owned()),
    }
}

fn sort(_: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let mut pairs = Vec::new();
    for pair in split(args) {
        let (key, value) =
            pair.split_once(':').ok_or_else(|| format!("SORT: '{}' is not key:value", outside(&pair)))?;
        let value: f64 = value.trim().parse().unwrap_or(0.0);
        pairs.push((value, key.to_owned()));
    }
    pairs.sort_by(|one, two| one.0.total_cmp(&two.0));
    Ok(pairs.into_iter().map(|(_, key)| key).collect::<Vec<_>>().join(","))
}

/// The variable's name and what stands between the values of its list.
fn named(args: &str) -> (String, String) {
    let (name, delimiter) = args.split_once(',').unwrap_or((args, ""));
    let delimiter = delimiter.trim_matches('"').replace('\\', "");
    (name.trim().to_owned(), if delimiter.is_empty() { ",".to_owned() } else { delimiter })
}

fn add(scope: &mut Scope<'_>, args: &str, value: &str, first: bool) -> Result<(), String> {
    let (name, delimiter) = named(args);
    if name.is_empty() {
        return Err("PUSH and UNSHIFT need the name of a variable".to_owned());
    }
    let list = scope.variable(&name).filter(|list| !list.is_empty());
    let longer = match list {
        None => value.to_owned(),
        Some(list) if first => format!("{value}{delimiter}{list}"),
        Some(list) => format!("{list}{delimiter}{value}"),
    };
    scope.state.set_variable(&name, &longer);
    Ok(())
}

fn take(scope: &mut Scope<'_>, args: &str, first: bool) -> String {
    let (name, delimiter) = named(args);
    let list = scope.variable(&name).unwrap_or_default();
    let halves =
        if first { list.split_once(&delimiter) } else { list.rsplit_once(&delimiter).map(|(rest, last)| (last, rest)) };
    let (taken, rest) = halves.unwrap_or((list.as_str(), ""));
    scope.state.set_variable(&name, rest);
    taken.to_owned()
}

/// Name, delimiter and value; the delimiter may be a comma, as `\,` or in quotes.
fn three(scope: &Scope<'_>, args: &str) -> (String, String, String) {
    let parts = Split(split(args));
    let delimiter = if parts.get(1).is_empty() { "," } else { parts.get(1) };
    (scope.variable(parts.trimmed(0)).unwrap_or_default(), delimiter.to_owned(), parts.get(2).to_owned())
}

fn filter(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let (list, delimiter, value) = three(scope, args);
    Ok(list.split(&delimiter).filter(|field| *field != value).collect::<Vec<_>>().join(&delimiter))
}

fn number(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let (list, delimiter, value) = three(scope, args);
    let place = list.split(&delimiter).position(|field| field == value);
    Ok(place.map_or(0, |place| place.saturating_add(1)).to_string())
}
