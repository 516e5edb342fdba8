//! `${...}` and `$[...]` in the arguments of an application.

use super::environment::Environment;
use super::expression;
use super::functions;
use super::hint;
use super::journal::Journal;
use super::outside::OutsideRequest;
use super::scope::Scope;
use super::state::{MAX_TEXT, State, bounded};
use crate::wording::outside;

/// How deep `${...${...}}` may nest.
pub(crate) const MAX_DEPTH: usize = 15;

/// Where names get their values.
pub trait Source {
    /// A variable's value.
    fn variable(&mut self, name: &str) -> Option<String>;
    /// A function's value.
    ///
    /// # Errors
    /// Why there is none, for the log.
    fn function(&mut self, name: &str, args: &str) -> Result<String, String>;
    /// Says that something is wrong with the text.
    fn warn(&mut self, text: String);
}

/// The text with every `${...}` and `$[...]` replaced; at most `MAX_TEXT` bytes.
pub fn substitute(text: &str, source: &mut dyn Source) -> String {
    expand(text, source, 0)
}

/// What a program sees while it goes on.
pub(super) fn scope<'a>(state: &'a mut State, environment: &'a dyn Environment) -> Scope<'a> {
    Scope { state, environment, expand: |text, scope| substitute(text, scope), journal: None }
}

/// The devices that the hint of an extension names, as nobody's program sees them; none: it has no hint.
pub fn hint_devices(environment: &dyn Environment, context: &str, exten: &str) -> Option<String> {
    hint::devices(environment, (context, exten), |text, scope| substitute(text, scope))
}

impl Source for Scope<'_> {
    fn variable(&mut self, name: &str) -> Option<String> {
        let read = |scope: &mut Scope<'_>| Ok(Scope::variable(scope, name).unwrap_or_default());
        noted(self, read).ok()
    }

    fn function(&mut self, name: &str, args: &str) -> Result<String, String> {
        noted(self, |scope| call(name, args, scope))
    }

    fn warn(&mut self, text: String) {
        match &mut self.journal {
            Some(journal) => journal.say(text),
            None => Scope::warn(self, &text),
        }
    }
}

fn call(name: &str, args: &str, scope: &mut Scope<'_>) -> Result<String, String> {
    let function = functions::find(name).ok_or_else(|| format!("There is no function '{}'", outside(name)))?;
    let read = function.read.ok_or_else(|| format!("The function {} can only be assigned", function.name))?;
    read(scope, args)
}

/// Reads once: what the journal has already is taken from there.
fn noted(scope: &mut Scope<'_>, read: impl FnOnce(&mut Scope<'_>) -> Result<String, String>) -> Result<String, String> {
    let begun = match scope.journal.as_mut().map(|journal| journal.begin()) {
        None => return read(scope),
        Some(Ok(before)) => return before,
        Some(Err(begun)) => begun,
    };
    let value = read(scope);
    if let Some(journal) = &mut scope.journal {
        journal.end(begun, &value);
    }
    value
}

/// A text with every name replaced, and what it waits for when something in it has to be asked outside first: then it is
/// to be evaluated again, with the same journal, which has the answer.
pub(super) fn evaluate(
    text: &str,
    state: &mut State,
    environment: &dyn Environment,
    journal: &mut Journal,
) -> Result<String, OutsideRequest> {
    journal.rewind();
    let value = substitute(text, &mut Scope { journal: Some(journal), ..scope(state, environment) });
    if let Some(wanted) = journal.take_wanted() {
        return Err(wanted);
    }
    for text in journal.take_unsaid() {
        scope(state, environment).warn(&text);
    }
    Ok(value)
}

/// Assigns a variable, or a function when the name has parentheses.
pub(super) fn assign(name: &str, value: &str, scope: &mut Scope<'_>) {
    let (name, args) = match name.split_once('(') {
        Some((name, rest)) => (name, Some(rest.rfind(')').and_then(|end| rest.get(..end)).unwrap_or(rest))),
        None => (name, None),
    };
    let done = match args {
        None if name.is_empty() => Err("Set needs the name of a variable before the '='".to_owned()),
        None => {
            scope.state.set_variable(name, value);
            Ok(())
        }
        Some(args) => match functions::find(name) {
            None => Err(format!("There is no function '{}'", outside(name))),
            Some(function) => match function.write {
                None => Err(format!("The function {} cannot be assigned", function.name)),
                Some(write) => write(scope, args, value),
            },
        },
    };
    if let Err(why) = done {
        scope.warn(&why);
    }
}

