//! Contexts that are missing where they are named, and contexts that nothing names.

use super::phrase::{some_of, suggestion};
use super::survey::{Survey, is_computed};
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::config::parking_conf::RES_PARKING_CONF;
use crate::config::peer::{Kind, Peer, Settings};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = peers(survey);
    found.extend(includes(survey));
    found.extend(unused(survey));
    found
}

/// Peers whose calls begin in a context that is not there, once for each context.
fn peers(survey: &Survey) -> Vec<Diagnostic> {
    let inherited = &survey.config.sip.general.defaults.context;
    let mut lost: BTreeMap<&str, Vec<&Peer>> = BTreeMap::new();
    for peer in survey.config.sip.peers.values() {
        let context = &peer.settings.context;
        // A trunk that is only called needs none.
        let is_trunk = peer.kind == Kind::Peer && peer.host.is_fixed();
        let is_only_called = is_trunk && context == inherited;
        if !is_only_called && !survey.plan.has_context(context) {
            lost.entry(context).or_default().push(peer);
        }
    }
    let said = lost.into_iter().filter_map(|(context, mut peers)| {
        peers.sort_by_key(|peer| &peer.place);
        let first = peers.first()?;
        let names = some_of(peers.iter().map(|peer| peer.name.as_str()));
        let message = format!("calls from {names} begin in context '{context}', which is not in extensions.conf");
        let near = survey.near_context.nearest(context);
        let otherwise = format!("write [{context}] in extensions.conf, or another 'context=' in sip.conf");
        Some(finding::PEER_CONTEXT.at(&first.place, message).hint(suggestion(near, &otherwise)))
    });
    said.collect()
}

fn includes(survey: &Survey) -> Vec<Diagnostic> {
    let all = survey.plan.contexts.values();
    let all = all.flat_map(|context| context.includes.iter().map(move |include| (&context.name, include)));
    let missing = all.filter(|(_, include)| !survey.plan.has_context(&include.context));
    let said = missing.map(|(name, include)| {
        let message = format!("context '{name}' includes '{}', which does not exist", include.context);
        let near = survey.near_context.nearest(&include.context);
        finding::INCLUDE_NOWHERE.at(&include.place, message).hint(suggestion(near, "nothing is included"))
    });
    said.collect()
}

/// The contexts of a line's calls, lamps and texts.
fn of_line(settings: &Settings) -> [&str; 3] {
    [&settings.context, &settings.subscribe_context, &settings.message_context]
}

/// Contexts with extensions that nothing names: not a peer, an include, a jump, nor any word of a line's arguments,
/// which may be a context in ways that are not known here.
fn unused(survey: &Survey) -> Vec<Diagnostic> {
    let general = &survey.config.sip.general;
    let mut named: BTreeSet<&str> = general.reg_contexts.iter().map(String::as_str).collect();
    named.extend(of_line(&general.defaults));
    named.extend(survey.config.parking.iter().map(|(_, lot)| lot.comeback_context.as_str()));
    for peer in survey.config.sip.peers.values() {
        named.extend(of_line(&peer.settings));
        named.extend(peer.set_vars.iter().flat_map(|(_, value)| words(value)));
        named.extend(peer.regexten.iter().filter_map(|made| made.context.as_deref()));
    }
    let contexts = survey.plan.contexts.values();
    named.extend(contexts.flat_map(|context| &context.includes).map(|include| include.context.as_str()));
    // Mended, their lines call from there.
    named.extend(survey.config.sip.left_out.values().map(String::as_str));
    named.extend(survey.plan.globals().iter().flat_map(|(_, value)| words(value)));
    named.extend(survey.steps.iter().flat_map(|step| words(step.args())));
    let goals = survey.jumps.iter().filter_map(|jump| jump.target.context.as_deref());
    // Of a name that is computed, what stands before the variable.
    let beginnings: BTreeSet<&str> =
        goals.clone().filter(|goal| is_computed(goal)).filter_map(|goal| goal.split('$').next()).collect();
    named.extend(goals);
    let is_named = |name: &str| {
        named.contains(name)
            // As Macro has it: Macro(x) is the context macro-x.
            || name.strip_prefix("macro-").is_some_and(|short| named.contains(short))
            || name.char_indices().any(|(end, _)| beginnings.contains(name.get(..end).unwrap_or(name)))
            || beginnings.contains(name)
            || words(name).next() != Some(name)
    };
    let mut seen = BTreeSet::new();
    let sections = &survey.config.extensions.sections;
    let said = sections.iter().filter_map(|section| {
        let context = survey.plan.contexts.get(&section.name)?;
        let is_made = &*section.place.file == RES_PARKING_CONF;
        if context.extensions.is_empty() || is_made || is_named(&section.name) || !seen.insert(&section.name) {
            return None;
        }
        let message = format!("no call comes to context '{}': no peer, include or Goto names it", section.name);
        let hint = "name it in a peer's 'context=', include it, or take it out";
        Some(finding::CONTEXT_UNUSED.at(&section.place, message).hint(hint))
    });
    said.collect()
}

/// The words that could be the name of a context.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')).filter(|word| !word.is_empty())
}
