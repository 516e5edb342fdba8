//! Weak secrets. They are judged, and never shown.

use super::finding::Finding;
use crate::config::Config;
use crate::config::weak_secret::{shared, weakness};

/// The peers whose secret anyone can guess, each with the reason; then those that share one.
pub(super) fn secrets(config: &Config) -> Vec<Finding> {
    let peers = &config.sip.peers;
    let mut findings = Vec::new();
    for peer in peers.values() {
        if let Some(weak) = weakness(peer) {
            let advice = format!(
                "set secret= of [{}] in {} to twelve letters and digits, and in the phone",
                peer.name, peer.place.file
            );
            findings.push(Finding::todo("secrets", format!("[{}] {}", peer.name, weak.words()), advice));
        }
    }
    for group in shared(peers) {
        let names: Vec<&str> = group.iter().map(|peer| peer.name.as_str()).collect();
        let what = format!("[{}] have the same secret: who has one phone can be the other", names.join("], ["));
        findings.push(Finding::note("secrets", what));
    }
    if findings.is_empty() && !peers.is_empty() {
        findings.push(Finding::fine("secrets", format!("none of the {} peers has a weak one", peers.len())));
    }
    findings
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
        for secret in ["password", "phone77", "abc4567", "change-me-1"] {
            let found = said(&peer("phone77", &format!("secret={secret}")));
            assert_eq!(found.len(), 1, "{secret}");
            assert!(found[0].is_todo() && found[0].what.starts_with("[phone77] "), "{found:?}");
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