fn expand(text: &str, source: &mut dyn Source, depth: usize) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, opening)) = split_dollar(rest) {
        done.push_str(before);
        if done.len() > MAX_TEXT {
            return bounded(&done);
        }
        let (open, close) = if opening.starts_with("${") { ('{', '}') } else { ('[', ']') };
        let Some((inside, after)) = enclosed(opening, open, close) else {
            source.warn(format!("'${open}' is never closed with '{close}': {}", outside(opening)));
            rest = opening;
            break;
        };
        if depth >= MAX_DEPTH {
            source.warn(format!("'${open}' is nested more than {MAX_DEPTH} deep"));
        } else {
            let inside = expand(inside, source, depth.saturating_add(1));
            done.push_str(&if open == '{' { named(&inside, source) } else { evaluated(&inside, source) });
        }
        rest = after;
    }
    done.push_str(rest);
    bounded(&done)
}

/// What stands before the next `${` or `$[`, and the rest from there.
fn split_dollar(text: &str) -> Option<(&str, &str)> {
    let at = text.match_indices('$').map(|(at, _)| at).find(|at| {
        let behind = text.get(at.saturating_add(1)..).unwrap_or_default();
        behind.starts_with(['{', '['])
    })?;
    text.split_at_checked(at)
}

/// What stands between the bracket behind the `$` and its partner, and what follows.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let mut depth = 0usize;
    for (at, letter) in text.char_indices() {
        if letter == open {
            depth = depth.saturating_add(1);
        } else if letter == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some((text.get(2..at)?, text.get(at.saturating_add(1)..)?));
            }
        }
    }
    None
}

fn evaluated(text: &str, source: &mut dyn Source) -> String {
    let mut complaints = Vec::new();
    let value = expression::evaluate(text, &mut complaints).unwrap_or_else(|why| {
        complaints.push(format!("ast_yyerror(): syntax error: {why}; the expression is empty now"));
        String::new()
    });
    for complaint in complaints {
        source.warn(format!("{complaint}: $[{}]", outside(text)));
    }
    value
}

/// The value of `NAME`, `NAME:offset:length` or `FUNCTION(args):offset:length`.
fn named(inside: &str, source: &mut dyn Source) -> String {
    let (value, slicing) = match function_call(inside) {
        Some((name, args, behind)) => {
            let value = source.function(name, args).unwrap_or_else(|why| {
                source.warn(why);
                String::new()
            });
            (value, behind.split_once(':').map(|(_, slicing)| slicing))
        }
        None => {
            let (name, slicing) = match inside.split_once(':') {
                Some((name, slicing)) => (name, Some(slicing)),
                None => (inside, None),
            };
            (source.variable(name).unwrap_or_default(), slicing)
        }
    };
    match slicing {
        Some(slicing) => slice(&value, slicing),
        None => value,
    }
}

/// `FUNCTION(args)behind` in its parts; `None` for a variable.
pub(crate) fn function_call(inside: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = inside.split_once('(').filter(|(name, _)| !name.contains(':'))?;
    let (args, behind) = rest.rfind(')').and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
    Some((name.trim(), args, behind))
}

/// What stands in each outermost `${...}` and `$[...]` of a text, and whether it is the former.
pub(crate) fn references(text: &str) -> Vec<(bool, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, opening)) = split_dollar(rest) {
        let is_name = opening.starts_with("${");
        let (open, close) = if is_name { ('{', '}') } else { ('[', ']') };
        let Some((inside, after)) = enclosed(opening, open, close) else { break };
        found.push((is_name, inside));
        rest = after;
    }
    found
}

