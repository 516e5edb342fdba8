//! Whom `Dial` and hints name, and what reaches a dial string as it was dialled.

use super::phrase::suggestion;
use super::survey::{Call, Step, Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::dialplan::arguments;
use crate::dialplan::substitute::{MAX_DEPTH, function_call, references};
use crate::dialplan::{DialOptions, DialTarget, Elsewhere};

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = hints(survey);
    for step in &survey.steps {
        for call in step.calls().iter().filter(|call| call.is("Dial")) {
            let whom = arguments::pieces(&call.args, ',', 2).swap_remove(0);
            found.extend(targets(&whom).filter_map(|target| nobody(survey, step, &target)));
            found.extend(unfiltered(step, &whom));
        }
        for call in step.calls().iter().filter(|call| call.is("Originate")) {
            let whom = arguments::pieces(&call.args, ',', 2).swap_remove(0);
            found.extend(targets(&whom).filter_map(|target| nobody(survey, step, &target)).map(|mut one| {
                one.message = one.message.replacen("Dial names", "Originate names", 1);
                one
            }));
        }
        for (application, options) in step.calls().iter().filter_map(options_of) {
            found.extend(letters(step, application, &options));
        }
    }
    found
}

/// The option letters of a `Dial` or `RetryDial`, as written.
fn options_of(call: &Call) -> Option<(&'static str, String)> {
    let (application, place) = match () {
        () if call.is("Dial") => ("Dial", 2),
        () if call.is("RetryDial") => ("RetryDial", 5),
        () => return None,
    };
    let text = arguments::pieces(&call.args, ',', place + 2).into_iter().nth(place)?;
    Some((application, text))
}

/// Letters that no exchange has.
fn letters(step: &Step, application: &str, text: &str) -> Option<Diagnostic> {
    // What a variable holds is not known; letters beside it are.
    let plain: String = text
        .split("${")
        .enumerate()
        .map(|(at, part)| match at {
            0 => part,
            _ => part.split_once('}').map_or("", |(_, rest)| rest),
        })
        .collect();
    let unknown = DialOptions::read(&plain).unknown();
    let shown: Vec<String> = unknown.chars().filter(char::is_ascii_alphabetic).map(|one| format!("'{one}'")).collect();
    let message = match shown.len() {
        0 => return None,
        1 => format!("{application}'s option {} is unknown", shown.concat()),
        _ => format!("{application}'s options {} are unknown", shown.join(", ")),
    };
    let hint = "it does nothing: `core show application Dial` lists the letters";
    Some(finding::DIAL_OPTION.at(step.place, message).hint(hint.to_owned()))
}

/// The targets of a dial string whose peer no variable decides; what is dialled there may be one: `SIP/${EXTEN}@trunk`.
pub(super) fn targets(whom: &str) -> impl Iterator<Item = DialTarget> {
    let whole = whom.split('&').filter(|target| target.matches("${").count() == target.matches('}').count());
    whole.filter_map(DialTarget::parse).filter(|target| {
        let peer = if target.technology.eq_ignore_ascii_case("SIP") { target.line().0 } else { "" };
        let is_known = |text: &str| !is_computed(text) && !text.contains(['}', ']']);
        is_known(&target.technology) && is_known(peer)
    })
}

pub(super) fn nobody(survey: &Survey, step: &Step, target: &DialTarget) -> Option<Diagnostic> {
    if target.technology.eq_ignore_ascii_case("Local") {
        return nowhere(survey, step, target);
    }
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
            None if Elsewhere::of(target).is_some() => return Some(host(step, target)),
            None => {
                (format!("Dial names '{name}', which is not a peer in sip.conf"), suggestion(near(survey, name), hint))
            }
        }
    } else {
        let message = format!("Dial names '{}': only SIP and Local are here", target.technology);
        (message, "it fails at once (CHANUNAVAIL)".to_owned())
    };
    Some(finding::DIAL_NOBODY.at(step.place, message).hint(hint))
}

/// A host that is no peer: what it is called without, and what a caller decides of it.
fn host(step: &Step, target: &DialTarget) -> Diagnostic {
    let host = Elsewhere::of(target).map(|read| read.query.host).unwrap_or_default();
    let user = target.resource.rsplit_once('@').map_or("", |(user, _)| user);
    let chosen = match as_dialled(user, 0) {
        Some(_) if step.extension.name.is_open() => "; whoever dials chooses any user there",
        _ => "",
    };
    let message =
        format!("Dial calls host '{host}', which has no section in sip.conf: nothing limits its calls{chosen}");
    let hint = "give it a section with 'host=': then it is watched, has limits and a password of its own";
    finding::DIAL_HOST.at(step.place, message).hint(hint)
}

/// `Local/` of an extension that is not there.
fn nowhere(survey: &Survey, step: &Step, target: &DialTarget) -> Option<Diagnostic> {
    let place = target.resource.split('/').next().unwrap_or_default();
    let (exten, context) = place.rsplit_once('@').unwrap_or((place, "default"));
    if is_computed(place) || place.contains(['}', ']']) {
        return None;
    }
    let message = match survey.plan.has_context(context) {
        false => format!("Dial names Local/{place}, and there is no context '{context}'"),
        true if survey.reached(context)?.matching(exten.as_bytes(), &survey.work)?.is_empty() => {
            format!("Dial names Local/{place}, and '{exten}' is not in context '{context}'")
        }
        true => return None,
    };
    Some(finding::DIAL_NOBODY.at(step.place, message).hint("it fails at once (CHANUNAVAIL)".to_owned()))
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

/// Does a variable say which line is called, rather than which number there?
fn decides_the_line(target: &str) -> bool {
    let Some(target) = DialTarget::parse(target) else { return true };
    let resource = arguments::pieces(&target.resource, '/', 2);
    let line = match (resource.as_slice(), arguments::pieces(&target.resource, '@', usize::MAX).split_last()) {
        ([line, _], _) => line.clone(),
        (_, Some((line, before))) if !before.is_empty() => line.clone(),
        _ => target.resource.clone(),
    };
    is_computed(&target.technology) || is_computed(&line)
}

/// The first `${EXTEN}` of an open pattern that may hold more than digits and names a line.
fn unfiltered(step: &Step, whom: &str) -> Option<Diagnostic> {
    let name = &step.extension.name;
    // Where the owner names the line, what is dialled can only be a number there: Dial refuses `&` and `/` in it.
    let whole = arguments::pieces(whom, '&', usize::MAX);
    let written = whole.iter().filter(|target| decides_the_line(target)).find_map(|target| as_dialled(target, 0));
    let written = written.filter(|_| name.is_open())?;
    let message =
        format!("'${{{written}}}' of '{}' may be any text, and rings the line that a caller names in it", name.shown());
    let hint = format!("write ${{FILTER(0-9,${{{written}}})}}: a telephone can dial more than digits");
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
