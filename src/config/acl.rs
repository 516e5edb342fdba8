//! Address lists: `permit=` and `deny=`.

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
}
