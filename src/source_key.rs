//! What every table counts by that counts what strangers do: the source, as far as one party can have it to itself.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A source that is counted as one: an IPv4 address, or the /64 of an IPv6 address, since one site has all of that and
/// sends from another address of it every time if it likes. An IPv4 address mapped into IPv6 is the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey(IpAddr);

impl SourceKey {
    /// The source that this address belongs to.
    pub fn of(address: IpAddr) -> SourceKey {
        match address.to_canonical() {
            IpAddr::V6(ip) => SourceKey(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into()),
            v4 @ IpAddr::V4(_) => SourceKey(v4),
        }
    }
}

impl From<IpAddr> for SourceKey {
    fn from(address: IpAddr) -> SourceKey {
        SourceKey::of(address)
    }
}

impl fmt::Display for SourceKey {
    /// `192.0.2.1`, `2001:db8::/64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => write!(f, "{ip}"),
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> SourceKey {
        SourceKey::of(text.parse().unwrap())
    }

    #[test]
    fn one_network_of_ipv6_is_one_source_and_each_ipv4_address_is() {
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(
            (of("192.0.2.1").to_string(), of("2001:db8::5").to_string().as_str()),
            ("192.0.2.1".into(), "2001:db8::/64")
        );
    }
}
