//! Whom `Dial` and hints name, and what reaches a dial string as it was dialled.

use super::phrase::suggestion;
use super::survey::{Step, Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::dialplan::DialTarget;
use crate::dialplan::arguments;
use crate::dialplan::substitute::{MAX_DEPTH, function_call, references};

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = hints(survey);
    for step in &survey.steps {
        for call in step.calls().iter().filter(|call| call.is("Dial")) {
            let whom = arguments::pieces(&call.args, ',', 2).swap_remove(0);
            found.extend(targets(&whom).filter_map(|target| nobody(survey, step, &target)));
            found.extend(unfiltered(step, &whom));
        }
    }
    found
}

/// The targets of a dial string whose peer no variable decides; what is dialled there may be one: `SIP/${EXTEN}@trunk`.
fn targets(whom: &str) -> impl Iterator<Item = DialTarget> {
    let whole = whom.split('&').filter(|target| target.matches("${").count() == target.matches('}').count());
    whole.filter_map(DialTarget::parse).filter(|target| {
        let peer = if target.technology.eq_ignore_ascii_case("SIP") { target.line().0 } else { "" };
        let is_known = |text: &str| !is_computed(text) && !text.contains(['}', ']']);
        is_known(&target.technology) && is_known(peer)
    })
}

fn nobody(survey: &Survey, step: &Step, target: &DialTarget) -> Option<Diagnostic> {
    let (message, hint) = if target.technology.eq_ignore_ascii_case("SIP") {
        let (name, _) = target.line();
        let hint = "it fails at once (CHANUNAVAIL)";
        match survey.config.sip.peers.get(name) {
            Some(peer) if peer.is_callable() => return None,
            Some(_) => (
                format!("'{name}' is type=user: it may call, not be called"),
                "write 'type=friend' or 'type=peer'".into(),
            ),
            None if survey.config.sip.left_out.contains_key(name) => (
                format!("Dial names '{name}', which an error in sip.conf leaves out"),
                "mend that error: until then it fails at once (CHANUNAVAIL)".to_owned(),
            ),
            None => {
                (format!("Dial names '{name}', which is not a peer in sip.conf"), suggestion(near(survey, name), hint))
            }
        }
    } else {
        let message = format!("Dial names '{}': only SIP is here", target.technology);
        (message, "it fails at once (CHANUNAVAIL)".to_owned())
    };
    Some(finding::DIAL_NOBODY.at(step.place, message).hint(hint))
}

fn near<'a>(survey: &Survey<'a>, name: &str) -> Option<&'a str> {
    survey.near_peer.nearest(name)
}

fn hints(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for hint in survey.plan.hints() {
        let Some(place) = hint.place else { continue };
        for target in targets(hint.devices).filter(|target| target.technology.eq_ignore_ascii_case("SIP")) {
            let (name, _) = target.line();
            if !survey.config.sip.peers.contains_key(name) && !survey.config.sip.left_out.contains_key(name) {
                let message = format!("the hint names '{name}', which is not a peer in sip.conf");
                let hint = suggestion(near(survey, name), "its state is never known");
                found.push(finding::HINT_NOBODY.at(place, message).hint(hint));
            }
        }
    }
    found
}

/// The first `${EXTEN}` of an open pattern that may hold more than digits.
fn unfiltered(step: &Step, whom: &str) -> Option<Diagnostic> {
    let name = &step.extension.name;
    let written = if name.is_open() { as_dialled(whom, 0) } else { None }?;
    let message =
        format!("'${{{written}}}' of '{}' may be any text, and rings whatever a caller writes into it", name.shown());
    let hint = format!("write ${{FILTER(0-9,${{{written}}})}}: a telephone can dial '&' and '/' too");
    Some(finding::DIAL_UNFILTERED.at(step.place, message).hint(hint))
}

/// What stands in the first `${EXTEN...}` outside of `FILTER`.
fn as_dialled(text: &str, depth: usize) -> Option<&str> {
    if depth > MAX_DEPTH {
        return None;
    }
    references(text).into_iter().find_map(|(is_name, inside)| match function_call(inside) {
        Some(("FILTER", ..)) if is_name => None,
        None if is_name && inside.split(':').next() == Some("EXTEN") => Some(inside),
        Some(_) | None => as_dialled(inside, depth.saturating_add(1)),
    })
}
