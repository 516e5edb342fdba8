//! Decisions by who calls, where a caller that may get there tells that itself.

use super::survey::{Call, Step, Survey, is_computed};
use crate::config::Config;
use crate::config::diagnostic::{Diagnostic, Place};
use crate::config::finding;
use crate::config::peer::{Peer, PeerAddress};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let reached = reached(survey);
    // The first place of each context, and how many there are.
    let mut decisions: BTreeMap<&str, (&Place, usize)> = BTreeMap::new();
    for step in survey.steps.iter().filter(|step| reached.contains_key(step.context.name.as_str()) && decides(step)) {
        let (first, count) = decisions.entry(&step.context.name).or_insert((step.place, 0));
        *first = (*first).min(step.place);
        *count = count.saturating_add(1);
    }
    let said = decisions.into_iter().filter_map(|(context, (place, count))| {
        let who = reached.get(context)?;
        let others = match count {
            1 => String::new(),
            count => format!(" (here and {} more times)", count.saturating_sub(1)),
        };
        let message = format!("context '{context}' decides by who calls{others}, and {who} may say to be anybody");
        let hint = "let that caller begin in a 'context=' of its own, or give the peer its one number with 'callerid='";
        Some(finding::CALLER_CLAIMED.at(place, message).hint(hint))
    });
    said.collect()
}

/// The contexts to which a call may get whose caller tells its number itself, each with who that is.
pub(super) fn reached<'a>(survey: &Survey<'a>) -> BTreeMap<&'a str, String> {
    let mut ways: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut leads_anywhere = BTreeSet::new();
    for context in survey.plan.contexts.values() {
        ways.entry(&context.name).or_default().extend(context.includes.iter().map(|include| include.context.as_str()));
    }
    for jump in &survey.jumps {
        let from = jump.from.context.name.as_str();
        match jump.target.context.as_deref() {
            Some(context) if is_computed(context) => drop(leads_anywhere.insert(from)),
            Some(context) => {
                if let Some((name, _)) = survey.plan.contexts.get_key_value(context) {
                    ways.entry(from).or_default().push(name);
                }
            }
            None => {}
        }
    }
    let mut reached: BTreeMap<&'a str, String> = BTreeMap::new();
    let mut waiting: VecDeque<(&'a str, String)> = claimants(survey.config).into();
    while let Some((name, who)) = waiting.pop_front() {
        let Some((name, _)) = survey.plan.contexts.get_key_value(name) else { continue };
        if reached.contains_key(name.as_str()) {
            continue;
        }
        reached.insert(name, who.clone());
        if leads_anywhere.contains(name.as_str()) {
            // All are on the way then, whatever else leads anywhere.
            leads_anywhere.clear();
            waiting.extend(survey.plan.contexts.keys().map(|context| (context.as_str(), who.clone())));
        }
        let next = ways.remove(name.as_str()).unwrap_or_default();
        waiting.extend(
            next.into_iter().filter_map(|next| {
                survey.plan.contexts.get_key_value(next).map(|(next, _)| (next.as_str(), who.clone()))
            }),
        );
    }
    reached
}

/// The contexts where calls begin that may come from anybody's number, each with who calls so.
fn claimants(config: &Config) -> Vec<(&str, String)> {
    let general = &config.sip.general;
    let guests =
        general.allow_guest.then(|| (general.defaults.context.as_str(), "a guest (allowguest=yes)".to_owned()));
    let peers = config.sip.peers.values().filter_map(|peer| {
        let how = claims(peer)?;
        Some((peer.settings.context.as_str(), format!("'{}' ({how})", peer.name)))
    });
    guests.into_iter().chain(peers).collect()
}

/// Why a peer may call under any number; nothing when it may not.
fn claims(peer: &Peer) -> Option<&'static str> {
    if peer.settings.trust_rpid {
        return Some("trustrpid=yes");
    }
    let needs_no_secret = peer.credential.is_none() || peer.settings.insecure.invite;
    let is_fixed = peer.host != PeerAddress::Dynamic;
    (is_fixed && needs_no_secret && peer.caller_id.number.is_none())
        .then_some("a fixed address, and no secret for its calls")
}

/// Whether what a line does depends on who calls.
fn decides(step: &Step) -> bool {
    step.extension.caller.is_some() || step.calls().iter().any(is_by_caller)
}

fn is_by_caller(call: &Call) -> bool {
    const DECIDING: [&str; 8] = ["GotoIf", "GosubIf", "ExecIf", "Goto", "Gosub", "Dial", "While", "ExecIfTime"];
    if DECIDING.iter().any(|name| call.is(name)) {
        return reads_caller(&call.args);
    }
    let value = call.args.split_once('=').filter(|_| call.is("Set")).map_or("", |(_, value)| value);
    reads_caller(value) && ["$[", "${IF", "${DB_EXISTS("].iter().any(|test| value.contains(test))
}

/// Whether a number or name of the caller is read.
fn reads_caller(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("${calleridnum")
        || text.match_indices("callerid(").any(|(at, word)| {
            let item = text.get(at.saturating_add(word.len())..).unwrap_or_default().trim_start();
            ["num", "name", "all", "ani"].iter().any(|name| item.starts_with(name))
        })
}