/// The first `${` or `$[` that is never closed, and what follows it.
pub(crate) fn unclosed(text: &str) -> Option<&str> {
    let mut rest = text;
    for _ in 0..text.len() {
        let (_, opening) = split_dollar(rest)?;
        let (open, close) = if opening.starts_with("${") { ('{', '}') } else { ('[', ']') };
        if enclosed(opening, open, close).is_none() {
            return Some(opening);
        }
        // What stands within is looked at next, then what follows.
        rest = opening.get(2..)?;
    }
    None
}

/// `offset[:length]`: a negative offset counts from the end, a negative length stops that many before it.
fn slice(value: &str, slicing: &str) -> String {
    let (offset, length) = slicing.split_once(':').unwrap_or((slicing, ""));
    let size = value.chars().count();
    let from_end = |far: i64| size.saturating_sub(usize::try_from(far.unsigned_abs()).unwrap_or(usize::MAX));
    let forward = |far: i64| usize::try_from(far).unwrap_or(usize::MAX);
    let offset: i64 = offset.trim().parse().unwrap_or(0);
    let first = if offset < 0 { from_end(offset) } else { forward(offset).min(size) };
    let last = match length.trim().parse::<i64>() {
        Ok(length) if length < 0 => from_end(length),
        Ok(length) => first.saturating_add(forward(length)),
        Err(_) => size,
    };
    value.chars().take(last).skip(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables by hand; the one function repeats its arguments.
    #[derive(Default)]
    struct Table(Vec<(&'static str, &'static str)>, Vec<String>);

    impl Source for Table {
        fn variable(&mut self, name: &str) -> Option<String> {
            self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }
        fn function(&mut self, name: &str, args: &str) -> Result<String, String> {
            if name == "TWICE" { Ok(format!("{args}{args}")) } else { Err(format!("no {name}")) }
        }
        fn warn(&mut self, text: String) {
            self.1.push(text);
        }
    }

    fn with(text: &str) -> String {
        let table = [("V", "somevaluehere"), ("N", "1"), ("A1", "one"), ("E", ""), ("EXTEN", "5551234")];
        let mut source = Table(table.to_vec(), Vec::new());
        let done = substitute(text, &mut source);
        assert_eq!(source.1, Vec::<String>::new());
        done
    }

    #[test]
    fn slices_cut_as_measured() {
        for (slicing, cut) in [
            ("0:5", "somev"),
            ("4:5", "value"),
            ("0:-4", "somevalue"),
            ("-4", "here"),
            ("-8:4", "alue"),
            ("20", ""),
            ("-20:4", "some"),
            ("4:-20", ""),
            ("0", "somevaluehere"),
            ("9223372036854775807:9223372036854775807", ""),
            ("-9223372036854775808:-9223372036854775808", ""),
        ] {
            assert_eq!(with(&format!("${{V:{slicing}}}")), cut, "{slicing}");
        }
    }

    #[test]
    fn names_nest_and_unset_ones_are_empty() {
        assert_eq!(with("${A${N}}"), "one");
        assert_eq!(with("a${NOSUCH}b$c$$d${E}e"), "ab$c$$de");
        assert_eq!(with("${TWICE(${EXTEN:0:3})}"), "555555");
        assert_eq!(with("${TWICE(ab):1:2}"), "ba");
        assert_eq!(with("SIP/${EXTEN:3}@x"), "SIP/1234@x");
        assert_eq!(with("$[${N} + 1]"), "2");
        assert_eq!(with("$[\"${E}\" = \"\"]x"), "1x");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, done) in [("${V", "${V"), ("x${NO(1)}y", "xy"), ("$[${E}=1]", ""), ("$[1 + ", "$[1 + ")] {
            let mut source = Table::default();
            assert_eq!(substitute(text, &mut source), done);
            assert_eq!(source.1.len(), 1, "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let mut source = Table(vec![("V", "0123456789")], Vec::new());
        let deep = format!("{}V{}", "${".repeat(100), "}".repeat(100));
        substitute(&deep, &mut source);
        assert!(!source.1.is_empty());
        assert_eq!(substitute(&"${V}".repeat(5000), &mut source).len(), MAX_TEXT);
    }
}
