//! The port range: pairs of an even RTP port and the odd RTCP port above it, given out in turn.

use crate::rng::Rng;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

/// Pairs held by other programs that are tried before giving up: each try is two system calls on the thread that also
/// forwards.
const MAX_TRIES: usize = 64;

/// Pairs that are passed over after one that another program holds, in a range with many: such a program (another
/// exchange, a conference server) has taken its own one after the other, and more of them than are tried here.
const STRIDE: usize = 61;

/// The highest priority of packets that needs no privilege (tc-prio(8)).
const INTERACTIVE: i32 = 6;

/// Receive buffer of a socket: a second of packets while the machine is busy. The kernel gives less without privilege.
const RECEIVE_BUFFER: usize = 256 * 1024;

/// Gives out pairs of ports, round and round, so that a port just given back rests longest.
pub(super) struct Ports {
    range: RangeInclusive<u16>,
    first: u16,
    pairs: usize,
    next: usize,
    taken: BTreeSet<u16>,
    dscp: Option<u8>,
}

/// Two bound sockets.
pub(super) struct Pair {
    pub port: u16,
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
}

impl Ports {
    /// Fails when the range holds no pair.
    pub fn new(range: RangeInclusive<u16>, dscp: Option<u8>, rng: &mut Rng) -> io::Result<Ports> {
        let (start, end) = (u32::from(*range.start()), u32::from(*range.end()));
        let first = start + start % 2;
        let pairs = (end + 1).saturating_sub(first) / 2;
        let (Ok(first), Ok(pairs)) = (u16::try_from(first), usize::try_from(pairs)) else {
            return Err(no_pair(&range));
        };
        // Port 0 is no port.
        if pairs == 0 || first == 0 {
            return Err(no_pair(&range));
        }
        let next = usize::try_from(rng.below(pairs as u64)).unwrap_or(0);
        Ok(Ports { range, first, pairs, next, taken: BTreeSet::new(), dscp })
    }

    /// Gives out pairs of another range from now on; a range without a pair is not taken over.
    pub fn change(&mut self, range: RangeInclusive<u16>, dscp: Option<u8>, rng: &mut Rng) {
        if (&range, dscp) == (&self.range, self.dscp) {
            return;
        }
        if let Ok(new) = Ports::new(range, dscp, rng) {
            let taken = std::mem::take(&mut self.taken);
            *self = Ports { taken, ..new };
        }
    }

    /// Binds the next free pair at `local`; the error says why none could be, and what to do.
    pub fn take(&mut self, local: IpAddr) -> Result<Pair, String> {
        let mut foreign = 0usize;
        for _ in 0..self.pairs {
            let port = self.walk();
            if self.taken.contains(&port) {
                continue;
            }
            match self.bind(local, port) {
                Ok(pair) => {
                    self.taken.insert(port);
                    return Ok(pair);
                }
                Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
                    foreign += 1;
                    if foreign >= MAX_TRIES {
                        break;
                    }
                    if self.pairs > 4 * STRIDE {
                        self.next = (self.next + STRIDE) % self.pairs;
                    }
                }
                Err(error) => return Err(open_error(local, &error)),
            }
        }
        Err(format!(
            "no free pair of media ports in {}-{} at {local}: {} pairs carry calls, {foreign} tried are held by other programs; \
             widen rtpstart/rtpend in rtp.conf",
            self.range.start(),
            self.range.end(),
            self.taken.len()
        ))
    }

    /// Is this port one of a pair given out?
    pub fn is_taken(&self, port: u16) -> bool {
        self.taken.contains(&(port & !1))
    }

    /// Takes a pair back; its sockets are closed already.
    pub fn give_back(&mut self, port: u16) {
        self.taken.remove(&port);
    }

    fn walk(&mut self) -> u16 {
        // The offset is below 32,768 pairs, and the last pair ends inside the range.
        let offset = u16::try_from(self.next * 2).unwrap_or(0);
        self.next = (self.next + 1) % self.pairs;
        self.first.saturating_add(offset)
    }

    fn bind(&self, local: IpAddr, port: u16) -> io::Result<Pair> {
        Ok(Pair { port, rtp: self.open(local, port)?, rtcp: self.open(local, port.saturating_add(1))? })
    }

    fn open(&self, local: IpAddr, port: u16) -> io::Result<UdpSocket> {
        let domain = if local.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        if local.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&SocketAddr::new(local, port).into())?;
        // None of what follows is needed for a call to work.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        // What the system notes on a packet: when it came, and how many were dropped before it (`reader.rs`).
        let _ = setsockopt(&socket, sockopt::ReceiveTimestampns, &true);
        let _ = setsockopt(&socket, sockopt::RxqOvfl, &1);
        // Without fragments the kernel chooses no identification, which saves some per cent of a packet's cost.
        // `MediaSocket::send` allows them again when needed.
        let _ = match local {
            IpAddr::V4(_) => set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DO),
            IpAddr::V6(_) => set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::DO),
        };
        if let Some(dscp) = self.dscp {
            let class = u32::from(dscp & 0x3f) << 2;
            let _ = if local.is_ipv4() { socket.set_tos_v4(class) } else { socket.set_tclass_v6(class) };
            // Before other packets in the queue of the network card, too; the class alone would set another (socket(7)).
            let _ = setsockopt(&socket, sockopt::Priority, &INTERACTIVE);
        }
        Ok(socket.into())
    }
}

