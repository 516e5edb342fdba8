//! Whom `Page` names, and its option letters.

use super::dial;
use super::survey::{Call, Step, Survey};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::config::peer::LineKind;
use crate::dialplan::DialTarget;
use crate::dialplan::apps::page;
use crate::dialplan::arguments;

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for step in &survey.steps {
        for call in step.calls().iter().filter(|call| call.is("Page")) {
            let whom = arguments::pieces(&call.args, ',', 2).swap_remove(0);
            for target in dial::targets(&whom) {
                found.extend(modem(survey, step, &target));
                found.extend(dial::nobody(survey, step, &target).map(|mut one| {
                    one.message = one.message.replacen("Dial names", "Page names", 1);
                    one.hint =
                        one.hint.map(|hint| hint.replacen("it fails at once (CHANUNAVAIL)", "it is left out", 1));
                    one
                }));
            }
            found.extend(letters(step, call, 1, page::unknown));
        }
    }
    found
}

/// A modem would answer, and disturb or be disturbed: it is left out.
fn modem(survey: &Survey, step: &Step, target: &DialTarget) -> Option<Diagnostic> {
    let is_sip = target.technology.eq_ignore_ascii_case("SIP");
    let (name, _) = target.line();
    let peer = survey.config.sip.peers.get(name).filter(|_| is_sip)?;
    let message = format!("Page names '{name}', which has a modem (line=modem): it is never paged");
    let hint = "name telephones: a modem is left out, and the log says so each time".to_owned();
    (peer.settings.line == Some(LineKind::Modem)).then(|| finding::PAGE_MODEM.at(step.place, message).hint(hint))
}

/// Letters that no exchange has; what a variable holds is not known.
fn letters(step: &Step, call: &Call, at: usize, unknown: fn(&str) -> String) -> Option<Diagnostic> {
    let text = arguments::pieces(&call.args, ',', at.saturating_add(2)).into_iter().nth(at)?;
    let unknown = if text.contains("${") { String::new() } else { unknown(&text) };
    let shown: Vec<String> = unknown.chars().filter(char::is_ascii_alphabetic).map(|one| format!("'{one}'")).collect();
    let application = &call.application;
    let message = match shown.len() {
        0 => return None,
        1 => format!("{application}'s option {} is unknown", shown.concat()),
        _ => format!("{application}'s options {} are unknown", shown.join(", ")),
    };
    let hint = format!("it does nothing: `core show application {application}` lists the letters");
    Some(finding::DIAL_OPTION.at(step.place, message).hint(hint))
}
