//! Secrets that are no secret. They are judged, and never shown.

use super::finding::Finding;
use crate::config::Config;
use crate::config::peer::{Credential, Peer};
use std::collections::BTreeMap;

/// What scanners try first, and what guides have their readers type.
const KNOWN: [&str; 16] = [
    "password",
    "passwd",
    "secret",
    "changeme",
    "welcome",
    "letmein",
    "admin",
    "asterisk",
    "default",
    "test",
    "guest",
    "qwerty",
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
];
/// Shorter ones are found by trying.
const SHORTEST: usize = 8;

/// The peers whose secret anyone can guess, each with the reason; then those that share one.
pub(super) fn secrets(config: &Config) -> Vec<Finding> {
    let peers = &config.sip.peers;
    let mut findings = Vec::new();
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for peer in peers.values() {
        if let Some(why) = weakness(peer) {
            let advice = format!(
                "set secret= of [{}] in {} to twelve letters and digits, and in the phone",
                peer.name, peer.place.file
            );
            findings.push(Finding::todo("secrets", format!("[{}] {why}", peer.name), advice));
        }
        if let Some(Credential::Password(secret)) = &peer.credential {
            owners.entry(secret.reveal()).or_default().push(&peer.name);
        }
    }
    for names in owners.values().filter(|names| names.len() > 1) {
        let what = format!("[{}] have the same secret: who has one phone can be the other", names.join("], ["));
        findings.push(Finding::note("secrets", what));
    }
    if findings.is_empty() && !peers.is_empty() {
        findings.push(Finding::fine("secrets", format!("none of the {} peers has a weak one", peers.len())));
    }
    findings
}

/// Why a peer's secret is none. What is kept as a hash cannot be judged.
fn weakness(peer: &Peer) -> Option<&'static str> {
    match &peer.credential {
        None => Some("has no secret: whoever knows its name is believed"),
        Some(Credential::Ha1(_)) => None,
        Some(Credential::Password(secret)) => {
            let (secret, name) = (secret.reveal().to_ascii_lowercase(), peer.name.to_ascii_lowercase());
            if KNOWN.contains(&secret.as_str()) {
                Some("has a secret everybody tries first, such as the guides' 'password'")
            } else if secret == name || secret.chars().eq(name.chars().rev()) {
                Some("has its own name as its secret")
            } else if secret.chars().count() < SHORTEST {
                Some("has a secret of less than eight characters")
            } else {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(sip: &str) -> Vec<Finding> {
        secrets(&Config::from_texts(sip, "", "", "").0.unwrap())
    }

    fn peer(name: &str, secret: &str) -> String {
        format!("[{name}]\ntype=friend\nhost=dynamic\n{secret}\n")
    }

    #[test]
    fn a_secret_anyone_can_guess_is_named_by_its_peer_alone() {
        for secret in ["password", "PassWord", "phone77", "77enohp", "abc4567", "12345678"] {
            let found = said(&peer("phone77", &format!("secret={secret}")));
            assert_eq!(found.len(), 1, "{secret}");
            assert!(found[0].is_todo() && found[0].what.starts_with("[phone77] has "), "{found:?}");
            assert!(!found[0].what.contains(secret) || ["password", "phone77"].contains(&secret), "{found:?}");
        }
        assert!(said(&peer("a", ""))[0].what.contains("no secret"));
    }

    #[test]
    fn good_secrets_and_hashes_pass_and_shared_ones_are_said() {
        let fine = peer("a", "secret=k3vw9m2xq8tz") + &peer("b", "md5secret=5f4dcc3b5aa765d61d8327deb882cf99");
        assert_eq!(said(&fine), [Finding::fine("secrets", "none of the 2 peers has a weak one")]);
        let shared = said(&(peer("a", "secret=k3vw9m2xq8tz") + &peer("b", "secret=k3vw9m2xq8tz")));
        assert_eq!(shared.len(), 1);
        assert!(shared[0].what.starts_with("[a], [b] have the same") && !shared[0].what.contains("k3vw"));
    }
}