fn no_pair(range: &RangeInclusive<u16>) -> io::Error {
    let (start, end) = (range.start(), range.end());
    io::Error::new(
        ErrorKind::InvalidInput,
        format!(
            "the media ports {start}-{end} hold no pair of an even port and the next; set rtpstart and rtpend in rtp.conf, such as 10000 and 20000"
        ),
    )
}

fn open_error(local: IpAddr, error: &io::Error) -> String {
    let advice = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => {
            "; each stream takes two sockets: raise the limit of open files (LimitNOFILE= in the unit file, ulimit -n)"
        }
        Some(rustix::io::Errno::ADDRNOTAVAIL) => "; it is not an address of this machine",
        _ => "",
    };
    format!("cannot open media ports at {local}: {error}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_range_without_a_pair_is_refused() {
        let mut rng = Rng::from_number(1);
        for range in [0..=1, 10_001..=10_002, 10_000..=10_000, 65_535..=65_535, RangeInclusive::new(20_000, 10_000)] {
            let error = Ports::new(range.clone(), None, &mut rng).err().unwrap();
            assert!(error.to_string().contains("rtpstart"), "{range:?}");
        }
        assert!(Ports::new(65_534..=65_535, None, &mut rng).is_ok());
    }

    #[test]
    fn the_walk_goes_round_over_even_ports_only() {
        let mut ports = Ports::new(10_001..=10_007, None, &mut Rng::from_number(1)).unwrap();
        let mut seen: Vec<u16> = (0..6).map(|_| ports.walk()).collect();
        assert_eq!(seen[..3], seen[3..]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [10_002, 10_004, 10_006]);
    }

    #[test]
    fn a_pair_held_by_another_program_is_passed_over_and_an_exhausted_range_says_so() {
        let mut ports = Ports::new(24_100..=24_105, Some(46), &mut Rng::from_number(1)).unwrap();
        let foreign = UdpSocket::bind((LOCAL, 24_103)).unwrap();
        let pairs = [ports.take(LOCAL).unwrap(), ports.take(LOCAL).unwrap()];
        let mut taken = pairs.each_ref().map(|pair| pair.port);
        taken.sort_unstable();
        assert_eq!(taken, [24_100, 24_104]);
        let why = ports.take(LOCAL).err().unwrap();
        assert_eq!(
            why,
            "no free pair of media ports in 24100-24105 at 127.0.0.1: 2 pairs carry calls, 1 tried are held by other programs; \
             widen rtpstart/rtpend in rtp.conf"
        );
        drop((foreign, pairs));
        ports.give_back(24_104);
        let again = ports.take(LOCAL).unwrap().port;
        assert!([24_102, 24_104].contains(&again));
    }

    /// A second exchange on the machine has a hundred calls, whose ports begin where ours would.
    #[test]
    fn more_pairs_of_another_program_than_are_tried_leave_the_rest_of_the_range() {
        let mut ports = Ports::new(24_200..=25_999, None, &mut Rng::from_number(1)).unwrap();
        ports.next = 0;
        let foreign: Vec<_> = (0..200).filter_map(|n| UdpSocket::bind((LOCAL, 24_200 + n)).ok()).collect();
        assert!(foreign.len() > 2 * MAX_TRIES);
        assert!(ports.take(LOCAL).is_ok_and(|pair| pair.port >= 24_400));
    }

    #[test]
    fn another_range_is_for_new_pairs_and_one_without_a_pair_for_none() {
        let mut rng = Rng::from_number(1);
        let mut ports = Ports::new(24_120..=24_123, None, &mut rng).unwrap();
        let local = "127.0.0.1".parse().unwrap();
        let old = ports.take(local).unwrap();
        ports.change(24_130..=24_131, Some(46), &mut rng);
        let new = ports.take(local).unwrap();
        assert_eq!(new.port, 24_130);
        ports.change(24_131..=24_131, None, &mut rng);
        assert_eq!(ports.dscp, Some(46), "what cannot be used changes nothing");
        assert!(ports.take(local).is_err());
        ports.change(24_120..=24_123, None, &mut rng);
        assert_ne!(ports.take(local).unwrap().port, old.port, "it is taken still");
        ports.give_back(new.port);
    }

    #[test]
    fn an_address_that_is_not_ours_is_named_in_the_error() {
        let mut ports = Ports::new(24_110..=24_119, None, &mut Rng::from_number(1)).unwrap();
        let why = ports.take("192.0.2.1".parse().unwrap()).err().unwrap();
        assert!(why.ends_with("it is not an address of this machine"), "{why}");
    }
}
