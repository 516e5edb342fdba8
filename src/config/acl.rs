//! Address lists: `permit=`, `deny=` and `acl=`.

use super::acl_conf::Lists;
use super::value;
use ipnetwork::IpNetwork;
use std::net::IpAddr;
use std::sync::Arc;

/// An address list. The last rule that matches decides; an address that matches none is allowed. The named lists each
/// decide for themselves, and all must allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// The rules in the order they were written.
    pub rules: Vec<Rule>,
    /// The lists of acl.conf that `acl=` named.
    pub named: Vec<Arc<[Rule]>>,
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
    /// Whether `address` is allowed. An IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) counts as IPv4.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let decides =
            |rules: &[Rule]| rules.iter().rev().find(|rule| rule.net.contains(address)).is_none_or(|rule| rule.permit);
        decides(&self.rules) && self.named.iter().all(|rules| decides(rules))
    }

    /// Whether it is empty, and so allows every address.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.named.is_empty()
    }

    /// Adds the lists of one `acl=` line: names of acl.conf with commas between. What is wrong, when there is no such
    /// list that can be used; nothing is added then.
    pub fn add_named(&mut self, text: &str, lists: &Lists) -> Result<(), String> {
        let mut named = Vec::new();
        for name in text.split(',').map(str::trim) {
            match lists.get(name) {
                Some(Some(rules)) => named.push(Arc::clone(rules)),
                Some(None) => return Err(format!("the list '{name}' of acl.conf has an error")),
                None => return Err(format!("acl.conf has no list '{name}'")),
            }
        }
        self.named.append(&mut named);
        Ok(())
    }

    /// Whether a rule permits `address` by name, which is more than that none forbids it.
    pub fn names(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.rules.iter().rev().find(|rule| rule.net.contains(address)).is_some_and(|rule| rule.permit)
    }

    /// Adds the rules of one `permit=` or `deny=` line: a comma list of `[!]address[/prefix or mask]`, `!` inverting
    /// the rule. Words that are no network and would have permitted one are left out and returned. The word that would
    /// have refused one, when it cannot be read: nothing is added then, since that would let in whom it keeps out.
    pub fn add(&mut self, permit: bool, text: &str) -> Result<Vec<String>, String> {
        let (mut rules, mut left_out) = (Vec::new(), Vec::new());
        for word in value::words(text) {
            let (net, permit) = match word.strip_prefix('!') {
                Some(net) => (net.trim(), !permit),
                None => (word, permit),
            };
            match value::network(net) {
                Some(net) => rules.push(Rule { permit, net }),
                None if permit => left_out.push(word.to_string()),
                None => return Err(word.to_string()),
            }
        }
        self.rules.append(&mut rules);
        Ok(left_out)
    }

    /// Refuses every address, but what a later line permits.
    pub fn refuse_everyone(&mut self) {
        for everyone in ["0.0.0.0/0", "::/0"] {
            self.rules.extend(value::network(everyone).map(|net| Rule { permit: false, net }));
        }
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
    fn networks_are_read_in_every_spelling_and_family() {
        // Host bits are cut off; a mask is a length; `/0` is everybody of that family (AST-2010-003).
        for everybody in ["0.0.0.0/0.0.0.0", "0.0.0.0/0", "10.1.2.3/0"] {
            let acl = acl(&[(false, everybody)]);
            assert!(!allowed(&acl, "255.255.255.255") && !allowed(&acl, "0.0.0.1") && allowed(&acl, "2001:db8::1"));
        }
        let acl =
            acl(&[(false, "0.0.0.0/0, ::/0"), (true, "192.168.1.77/24,2001:db8:1::5/48, !2001:db8:1:2::/64 , ::1")]);
        for (address, is_allowed) in [
            ("192.168.1.1", true),
            ("192.168.2.77", false),
            ("::ffff:192.168.1.9", true),
            ("2001:db8:1::1", true),
            ("2001:db8:1:2::1", false),
            ("2001:db8:2::1", false),
            ("::1", true),
            ("::2", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(allowed(&acl, address), is_allowed, "{address}");
        }
    }

    #[test]
    fn all_named_lists_and_the_own_one_must_allow() {
        let list = |text: &str| Some(Arc::from(acl(&[(false, "0.0.0.0/0"), (true, text)]).rules));
        let lists = Lists::from([
            ("home".to_owned(), list("192.168.0.0/16")),
            ("cellar".to_owned(), list("192.168.7.0/24")),
            ("broken".to_owned(), None),
        ]);
        let mut acl = acl(&[(false, "192.168.7.9")]);
        assert_eq!(acl.add_named("home, cellar", &lists), Ok(()));
        assert!(allowed(&acl, "192.168.7.1"));
        assert!(!allowed(&acl, "192.168.1.1"), "the cellar refuses it");
        assert!(!allowed(&acl, "192.168.7.9"), "its own line refuses it");
        let before = acl.clone();
        for (text, why) in [
            ("home,office", "acl.conf has no list 'office'"),
            ("broken", "the list 'broken' of acl.conf has an error"),
            ("", "acl.conf has no list ''"),
            ("Home", "acl.conf has no list 'Home'"),
        ] {
            assert_eq!(acl.add_named(text, &lists), Err(why.to_owned()));
        }
        assert_eq!(acl, before);
        assert!(!acl.is_empty() && Acl::default().is_empty());
    }

    #[test]
    fn a_bad_word_that_refuses_adds_nothing_and_one_that_permits_is_left_out() {
        let mut acl = Acl::default();
        assert_eq!(acl.add(false, "10.0.0.0/8, 999.1.1.1/33"), Err("999.1.1.1/33".into()));
        assert_eq!(acl.add(true, "10.0.0.0/8, !x"), Err("!x".into()));
        assert_eq!(acl, Acl::default());
        assert_eq!(acl.add(false, "0.0.0.0/0, !home"), Ok(vec!["!home".into()]));
        assert_eq!(acl.add(true, "10.0.0.0/8,, 999.1.1.1/33,"), Ok(vec!["999.1.1.1/33".into()]));
        assert!(allowed(&acl, "10.1.1.1") && !allowed(&acl, "192.0.2.1"));
        acl.refuse_everyone();
        assert!(!allowed(&acl, "10.1.1.1") && !allowed(&acl, "2001:db8::1"));
    }
}
