//! Extensions that a pattern with an open end always hides: it stands in a context that is searched before theirs.

use super::phrase::some_of;
use super::survey::Survey;
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::finding;
use crate::dialplan::tree::{Context, Extension};
use std::collections::{BTreeMap, BTreeSet};

/// Pairs of names that are compared in all: the check of a dialplan with thousands of patterns must not take long.
const MAX_COMPARED: usize = 5_000_000;

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let begin: BTreeSet<&str> = survey.config.sip.peers.values().map(|peer| peer.settings.context.as_str()).collect();
    // By pattern and the context it hides something of: the first place where calls begin speaks for all.
    let mut found: BTreeMap<(&Place, &str), Diagnostic> = BTreeMap::new();
    let mut left = MAX_COMPARED;
    for root in begin {
        for (pattern, place, context, hidden) in hidden_from(survey, root, &mut left) {
            found.entry((place, &context.name)).or_insert_with(|| {
                let names = some_of(hidden.iter().map(|one| one.name.shown()));
                let pattern = pattern.name.shown();
                let message = format!(
                    "'{pattern}' also matches {names} of context '{}', which calls from '{root}' search later: never reached",
                    context.name
                );
                let hint = format!("put '{pattern}' into a context of its own, and include that last");
                finding::EXTENSION_SHADOWED.at(place, message).hint(hint)
            });
        }
    }
    found.into_values().collect()
}

/// An open pattern, where it stands, and what it hides of which context.
type Hidden<'a> = (&'a Extension, &'a Place, &'a Context, Vec<&'a Extension>);

fn hidden_from<'a>(survey: &Survey<'a>, root: &str, left: &mut usize) -> Vec<Hidden<'a>> {
    if *left == 0 {
        return Vec::new();
    }
    let always: BTreeSet<&str> = survey
        .plan
        .walk_where(root, |include| include.timing.is_always())
        .into_iter()
        .map(|context| context.name.as_str())
        .collect();
    let mut open: Vec<(&Extension, &Place)> = Vec::new();
    let mut found = Vec::new();
    for context in survey.plan.walk_all(root) {
        *left = left.saturating_sub(1);
        let mut hidden: BTreeMap<&Place, (&Extension, Vec<&Extension>)> = BTreeMap::new();
        for extension in context.extensions.iter().filter(|one| first(one).is_some()) {
            *left = left.saturating_sub(open.len().saturating_add(1));
            if *left == 0 {
                return found;
            }
            let by = open.iter().find(|(pattern, _)| hides(pattern, extension));
            if let Some((pattern, place)) = by {
                hidden.entry(place).or_insert((pattern, Vec::new())).1.push(extension);
            }
        }
        found.extend(hidden.into_iter().map(|(place, (pattern, hidden))| (pattern, place, context, hidden)));
        if always.contains(context.name.as_str()) {
            let patterns = context.extensions.iter().filter(|one| one.name.is_open() && one.caller.is_none());
            open.extend(patterns.filter_map(|one| Some((one, first(one)?))));
        }
    }
    found
}

/// Where the extension's priority 1 stands.
fn first(extension: &Extension) -> Option<&Place> {
    extension.priorities.get(&1)?.place.as_ref()
}

/// The same name in an included context is there to be overridden; `h`, `i` and the like cannot be dialled, and what
/// matches them is reported when it is read.
fn hides(pattern: &Extension, other: &Extension) -> bool {
    let is_dialled =
        other.name.literal().is_none_or(|letters| letters.first().is_some_and(|l| !l.is_ascii_alphabetic()));
    is_dialled && !pattern.name.is_same(&other.name) && pattern.name.covers(&other.name)
}
