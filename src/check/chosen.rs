//! What in a text the caller chooses: what a telephone, or who calls it, sends, also by way of a variable.

use super::call::Call;
use super::survey::Step;
use crate::dialplan::arguments;
use crate::dialplan::substitute::{MAX_DEPTH, function_call, references};
use crate::dialplan::tree::Extension;
use std::collections::BTreeSet;

/// Variables and functions whose value comes from outside.
const OUTSIDE: &[&str] = &[
    "CALLERID",
    "CALLERIDNAME",
    "CALLERIDNUM",
    "SIP_HEADER",
    "SIPCALLID",
    "SIPDOMAIN",
    "SIPURI",
    "REDIRECTING",
    "CURL",
];
/// Functions of which only these items come from outside.
const ITEMS: &[(&str, &[&str])] = &[
    ("CDR", &["clid", "src"]),
    ("CHANNEL", &["useragent", "from", "uri"]),
    ("SIPCHANINFO", &["useragent", "from", "uri"]),
];
/// What makes a text harmless: only the letters that are named are left, or what is found with it is not the caller's.
const FILTERS: &[&str] = &[
    "FILTER",
    "LEN",
    "MATH",
    "MD5",
    "SHA1",
    "BASE64_ENCODE",
    "URIENCODE",
    "INT",
    "DB",
    "DB_EXISTS",
    "DEVICE_STATE",
    "EXTENSION_STATE",
    "DIALPLAN_EXISTS",
    "GROUP_COUNT",
    "REGEX",
    "PEER",
    "SIPPEER",
];

/// What the variables of an extension hold, line by line in its order: those that hold what the caller chooses.
#[derive(Default)]
pub(super) struct Variables<'a> {
    extension: Option<&'a Extension>,
    chosen: BTreeSet<String>,
}

impl<'a> Variables<'a> {
    /// The next line is looked at.
    pub(super) fn enter(&mut self, step: &Step<'a>) {
        if !self.extension.is_some_and(|extension| std::ptr::eq(extension, step.extension)) {
            *self = Variables { extension: Some(step.extension), chosen: BTreeSet::new() };
        }
    }

    /// What the line assigns.
    pub(super) fn leave(&mut self, step: &Step<'a>, calls: &[Call]) {
        for (name, value) in calls.iter().flat_map(assignments) {
            let name = name.trim_start_matches('_').to_owned();
            match self.chosen_in(&value, step) {
                Some(_) => drop(self.chosen.insert(name)),
                None => drop(self.chosen.remove(&name)),
            }
        }
    }

    /// The first name in a text that the caller chooses, unless it is filtered.
    pub(super) fn chosen_in(&self, text: &str, step: &Step) -> Option<String> {
        self.chosen_by(text, step, &|_| true, 0)
    }

    /// The same of a place where callers tell no name or number but their own when `claims` is false.
    pub(super) fn chosen_where(&self, text: &str, step: &Step, claims: bool) -> Option<String> {
        self.chosen_by(text, step, &|name| claims || !name.to_ascii_uppercase().starts_with("CALLERID"), 0)
    }

    fn chosen_by(&self, text: &str, step: &Step, counts: &dyn Fn(&str) -> bool, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        references(text).into_iter().find_map(|(is_name, inside)| {
            let (name, args) = match function_call(inside).filter(|_| is_name) {
                Some((name, args, _)) => (name, Some(args)),
                None => (inside.split(':').next().unwrap_or_default(), None),
            };
            let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
            if args.is_some() && is(FILTERS) {
                return None;
            }
            let item = args.map(|args| args.split(',').next().unwrap_or_default().trim().to_ascii_lowercase());
            let is_item = |(function, items): &(&str, &[&str])| {
                function.eq_ignore_ascii_case(name) && item.as_deref().is_some_and(|item| items.contains(&item))
            };
            // May the number hold more than digits: has its pattern an open end?
            let is_open_number = name == "EXTEN" && step.extension.name.is_open();
            let is_variable = args.is_none() && self.chosen.contains(name);
            let is_outside = is(OUTSIDE) && counts(name);
            if is_name && (is_outside || is_open_number || is_variable || ITEMS.iter().any(is_item)) {
                return Some(format!("${{{inside}}}"));
            }
            self.chosen_by(inside, step, counts, depth.saturating_add(1))
        })
    }
}

/// What `Set` and `MSet` assign: each name and value, as written.
pub(super) fn assignments(call: &Call) -> Vec<(String, String)> {
    let texts = match () {
        () if call.is("Set") => vec![call.args.clone()],
        () if call.is("MSet") => arguments::pieces(&call.args, ',', 64),
        () => Vec::new(),
    };
    let split = |text: String| text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.to_owned()));
    texts.into_iter().filter_map(split).collect()
}
