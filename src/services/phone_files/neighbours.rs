//! The hardware addresses of those on this machine's own networks: its table of neighbours (ARP). There is none of IPv6 that can be
//! read without more rights than the exchange has.

use crate::provision::Mac;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// The table.
const TABLE: &str = "/proc/self/net/arp";
/// The port of the discard protocol (RFC 863): what is sent there has the system look for the neighbour, and nothing else.
const DISCARD: u16 = 9;
/// How often the table is looked at again, and after which time each.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);
/// An entry whose address was learned (`ATF_COM` of the kernel).
const COMPLETE: u32 = 0x2;

/// Reads the table.
#[derive(Debug)]
pub(super) struct Neighbours;

impl Neighbours {
    /// The hardware address of a neighbour, as far as the table has it now.
    pub(super) fn mac_of(&self, address: IpAddr) -> Option<Mac> {
        let IpAddr::V4(address) = address else { return None };
        entry(&std::fs::read_to_string(TABLE).ok()?, address)
    }

    /// The same, after the system was made to ask for it. Takes a fifth of a second when there is none.
    pub(super) async fn look_for(&self, address: IpAddr) -> Option<Mac> {
        let IpAddr::V4(v4) = address else { return None };
        if v4.is_loopback() {
            return None;
        }
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.set_nonblocking(true).ok()?;
        // A datagram without content. Whatever becomes of it, the table says.
        let _ = socket.send_to(&[], SocketAddr::new(address, DISCARD));
        for _ in 0..LOOKS {
            tokio::time::sleep(PAUSE).await;
            if let Some(mac) = self.mac_of(address) {
                return Some(mac);
            }
        }
        None
    }
}

/// The entry of an address: `192.168.1.20  0x1  0x2  00:14:a9:bc:00:01  *  eth0`.
fn entry(table: &str, address: Ipv4Addr) -> Option<Mac> {
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_it = words.next()?.parse() == Ok(address);
        let flags = words.nth(1)?.strip_prefix("0x")?;
        let flags = u32::from_str_radix(flags, 16).ok()?;
        if is_it && flags & COMPLETE != 0 { Mac::parse(words.next()?) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_counts_when_its_address_was_learned() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
            192.168.1.20     0x1         0x2         00:14:a9:bc:00:01     *        eth0\n\
            192.168.1.21     0x1         0x0         00:00:00:00:00:00     *        eth0\n\
            192.168.1.22     0x1         0x6         00:14:a9:bc:00:02     *        eth0\nrubbish\n";
        let found = |last| entry(table, Ipv4Addr::new(192, 168, 1, last)).map(Mac::lower);
        assert_eq!(found(20).as_deref(), Some("0014a9bc0001"));
        assert_eq!(found(21), None);
        assert_eq!(found(22).as_deref(), Some("0014a9bc0002"));
        assert_eq!(found(2), None);
        assert_eq!(entry("", Ipv4Addr::LOCALHOST), None);
    }
}
