//! Whom `Page` names, its option letters, and who gets to a `ChanSpy`.

use super::callers;
use super::dial;
use super::survey::{Call, Step, Survey};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::config::peer::LineKind;
use crate::dialplan::DialTarget;
use crate::dialplan::apps::page;
use crate::dialplan::{arguments, spy};

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let claimed = callers::reached(survey);
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
        for call in step.calls().iter().filter(|call| call.is("ChanSpy") || call.is("ExtenSpy")) {
            found.extend(letters(step, call, 1, spy::unknown));
            let who = claimed.get(step.context.name.as_str()).filter(|_| !asks_for_pin(step));
            if let Some(who) = who {
                let message = format!("{} listens to calls, and {who} gets to it", call.application);
                let hint = "put it into a context of the lines that may, or let Authenticate ask for a PIN before";
                found.push(finding::SPY_OPEN.at(step.place, message).hint(hint));
            }
        }
    }
    found
}

/// Does the extension ask for a PIN before this line?
fn asks_for_pin(step: &Step) -> bool {
    let before = step.extension.priorities.iter().filter(|(number, _)| **number < step.number);
    before.into_iter().any(|(_, priority)| priority.application.eq_ignore_ascii_case("Authenticate"))
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
