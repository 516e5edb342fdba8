//! Texts that cannot be what their writer meant: `${` without its `}`, and `DISA` that asks for nothing.

use super::survey::Survey;
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::dialplan::arguments;
use crate::dialplan::substitute::unclosed;

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for step in &survey.steps {
        if let Some(rest) = unclosed(step.args()) {
            let (opening, close) = if rest.starts_with("${") { ("${", '}') } else { ("$[", ']') };
            let message = format!("'{opening}' is never closed with '{close}': {rest}");
            let hint = format!("count the brackets: each '{opening}' needs its own '{close}', each '(' its ')'");
            found.push(finding::TEXT_UNCLOSED.at(step.place, message).hint(hint));
        }
        for call in step.calls().iter().filter(|call| call.is("DISA")) {
            let args = arguments::pieces(&call.args, ',', 3);
            let given = |number: usize| args.get(number).map_or("", |text| text.trim());
            if !given(0).eq_ignore_ascii_case("no-password") {
                continue;
            }
            let context = if given(1).is_empty() { "disa" } else { given(1) };
            let message = format!("DISA asks for no PIN: who gets here dials whatever context '{context}' holds");
            let hint = "give it a PIN, DISA(123456,...), unless nothing in that context costs money";
            found.push(finding::DISA_OPEN.at(step.place, message).hint(hint));
        }
    }
    found
}
