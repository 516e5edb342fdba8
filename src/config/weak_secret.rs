//! Secrets that can be guessed. They are judged here and shown nowhere.

use super::peer::{Credential, Peer, PeerAddress};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Why a peer's secret is weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// There is none, and nothing else keeps strangers out.
    Missing,
    /// The placeholder of an example.
    Placeholder,
    /// What scanners try first.
    Known,
    /// The peer's name, perhaps backwards.
    OwnName,
    /// Short enough to be found by trying.
    Short,
}

impl Weakness {
    /// In words, behind the peer's name.
    pub fn words(self) -> &'static str {
        match self {
            Weakness::Missing => "has no secret: whoever knows its name is believed",
            Weakness::Placeholder => "still has the secret of an example, which everybody can read",
            Weakness::Known => "has a secret everybody tries first, such as the guides' 'password'",
            Weakness::OwnName => "has its own name as its secret",
            Weakness::Short => "has a secret of less than eight characters",
        }
    }
}

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

/// What an example's secret says of itself, its `-`, `_` and digits left out.
const PLACEHOLDERS: [&str; 5] = ["changeme", "replaceme", "yoursecret", "yourpassword", "putasecrethere"];

/// Shorter ones are found by trying.
const SHORTEST: usize = 8;

/// An address for documentation (RFC 5737) that stands for any: a list that allows it excludes nobody.
const ANYBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

/// Why a peer's secret is weak. What is kept as a hash cannot be judged; a peer at a fixed address, or behind `deny=`
/// and `permit=`, needs none.
pub fn weakness(peer: &Peer) -> Option<Weakness> {
    let secret = match &peer.credential {
        None => {
            let is_open = peer.host == PeerAddress::Dynamic && peer.acl.allows(ANYBODY);
            return is_open.then_some(Weakness::Missing);
        }
        Some(Credential::Ha1(_)) => return None,
        Some(Credential::Password(secret)) => secret.reveal().to_ascii_lowercase(),
    };
    let name = peer.name.to_ascii_lowercase();
    let letters: String = secret.chars().filter(char::is_ascii_alphabetic).collect();
    if KNOWN.contains(&secret.as_str()) {
        Some(Weakness::Known)
    } else if PLACEHOLDERS.contains(&letters.as_str()) {
        Some(Weakness::Placeholder)
    } else if secret == name || secret.chars().eq(name.chars().rev()) {
        Some(Weakness::OwnName)
    } else if secret.chars().count() < SHORTEST {
        Some(Weakness::Short)
    } else {
        None
    }
}

/// The peers that have the same secret, a good one, in groups of two or more.
pub fn shared(peers: &BTreeMap<String, Arc<Peer>>) -> Vec<Vec<&Peer>> {
    let mut owners: BTreeMap<&str, Vec<&Peer>> = BTreeMap::new();
    for peer in peers.values().filter(|peer| weakness(peer).is_none()) {
        if let Some(Credential::Password(secret)) = &peer.credential {
            owners.entry(secret.reveal()).or_default().push(peer);
        }
    }
    // By the peers' names: the order of the secrets would disclose something of them.
    let mut groups: Vec<Vec<&Peer>> = owners.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_by(|one, other| one.iter().map(|peer| &peer.name).cmp(other.iter().map(|peer| &peer.name)));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn judge(name: &str, lines: &str) -> Option<Weakness> {
        let text = format!("[{name}]\ntype=friend\nhost=dynamic\n{lines}\n");
        let config = Config::from_texts(&text, "", "", "").0.unwrap();
        weakness(&config.sip.peers[name])
    }

    #[test]
    fn what_anyone_can_guess_is_no_secret() {
        for (secret, weak) in [
            ("password", Weakness::Known),
            ("PassWord", Weakness::Known),
            ("12345678", Weakness::Known),
            ("change-me-1", Weakness::Placeholder),
            ("CHANGE_ME", Weakness::Placeholder),
            ("your-secret", Weakness::Placeholder),
            ("phone777", Weakness::OwnName),
            ("777enohp", Weakness::OwnName),
            ("abc4567", Weakness::Short),
        ] {
            assert_eq!(judge("phone777", &format!("secret={secret}")), Some(weak), "{secret}");
        }
        assert_eq!(judge("phone777", ""), Some(Weakness::Missing));
        for list in ["permit=0.0.0.0/0", "permit=192.0.2.0/24", "deny=192.0.2.0/24"] {
            assert_eq!(judge("phone777", list), Some(Weakness::Missing), "{list} alone keeps nobody out");
        }
    }

    #[test]
    fn a_good_one_a_hash_and_a_peer_that_needs_none_pass() {
        for lines in [
            "secret=k3vw9m2xq8tz",
            "secret=exchangement",
            "md5secret=5f4dcc3b5aa765d61d8327deb882cf99",
            "host=192.0.2.9",
            "deny=0.0.0.0/0\npermit=192.0.2.0/24",
        ] {
            assert_eq!(judge("a", lines), None, "{lines}");
        }
    }

    #[test]
    fn sharing_is_told_of_good_secrets_only() {
        let peer = |name: &str, secret: &str| format!("[{name}]\ntype=friend\nhost=dynamic\nsecret={secret}\n");
        let text = [("d", "k3vw9m2xq8tz"), ("a", "z3vw9m2xq8tz"), ("b", "k3vw9m2xq8tz"), ("c", "z3vw9m2xq8tz")]
            .map(|(name, secret)| peer(name, secret))
            .concat();
        let text = text + &peer("e", "password") + &peer("f", "password") + &peer("g", "alone-and-long");
        let config = Config::from_texts(&text, "", "", "").0.unwrap();
        let names: Vec<Vec<&str>> = shared(&config.sip.peers)
            .iter()
            .map(|group| group.iter().map(|peer| peer.name.as_str()).collect())
            .collect();
        assert_eq!(names, [["a", "c"], ["b", "d"]]);
    }
}
