//! Priorities that nothing leads to: there is a gap before them, and no jump over it.

use super::survey::{Step, Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use std::collections::BTreeSet;

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let priorities = || survey.jumps.iter().map(|jump| (jump.target.priority.as_str(), jump.from.number));
    if priorities().any(|(priority, _)| is_computed(priority)) {
        return Vec::new();
    }
    // Where the jumps lead is not asked: what is jumped to anywhere may be what is jumped to here.
    let labels: BTreeSet<&str> = priorities().map(|(priority, _)| priority).collect();
    let numbers: BTreeSet<u32> = priorities().filter_map(|(priority, from)| number(priority, from)).collect();
    let is_jumped_to = |step: &Step| {
        let label = step.extension.priorities.get(&step.number).and_then(|one| one.label.as_deref());
        numbers.contains(&step.number) || label.is_some_and(|label| labels.contains(label))
    };
    let lonely = survey.steps.iter().filter(|step| !has_one_before(survey, step) && !is_jumped_to(step));
    lonely.map(finding_of).collect()
}

fn number(priority: &str, from: u32) -> Option<u32> {
    match (priority.strip_prefix('+'), priority.strip_prefix('-')) {
        (Some(far), _) => from.checked_add(far.parse().ok()?),
        (_, Some(far)) => from.checked_sub(far.parse().ok()?),
        (None, None) => priority.parse().ok(),
    }
}

/// Whether a call can come to it from the priority before, be that another extension's that the number matches too.
fn has_one_before(survey: &Survey, step: &Step) -> bool {
    let before = match step.number.checked_sub(1) {
        None | Some(0) => return true,
        Some(before) => before,
    };
    if step.extension.priorities.contains_key(&before) {
        return true;
    }
    // Where the work allowed is spent, it counts as there.
    let alike = survey.around(&step.context.name).and_then(|around| around.alike(&step.extension.name, &survey.work));
    alike.is_none_or(|alike| alike.iter().any(|one| one.priorities.contains_key(&before)))
}

fn finding_of(step: &Step) -> Diagnostic {
    let (name, number) = (step.extension.name.shown(), step.number);
    let is_first = step.extension.priorities.keys().next() == Some(&number);
    let (message, hint) = if is_first {
        (
            format!("extension '{name}' has no priority 1 and cannot be dialled: priority {number} is never reached"),
            "begin with 1; 'n' counts on from the line before, whatever its extension".to_owned(),
        )
    } else {
        let before = number.saturating_sub(1);
        (
            format!("extension '{name}' has no priority {before}: priority {number} is never reached"),
            match number.checked_sub(101).filter(|origin| step.extension.priorities.contains_key(origin)) {
                Some(_) => "Asterisk 1.2 jumped here (n+101) from a line that was busy: write \
                            GotoIf($[\"${DIALSTATUS}\" = \"BUSY\"]?label) behind the Dial, and this line as n(label)"
                    .to_owned(),
                None => format!("write 'n', or {before}"),
            },
        )
    };
    finding::PRIORITY_UNREACHABLE.at(step.place, message).hint(hint)
}
