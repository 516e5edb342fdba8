//! What the kernel writes into /proc (proc(5)), read. A line that is not as expected is left out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A bound UDP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UdpSocket {
    /// Where it is bound.
    pub(super) local: SocketAddr,
    /// Its number, by which the descriptors of its owner name it.
    pub(super) inode: u64,
    /// Packets the kernel dropped because the socket's buffer was full.
    pub(super) drops: u64,
}

/// `/proc/net/udp` and `/proc/net/udp6`.
pub(super) fn udp_sockets(text: &str) -> Vec<UdpSocket> {
    text.lines().filter_map(udp_socket).collect()
}

fn udp_socket(line: &str) -> Option<UdpSocket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    let local = SocketAddr::new(hex_address(address)?, u16::from_str_radix(port, 16).ok()?);
    let inode = fields.get(9)?.parse().ok()?;
    Some(UdpSocket { local, inode, drops: fields.get(12)?.parse().ok()? })
}

/// Words of 32 bits, each printed as the machine's own number, of an address in network order.
fn hex_address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at..at.checked_add(8)?)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let bytes = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into())
        }
        _ => None,
    }
}

/// UDP as the whole machine has seen it since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct UdpCounts {
    /// Datagrams that were delivered.
    pub(super) received: u64,
    /// Those that could not be delivered for other reasons than a missing socket.
    pub(super) errors: u64,
    /// Of those, the ones for which a receive buffer had no room.
    pub(super) no_room: u64,
}

/// `/proc/net/snmp`.
pub(super) fn udp_counts(text: &str) -> Option<UdpCounts> {
    let mut rows = text.lines().filter_map(|line| line.strip_prefix("Udp:"));
    let (names, values) = (rows.next()?, rows.next()?);
    let value = |wanted: &str| {
        let pair = names.split_whitespace().zip(values.split_whitespace()).find(|(name, _)| *name == wanted);
        pair.and_then(|(_, value)| value.parse().ok())
    };
    Some(UdpCounts {
        received: value("InDatagrams")?,
        errors: value("InErrors")?,
        no_room: value("RcvbufErrors").unwrap_or(0),
    })
}

/// A network that an interface is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) interface: String,
    pub(super) address: Ipv4Addr,
    /// Bits of the mask.
    pub(super) prefix: u32,
}

/// `/proc/net/route`: the networks reached without a gateway.
pub(super) fn networks(text: &str) -> Vec<Network> {
    text.lines().filter_map(network).collect()
}

fn network(line: &str) -> Option<Network> {
    let mut fields = line.split_whitespace();
    let interface = fields.next()?.to_owned();
    let mut word = |skip: usize| match hex_address(fields.nth(skip)?)? {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    let (address, gateway, mask) = (word(0)?, word(0)?, word(4)?);
    let is_direct = gateway.is_unspecified() && !mask.is_unspecified();
    is_direct.then(|| Network { interface, address, prefix: mask.to_bits().leading_ones() })
}

/// `/proc/PID/limits`: how many descriptors a process may have open; none when there is no limit.
pub(super) fn open_files(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The scheduling policy in a `stat` of a thread (proc(5), field 41). Its second field, a name in brackets, may hold blanks.
pub(super) fn policy(stat: &str) -> Option<String> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(41 - 3).map(str::to_owned)
}

/// `/proc/sys/net/ipv4/ip_local_port_range`: the ports the system gives to whoever asks for any.
pub(super) fn port_range(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().map(str::parse::<u16>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// What a descriptor of `/proc/PID/fd` points at, when it is a socket: its number.
pub(super) fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const UDP: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
        3056: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 25961 2 0000000000000000 17\n";
    const UDP6: &str = " 3056: B80D0120000000000000000001000000:13C4 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0\n";
    const SNMP: &str = "Ip: Forwarding DefaultTTL\nIp: 1 64\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors\nUdp: 1000 2 34 5 30 0 4\nUdpLite: InDatagrams\nUdpLite: 0\n";
    const ROUTE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
        Max open files            1024                 524288               files     \n";

    #[test]
    fn sockets_of_both_families() {
        let local = "127.0.0.1:5060".parse().unwrap();
        assert_eq!(udp_sockets(UDP), [UdpSocket { local, inode: 25961, drops: 17 }]);
        let local = "[2001:db8::1]:5060".parse().unwrap();
        assert_eq!(udp_sockets(UDP6), [UdpSocket { local, inode: 4711, drops: 0 }]);
    }

    #[test]
    fn counters_are_found_by_name() {
        assert_eq!(udp_counts(SNMP), Some(UdpCounts { received: 1000, errors: 34, no_room: 30 }));
        assert_eq!(udp_counts("Udp: InDatagrams InErrors\nUdp: 1\n"), None);
        assert_eq!(udp_counts(""), None);
    }

    #[test]
    fn networks_without_a_gateway() {
        let net = Network { interface: "eth0".into(), address: Ipv4Addr::new(192, 168, 1, 0), prefix: 24 };
        assert_eq!(networks(ROUTE), [net]);
    }

    #[test]
    fn limits_ranges_and_links() {
        assert_eq!(open_files(LIMITS), Some(1024));
        assert_eq!(open_files("Max open files   unlimited unlimited files"), None);
        assert_eq!(port_range("32768\t60999\n"), Some((32768, 60999)));
        assert_eq!(port_range("1"), None);
        assert_eq!(socket_inode("socket:[25961]"), Some(25961));
        assert_eq!((socket_inode("pipe:[1]"), socket_inode("/dev/null")), (None, None));
    }

    #[test]
    fn what_is_damaged_is_left_out() {
        let mut rng = Rng::from_number(5);
        for text in [UDP, UDP6, SNMP, ROUTE, LIMITS, "32768\t60999\n", "socket:[25961]"] {
            for _ in 0..3000 {
                let mut bytes = text.as_bytes().to_vec();
                for _ in 0..=rng.below(3) {
                    let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
                    match rng.below(3) {
                        0 => bytes.truncate(at.max(1)),
                        1 => bytes[at] = b" \n0F:[\xc3"[usize::try_from(rng.below(7)).unwrap()],
                        _ => drop(bytes.drain(..at.min(bytes.len() - 1))),
                    }
                }
                let text = String::from_utf8_lossy(&bytes);
                let lines = text.lines().count();
                assert!(udp_sockets(&text).len() <= lines && networks(&text).len() <= lines);
                let _ = (udp_counts(&text), open_files(&text), port_range(&text), socket_inode(&text));
            }
        }
    }
}
