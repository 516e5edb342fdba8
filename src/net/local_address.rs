//! Which of our addresses a peer sees: what a socket bound to every address must write into Contact and SDP.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How long a looked-up address is trusted: an interface may get another one.
const FRESH: Duration = Duration::from_secs(30);
/// Most peers' addresses remembered.
const MOST: usize = 4096;

/// Our address towards each peer, as the system's routing table has it.
pub struct Routes {
    bound: SocketAddr,
    known: BTreeMap<IpAddr, IpAddr>,
    since: Instant,
}

impl Routes {
    /// For a socket bound to this address.
    pub fn new(bound: SocketAddr) -> Routes {
        Routes { bound, known: BTreeMap::new(), since: Instant::now() }
    }

    /// Our address and port as `peer` sees them.
    pub fn with_remote(&mut self, peer: IpAddr) -> SocketAddr {
        if !self.bound.ip().is_unspecified() {
            return self.bound;
        }
        if self.since.elapsed() > FRESH || self.known.len() >= MOST {
            self.known.clear();
            self.since = Instant::now();
        }
        let ip = *self.known.entry(peer).or_insert_with(|| look_up(peer).unwrap_or(self.bound.ip()));
        SocketAddr::new(ip, self.bound.port())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_peer_sees_our_loopback_address() {
        let mut routes = Routes::new(SocketAddr::from(([0, 0, 0, 0], 5060)));
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(routes.with_remote(peer), SocketAddr::from(([127, 0, 0, 1], 5060)));
    }

    #[test]
    fn a_socket_bound_to_one_address_is_seen_there() {
        let bound = SocketAddr::from(([127, 0, 0, 9], 5062));
        assert_eq!(Routes::new(bound).with_remote(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))), bound);
    }
}
