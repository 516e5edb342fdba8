//! Address lists: `permit=` and `deny=`.

use super::value;
use ipnetwork::IpNetwork;
use std::net::IpAddr;

/// An address list. The last rule that matches decides; an address that matches none is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// The rules in the order they were written.
    pub rules: Vec<Rule>,
}

/// One rule of an address list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Whether the network is allowed or refused.
    pub permit: bool,
    /// The network.
    pub net: IpNetwork,
}

impl Acl {
    /// Whether `address` is allowed. An IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`) counts as IPv4.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.rules.iter().rev().find(|rule| rule.net.contains(address)).is_none_or(|rule| rule.permit)
    }

    /// Whether a rule of its own permits `address`: more than that none forbids it.
    pub fn names(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.rules.iter().rev().find(|rule| rule.net.contains(address)).is_some_and(|rule| rule.permit)
    }

    /// Adds the rules of one `permit=` or `deny=` line: a comma list of `[!]address[/prefix or mask]`, `!` turning the
    /// sense around. The offending word when one is no network; nothing is added then.
    pub fn add(&mut self, permit: bool, text: &str) -> Result<(), String> {
        let mut rules = Vec::new();
        for word in text.split(',').map(str::trim) {
            let (net, permit) = match word.strip_prefix('!') {
                Some(net) => (net.trim(), !permit),
                None => (word, permit),
            };
            rules.push(Rule { permit, net: value::network(net).ok_or_else(|| word.to_string())? });
        }
        self.rules.append(&mut rules);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(lines: &[(bool, &str)]) -> Acl {
        let mut acl = Acl::default();
        for (permit, text) in lines {
            acl.add(*permit, text).unwrap();
        }
        acl
    }

    fn allowed(acl: &Acl, address: &str) -> bool {
        acl.allows(address.parse().unwrap())
    }

    #[test]
    fn the_last_rule_that_matches_decides() {
        let acl = acl(&[
            (false, "0.0.0.0/0.0.0.0"),
            (true, "192.168.0.0/255.255.0.0"),
            (false, "192.168.7.0/24,!192.168.7.1"),
        ]);
        assert!(allowed(&acl, "192.168.1.1"));
        assert!(!allowed(&acl, "192.168.7.9"));
        assert!(allowed(&acl, "192.168.7.1"));
        assert!(!allowed(&acl, "10.0.0.1"));
        assert!(allowed(&acl, "::1"), "IPv4 rules say nothing of IPv6");
        assert!(!allowed(&acl, "::ffff:10.0.0.1"), "a mapped address is IPv4");
        assert!(allowed(&Acl::default(), "10.0.0.1"));
    }

    #[test]
    fn a_bad_word_adds_nothing() {
        let mut acl = Acl::default();
        assert_eq!(acl.add(true, "10.0.0.0/8, 999.1.1.1/33"), Err("999.1.1.1/33".into()));
        assert_eq!(acl.add(true, ""), Err(String::new()));
        assert_eq!(acl, Acl::default());
    }
}
