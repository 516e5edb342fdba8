//! `Goto` and its like to a place that is not there.

use super::phrase::suggestion;
use super::survey::{Jump, Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::config::suggest::nearest;
use crate::dialplan::app::Target;
use crate::dialplan::pattern::digits;
use crate::dialplan::tree::Extension;

/// What a target asks for in an extension.
enum Wanted<'a> {
    Number(u32),
    Label(&'a str),
}

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    survey.jumps.iter().filter_map(|jump| check(survey, jump)).collect()
}

fn check(survey: &Survey, jump: &Jump) -> Option<Diagnostic> {
    let Jump { from, application, target } = jump;
    let Target { context, exten, priority } = target;
    let say = |what: String, hint: String| {
        let message = format!("{application} leads to {what}");
        Some(finding::JUMP_NOWHERE.at(from.place, message).hint(hint))
    };
    let included;
    let searched = match context {
        Some(context) if is_computed(context) => return None,
        Some(context) if !survey.plan.has_context(context) => {
            let near = survey.near_context.nearest(context);
            return say(format!("context '{context}', which does not exist"), suggestion(near, ENDS));
        }
        Some(context) => {
            included = survey.reached(context)?;
            &*included
        }
        None => survey.around(&from.context.name)?,
    };
    // A context alone: its callers say which extension.
    if priority.is_empty() {
        return None;
    }
    let wanted = wanted(priority, from.number)?;
    if exten.is_none() && has(from.extension, &wanted) {
        return None;
    }
    // Where the work allowed is spent, what is looked for counts as there.
    let there: Vec<&Extension> = match exten {
        Some(exten) if is_computed(exten) => return None,
        Some(exten) => searched.matching(&digits(exten), &survey.work)?,
        None => searched.alike(&from.extension.name, &survey.work)?,
    };
    if is_computed(priority) {
        return None;
    }
    let place = context.as_ref().map(|context| format!(" in context '{context}'")).unwrap_or_default();
    if let Some(exten) = exten.as_ref().filter(|_| there.is_empty()) {
        // What is not there goes to `i`.
        if searched.matching(&digits("i"), &survey.work)?.is_empty() {
            return say(format!("extension '{exten}'{place}, which does not exist"), ENDS.to_owned());
        }
        return None;
    }
    if there.iter().any(|extension| has(extension, &wanted)) {
        return None;
    }
    let shown = exten.as_deref().unwrap_or(from.extension.name.shown());
    let labels = there.iter().flat_map(|one| one.priorities.values()).filter_map(|one| one.label.as_deref());
    let what = format!("'{priority}', which is not a priority or label of extension '{shown}'{place}");
    say(what, suggestion(nearest(priority, labels), ENDS))
}

const ENDS: &str = "a call that gets there ends";

/// `None` when the number is below 1 or beyond what there is.
fn wanted(priority: &str, from: u32) -> Option<Wanted<'_>> {
    if let Some(far) = priority.strip_prefix('+').and_then(|far| far.parse().ok()) {
        return from.checked_add(far).map(Wanted::Number);
    }
    if let Some(far) = priority.strip_prefix('-').and_then(|far| far.parse().ok()) {
        return Some(Wanted::Number(from.saturating_sub(far)));
    }
    Some(priority.parse().map_or(Wanted::Label(priority), Wanted::Number))
}

fn has(extension: &Extension, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Number(number) => extension.priorities.contains_key(number),
        Wanted::Label(label) => extension.priorities.values().any(|one| one.label.as_deref() == Some(*label)),
    }
}
