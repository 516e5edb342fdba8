//! Weak secrets, by the names of their peers only.

use super::phrase::some_of;
use crate::config::Config;
use crate::config::diagnostic::Diagnostic;
use crate::config::finding::{self, Finding};
use crate::config::weak_secret::{Weakness, shared, weakness};

pub(super) fn findings(config: &Config) -> Vec<Diagnostic> {
    let peers = &config.sip.peers;
    let mut found = Vec::new();
    for peer in peers.values() {
        let Some(weak) = weakness(peer) else { continue };
        let kind: &'static Finding = match weak {
            // Reported when the peer is read.
            Weakness::Missing => continue,
            Weakness::Placeholder => &finding::SECRET_PLACEHOLDER,
            Weakness::Known | Weakness::OwnName | Weakness::Short => &finding::SECRET_WEAK,
        };
        let message = format!("peer '{}' {}", peer.name, weak.words());
        found.push(
            kind.at(&peer.place, message).hint("set 'secret=' to twelve letters and digits, here and in the device"),
        );
    }
    for group in shared(peers) {
        let Some(first) = group.iter().min_by_key(|peer| &peer.place) else { continue };
        let names = some_of(group.iter().map(|peer| peer.name.as_str()));
        let message = format!("peers {names} have the same secret: who has one device can be the other");
        found.push(finding::SECRET_SHARED.at(&first.place, message).hint("give each its own"));
    }
    found
}
