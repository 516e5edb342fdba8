//! The addresses of this machine: which one a peer sees, what a socket bound to every address must write into Contact
//! and SDP, and which all of them are.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::{fs, io};

/// The kernel's table of IPv4 routes, in which each address of the machine has one of its own.
const IPV4: &str = "/proc/self/net/fib_trie";
/// The IPv6 addresses of the machine; not there when it has no IPv6.
const IPV6: &str = "/proc/self/net/if_inet6";

/// The address the system would send from: a connected UDP socket knows it, and nothing is sent.
pub fn look_up(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(peer, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// All addresses of this machine. Read from the files of the kernel: asking it by a netlink socket, as getifaddrs(3)
/// does, is forbidden to a service that may use only the address families it needs.
///
/// # Errors
/// The file with the IPv4 addresses cannot be read.
pub fn all() -> io::Result<BTreeSet<IpAddr>> {
    let ipv4 = fs::read_to_string(IPV4).map_err(|error| io::Error::new(error.kind(), format!("{IPV4}: {error}")))?;
    Ok(read(&ipv4, &fs::read_to_string(IPV6).unwrap_or_default()))
}

fn read(fib_trie: &str, if_inet6: &str) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::new();
    let mut leaf: Option<IpAddr> = None;
    for line in fib_trie.lines().map(str::trim_start) {
        match line.strip_prefix("|-- ") {
            Some(address) => leaf = address.trim_end().parse().ok(),
            None if line.starts_with("/32 host LOCAL") => found.extend(leaf),
            None => {}
        }
    }
    let sixes = if_inet6.lines().filter_map(|line| line.split_whitespace().next());
    let sixes = sixes.filter(|digits| digits.len() == 32).filter_map(|digits| u128::from_str_radix(digits, 16).ok());
    found.extend(sixes.map(|bits| IpAddr::from(Ipv6Addr::from_bits(bits))));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_peer_sees_our_loopback_address() {
        assert_eq!(look_up(Ipv4Addr::LOCALHOST.into()), Some(Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn the_addresses_of_this_machine_are_among_all_of_them() {
        let all = all().unwrap();
        assert!(all.contains(&Ipv4Addr::LOCALHOST.into()), "{all:?}");
        for address in all.iter().filter(|ip| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())) {
            assert!(UdpSocket::bind(SocketAddr::new(*address, 0)).is_ok(), "{address}");
        }
    }

    #[test]
    fn networks_routes_and_broadcast_addresses_are_none_of_ours() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n\
                    \x20    |-- 127.0.0.0\n        /8 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n\
                    \x20    |-- 192.168.1.0\n        /24 link UNICAST\n     |-- 192.168.1.2\n        /32 link BROADCAST\n\
                    \x20       /32 host LOCAL\n     |-- 192.168.1.255\n        /32 link BROADCAST\nLocal:\n";
        let inet6 = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\nfd000000000000000000000000000002 04 40 00 82 x\n\
                     nonsense\n";
        let ours = ["127.0.0.1", "192.168.1.2", "fd00::2", "fe80::fc:ff:fe00:1"].map(|ip| ip.parse().unwrap());
        assert_eq!(read(trie, inet6), BTreeSet::from(ours));
        assert_eq!(read("", ""), BTreeSet::new());
    }
}
