//! Sounds that the dialplan names and that are not there. Who may look for files says which those are.

use super::call::Call;
use super::chosen::assignments;
use super::survey::{Step, Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::dialplan::arguments;
use crate::dialplan::say::{self, Gender, letters};
use crate::dialplan::tree::Extension;
use std::collections::BTreeSet;

/// Applications that play sounds, and which of their arguments names them.
const PLAYERS: &[(&str, usize)] = &[("Playback", 0), ("Background", 0), ("ControlPlayback", 0), ("Read", 1)];

/// Why a sound of this name cannot be played in this language, in a whole sentence; none: it can.
pub(super) type Missing<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// Each name once, at the first line that plays it.
pub(super) fn findings(survey: &Survey, missing: Missing) -> Vec<Diagnostic> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let everywhere = languages(survey);
    let (mut extension, mut here): (Option<&Extension>, Option<String>) = (None, None);
    for step in &survey.steps {
        if !extension.is_some_and(|before| std::ptr::eq(before, step.extension)) {
            (extension, here) = (Some(step.extension), None);
        }
        for call in step.calls() {
            if let Some(language) = set_language(&call) {
                here = Some(language).filter(|language| !is_computed(language));
            }
            let own: Vec<&str> = own_language(&call, here.as_deref()).into_iter().collect();
            let languages: &[&str] = if own.is_empty() { &everywhere } else { &own };
            for name in names(&call, languages.first().copied().unwrap_or_default()) {
                found.extend(judged(step, &call, &name, languages, missing).filter(|_| seen.insert(name.clone())));
            }
        }
    }
    found
}

/// A sound that cannot be played in any of these languages.
fn judged(step: &Step, call: &Call, name: &str, languages: &[&str], missing: Missing) -> Option<Diagnostic> {
    let mut why = None;
    for language in languages {
        why.get_or_insert(missing(name, language)?);
    }
    let message = format!("{} plays '{name}', which is not there", call.application);
    Some(finding::SOUND_MISSING.at(step.place, message).hint(why?))
}

/// The languages that a call may have: the exchange's own, those of peers, and those that the dialplan sets. The exchange's
/// own comes first.
fn languages<'a>(survey: &Survey<'a>) -> Vec<&'a str> {
    let mut all = vec![""];
    let peers = survey.config.sip.peers.values().map(|peer| peer.settings.language.as_str());
    let general = survey.config.sip.general.defaults.language.as_str();
    let set = survey.steps.iter().filter_map(|step| {
        let (name, value) = step.args().split_once('=')?;
        name.trim().eq_ignore_ascii_case("CHANNEL(language)").then_some(value.trim())
    });
    for language in peers.chain([general]).chain(set).filter(|language| !is_computed(language)) {
        if !all.contains(&language) {
            all.push(language);
        }
    }
    all
}

/// The language that a line sets for what follows.
fn set_language(call: &Call) -> Option<String> {
    if call.is("SetLanguage") {
        return Some(call.args.trim().to_owned());
    }
    let assigned = assignments(call).into_iter().find(|(name, _)| name.eq_ignore_ascii_case("CHANNEL(language)"));
    assigned.map(|(_, value)| value.trim().to_owned())
}

/// The language of one application, when it is known.
fn own_language<'a>(call: &Call, here: Option<&'a str>) -> Option<&'a str> {
    // A language of Background's own may be any.
    let has_own =
        call.is("Background") && arguments::pieces(&call.args, ',', 4).get(2).is_some_and(|it| !it.is_empty());
    here.filter(|_| !has_own)
}

/// The sounds that an application plays whose names are known, in this language.
fn names(call: &Call, language: &str) -> Vec<String> {
    let args = arguments::pieces(&call.args, ',', 9);
    let arg = |place: usize| args.get(place).map_or("", |text| text.trim());
    let list = |text: &str| text.split('&').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    let all = match PLAYERS.iter().find(|(name, _)| call.is(name)) {
        // The name of a tone.
        Some(("Read", _)) if arg(3).contains('i') => Vec::new(),
        Some((_, place)) => list(arg(*place)),
        None if call.is("Record") && !arg(3).contains('q') => list("beep"),
        None if call.is("Authenticate") => {
            let prompt = if arg(3).is_empty() { "agent-pass" } else { arg(3) };
            [list(prompt), list("auth-incorrect&auth-thankyou&vm-goodbye")].concat()
        }
        None if is_computed(&call.args) => Vec::new(),
        None => said(call, arg(0), arg(1), language),
    };
    all.into_iter().filter(|name| !name.is_empty() && !is_computed(name)).collect()
}

/// What is said of a text that is known.
fn said(call: &Call, text: &str, second: &str, language: &str) -> Vec<String> {
    let number = || text.parse::<i64>().ok();
    let gender = Gender::of(second).unwrap_or_default();
    let language = say::language(language);
    match () {
        () if call.is("SayDigits") => letters::digits(text),
        () if call.is("SayAlpha") => letters::spelled(text, letters::Case::None),
        () if call.is("SayPhonetic") => letters::phonetic(text),
        () if call.is("SayNumber") => number().and_then(|number| language.number(number, gender)).unwrap_or_default(),
        () if call.is("SayOrdinal") => number().and_then(|number| language.ordinal(number, gender)).unwrap_or_default(),
        () => Vec::new(),
    }
}
