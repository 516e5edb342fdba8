//! Whose requests are answered.

use ipnetwork::IpNetwork;
use std::net::IpAddr;

/// Networks that are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Option<Vec<IpNetwork>>);

impl Networks {
    /// These; none: the private ones (RFC 1918, 4193, the link's own, 100.64.0.0/10 of carriers) and this machine.
    pub fn new(networks: Option<Vec<IpNetwork>>) -> Networks {
        Networks(networks)
    }

    /// Is this address of one of them?
    pub fn have(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match &self.0 {
            Some(networks) => networks.iter().any(|network| network.contains(address)),
            None => is_private(address),
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_networks_unless_others_are_named() {
        let have = |networks: &Networks, text: &str| networks.have(text.parse().unwrap());
        let usual = Networks::default();
        for one in [
            "192.168.1.2",
            "10.1.2.3",
            "172.31.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(have(&usual, one), "{one}");
        }
        for one in ["203.0.113.1", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:203.0.113.1"] {
            assert!(!have(&usual, one), "{one}");
        }
        let named = Networks::new(Some(vec!["203.0.113.0/24".parse().unwrap()]));
        assert!(have(&named, "203.0.113.9") && !have(&named, "192.168.1.2"));
    }
}
