//! Texts: `LEN`, `CUT`, `FIELDQTY`, `FILTER`, `REGEX`, `TOUPPER`, `TOLOWER`.

use crate::dialplan::arguments;
use crate::dialplan::function::Function;
use crate::dialplan::scope::Scope;
use crate::wording::outside;
use regex::RegexBuilder;

pub(super) static LEN: Function = Function {
    name: "LEN",
    synopsis: "Length of the text in characters",
    syntax: "LEN(text)",
    read: Some(|_, text| Ok(text.chars().count().to_string())),
    write: None,
};

pub(super) static TOUPPER: Function = Function {
    name: "TOUPPER",
    synopsis: "The text in upper case",
    syntax: "TOUPPER(text)",
    read: Some(|_, text| Ok(text.to_ascii_uppercase())),
    write: None,
};

pub(super) static TOLOWER: Function = Function {
    name: "TOLOWER",
    synopsis: "The text in lower case",
    syntax: "TOLOWER(text)",
    read: Some(|_, text| Ok(text.to_ascii_lowercase())),
    write: None,
};

pub(super) static CUT: Function = Function {
    name: "CUT",
    synopsis: "Fields of a variable, given its name",
    syntax: "CUT(variable,delimiter,fields)",
    read: Some(cut),
    write: None,
};

pub(super) static FIELDQTY: Function = Function {
    name: "FIELDQTY",
    synopsis: "Number of fields of a variable, given its name",
    syntax: "FIELDQTY(variable,delimiter)",
    read: Some(count),
    write: None,
};

pub(super) static FILTER: Function = Function {
    name: "FILTER",
    synopsis: "The text without characters that are not allowed",
    syntax: "FILTER(allowed,text)",
    read: Some(filter),
    write: None,
};

pub(super) static REGEX: Function = Function {
    name: "REGEX",
    synopsis: "1 if the text matches the regular expression, else 0",
    syntax: "REGEX(\"expression\" text)",
    read: Some(regex),
    write: None,
};

/// The delimiter: the first letter, `-` when there is none.
fn delimiter(text: &str) -> char {
    text.chars().next().unwrap_or('-')
}

/// Fields are counted from 1: `2`, `2-`, `-3`, `2-4`, several with `&`.
fn cut(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = arguments::Split(arguments::split(args));
    let value = scope.variable(args.trimmed(0)).unwrap_or_default();
    let delimiter = delimiter(args.get(1));
    let wanted = if args.trimmed(2).is_empty() { "1" } else { args.trimmed(2) };
    let mut kept = Vec::new();
    for range in wanted.split('&').take(100) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let read = |text: &str, otherwise: usize| match text.trim() {
            "" => Ok(otherwise),
            text => text.parse::<usize>().map_err(|_| format!("CUT: '{}' is not a range of fields", outside(range))),
        };
        let (first, last) = (read(first, 1)?.max(1), read(last, usize::MAX)?);
        let fields = value.split(delimiter).enumerate();
        kept.extend(fields.filter(|(at, _)| (first - 1..last).contains(at)).map(|(_, field)| field));
    }
    Ok(kept.join(&delimiter.to_string()))
}

fn count(scope: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = arguments::Split(arguments::split(args));
    let value = scope.variable(args.trimmed(0)).unwrap_or_default();
    Ok(if value.is_empty() { 0 } else { value.split(delimiter(args.get(1))).count() }.to_string())
}

fn filter(_: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let mut parts = arguments::pieces(args, ',', 2).into_iter();
    let allowed = allowed(&arguments::unquote(&hidden(&parts.next().unwrap_or_default())));
    let text = parts.next().ok_or_else(|| "FILTER needs what is allowed, a comma and the text".to_owned())?;
    Ok(text.chars().filter(|letter| allowed.iter().any(|(first, last)| (first..=last).contains(&letter))).collect())
}

/// An escaped `\-` is a letter like others; nothing else can stand for it in a list of ranges.
fn hidden(text: &str) -> String {
    text.replace("\\-", "\u{1}")
}

fn allowed(text: &str) -> Vec<(char, char)> {
    let shown = |letter: char| if letter == '\u{1}' { '-' } else { letter };
    let letters: Vec<char> = text.chars().collect();
    let mut ranges = Vec::new();
    let mut rest = letters.as_slice();
    loop {
        match rest {
            [first, '-', last, tail @ ..] => {
                ranges.push((shown(*first), shown(*last)));
                rest = tail;
            }
            [one, tail @ ..] => {
                ranges.push((shown(*one), shown(*one)));
                rest = tail;
            }
            [] => return ranges,
        }
    }
}

fn regex(_: &mut Scope<'_>, args: &str) -> Result<String, String> {
    let args = args.trim_start();
    let (pattern, text) = args
        .strip_prefix('"')
        .and_then(|rest| rest.split_once('"'))
        .ok_or_else(|| "REGEX needs the expression in double quotes, a blank and the text".to_owned())?;
    let compiled = RegexBuilder::new(pattern)
        .size_limit(1 << 18)
        .build()
        .map_err(|_| format!("REGEX: '{}' is not a regular expression", outside(pattern)))?;
    Ok(u8::from(compiled.is_match(text.strip_prefix(' ').unwrap_or(text))).to_string())
}
