//! Peers at one address that nothing tells apart: whose a call from there is. Providers whose calls would be challenged.

use super::survey::Survey;
use crate::config::diagnostic::Diagnostic;
use crate::config::finding;
use crate::config::peer::{Peer, PeerAddress};
use std::collections::BTreeMap;

pub(super) fn findings(survey: &Survey) -> Vec<Diagnostic> {
    let mut found = alike_ones(survey);
    found.extend(challenged(survey));
    found
}

/// Those that we register at, and whose calls would be asked for the secret that we give them.
fn challenged(survey: &Survey) -> Vec<Diagnostic> {
    let sip = &survey.config.sip;
    let is_registered =
        |peer: &&Peer| sip.general.registrations.iter().any(|line| line.peer.as_deref() == Some(peer.name.as_str()));
    let peers = sip.peers.values().map(AsRef::as_ref).filter(is_registered);
    let asked = peers.filter(|peer| {
        let is_known = peer.is_callable() && peer.host.is_fixed();
        is_known && peer.credential.is_some() && !peer.settings.insecure.invite && is_entered(survey, peer)
    });
    asked.map(|peer| {
        let message = format!(
            "calls in from '{}' are asked for its secret: a provider that the exchange is registered at does not answer that",
            peer.name
        );
        finding::TRUNK_CHALLENGED.at(&peer.place, message).hint("write 'insecure=port,invite' in its section")
    }).collect()
}

/// Has its context anything to call?
fn is_entered(survey: &Survey, peer: &Peer) -> bool {
    survey.plan.has_context(&peer.settings.context)
}

fn alike_ones(survey: &Survey) -> Vec<Diagnostic> {
    let mut places: BTreeMap<String, Vec<&Peer>> = BTreeMap::new();
    for peer in survey.config.sip.peers.values().filter(|peer| peer.is_callable()) {
        let place = match &peer.host {
            PeerAddress::Static(address) => address.to_string(),
            PeerAddress::Named(host) => host.to_string(),
            PeerAddress::Dynamic | PeerAddress::Unset => continue,
        };
        places.entry(place).or_default().push(peer);
    }
    let shared = places.iter().filter(|(_, peers)| peers.len() > 1 && !are_told_apart(peers));
    shared.filter_map(|(place, peers)| alike(place, peers)).collect()
}

fn alike(place: &str, peers: &[&Peer]) -> Option<Diagnostic> {
    let (first, others) = peers.split_first()?;
    let names: Vec<String> = peers.iter().map(|peer| format!("'{}'", peer.name)).collect();
    let (last, before) = names.split_last()?;
    let message = format!(
        "{} and {last} are all at {place}: a call from there that names none of them is taken to be of '{}'",
        before.join(", "),
        first.name
    );
    let message = if peers.len() == 2 { message.replacen("are all at", "are both at", 1) } else { message };
    let hint = "write what the provider calls each by as its 'defaultuser=' (the number or user it has in the Request-URI or To)";
    Some(finding::TRUNKS_ALIKE.at(&others.first()?.place, message).hint(hint))
}

/// Has each something of its own that a call can name it by?
fn are_told_apart(peers: &[&Peer]) -> bool {
    let own = |peer: &&Peer| peer.called_as().next().or(peer.from_domain.as_deref()).map(str::to_ascii_lowercase);
    let mut words: Vec<Option<String>> = peers.iter().map(own).collect();
    words.sort();
    let count = words.len();
    words.dedup();
    words.len() == count && words.iter().all(Option::is_some)
}
