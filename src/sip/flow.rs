//! The transport, the connection and the two addresses of a message (a flow, as RFC 5626 3 calls it).

use super::header::{SentProtocol, Via};
use super::route;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A transport of SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Transport {
    /// The name in lower case, as URIs have it after `transport=`.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// The transport of a name in any case; none for one that is not supported.
    pub fn from_name(name: &str) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// Whether it is reliable, so that nothing is retransmitted (RFC 3261 17).
    pub fn is_reliable(self) -> bool {
        match self {
            Transport::Udp => false,
            Transport::Tcp | Transport::Tls => true,
        }
    }

    /// RFC 3261 19.1.2: 5060, and 5061 for TLS.
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }

    /// The same in a Via.
    pub fn in_via(self) -> SentProtocol {
        match self {
            Transport::Udp => SentProtocol::Udp,
            Transport::Tcp => SentProtocol::Tcp,
            Transport::Tls => SentProtocol::Tls,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        })
    }
}

/// Names a connection for as long as the exchange runs; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The name that a server's certificate must have, as configured; compared without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey(u64);

impl ServerKey {
    /// The key of a name (FNV-1a): connections are made by who has the names, so that a flow need not carry one.
    pub fn of(name: &str) -> ServerKey {
        let bytes = name.bytes().map(|byte| u64::from(byte.to_ascii_lowercase()));
        ServerKey(bytes.fold(0xcbf2_9ce4_8422_2325, |key, byte| (key ^ byte).wrapping_mul(0x0100_0000_01b3)))
    }
}

/// For whom a connection may be opened that a message needs and that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpensFor {
    /// For nobody: the message goes over the connection that is there, or not at all.
    Nobody,
    /// For a stranger who asked from this address: it counts as one of the stranger's own. A response gets none.
    Stranger(IpAddr),
    /// For a configured peer, to where it is registered, asks from, or has its fixed address.
    Peer,
}

/// The path of a message: the transport, the connection, and both addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// The transport.
    pub transport: Transport,
    /// Our own address on this path, with the port we listen on.
    pub local: SocketAddr,
    /// The same as the peer sees it, which differs behind a NAT: the address in Via, Contact and SDP.
    pub advertised: SocketAddr,
    /// The address of the peer.
    pub remote: SocketAddr,
    /// The connection it came over, or has to be sent over; none for UDP, and for a peer that we connect to.
    pub connection: Option<ConnectionId>,
    /// The name in the certificate of a peer that we connect to over TLS; none when the name is not checked.
    pub server: Option<ServerKey>,
    /// Who answers for a connection that has to be opened.
    pub opens_for: OpensFor,
}

impl Flow {
    /// A flow of datagrams, for which no connection may be opened.
    pub fn udp(local: SocketAddr, remote: SocketAddr) -> Flow {
        let (connection, server, opens_for) = (None, None, OpensFor::Nobody);
        Flow { transport: Transport::Udp, local, advertised: local, remote, connection, server, opens_for }
    }

    /// Does it lead to somebody who proved nothing, neither by a secret nor by an address that is configured?
    pub fn is_strangers(self) -> bool {
        matches!(self.opens_for, OpensFor::Stranger(_))
    }

    /// Is it a stranger's whose address may be forged, too? Somebody else may get what is sent there.
    pub fn may_be_forged(self) -> bool {
        self.transport == Transport::Udp && self.is_strangers()
    }

    /// The same for a next hop that is not where the peer itself asks from: whoever chose it answers for the connection.
    pub fn chosen_by(self, chooser: Flow) -> Flow {
        let elsewhere = self.connection.is_none() && self.remote.ip() != chooser.remote.ip();
        let opens_for = match chooser.opens_for {
            OpensFor::Peer if elsewhere && self.transport.is_reliable() => OpensFor::Stranger(chooser.remote.ip()),
            same => same,
        };
        Flow { opens_for, ..self }
    }

    /// The flow of the response to a request that came over this flow with this topmost Via (RFC 3261 18.2.2): over the
    /// same connection, or to [`route::response_target`].
    pub fn answering(self, via: &Via, force_rport: bool) -> Flow {
        match self.transport {
            Transport::Udp => Flow { remote: route::response_target(via, self.remote, force_rport), ..self },
            Transport::Tcp | Transport::Tls => self,
        }
    }

    /// Whether two flows are the same path. Where both have a connection or a server, those have to be the same, too.
    pub fn is_same_flow(self, other: Flow) -> bool {
        let apart = self.connection.zip(other.connection).is_some_and(|(one, two)| one != two)
            || self.server.zip(other.server).is_some_and(|(one, two)| one != two);
        self.transport == other.transport && self.remote == other.remote && !apart
    }

    /// The same path to another address of the peer. A connection has only one, so it does not change.
    pub fn with_remote(self, remote: SocketAddr) -> Flow {
        match self.transport {
            Transport::Udp => Flow { remote, ..self },
            Transport::Tcp | Transport::Tls if self.connection.is_some() => self,
            Transport::Tcp | Transport::Tls => Flow { remote, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_answer_goes_back_over_the_connection_and_by_the_via_over_udp() {
        let via = Via::parse(b"SIP/2.0/TCP 192.0.2.9:5070;branch=z9hG4bK1").unwrap();
        let udp = Flow::udp(at("192.0.2.1:5060"), at("192.0.2.9:40000"));
        assert_eq!(udp.answering(&via, false).remote, at("192.0.2.9:5070"));
        assert_eq!(udp.answering(&via, true), udp);
        let tcp = Flow { transport: Transport::Tcp, connection: Some(ConnectionId(7)), ..udp };
        assert_eq!(tcp.answering(&via, false), tcp);
    }

    #[test]
    fn a_connection_leads_to_one_address_only() {
        let (there, elsewhere) = (at("192.0.2.9:40000"), at("192.0.2.9:5060"));
        let udp = Flow::udp(at("192.0.2.1:5060"), there);
        assert_eq!(udp.with_remote(elsewhere).remote, elsewhere);
        let tcp = Flow { transport: Transport::Tcp, connection: Some(ConnectionId(7)), ..udp };
        assert_eq!(tcp.with_remote(elsewhere), tcp);
        let unconnected = Flow { connection: None, ..tcp };
        assert_eq!(unconnected.with_remote(elsewhere).remote, elsewhere);
        assert!(tcp.is_same_flow(unconnected) && !tcp.is_same_flow(udp));
        assert!(!tcp.is_same_flow(Flow { connection: Some(ConnectionId(8)), ..tcp }));
        let [one, two] = ["One.example", "two.example"].map(|name| Flow { server: Some(ServerKey::of(name)), ..tcp });
        assert!(!one.is_same_flow(two) && one.is_same_flow(tcp) && one.server == Some(ServerKey::of("one.EXAMPLE")));
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(
            ["UDP", "Tcp", "tls", "ws"].map(Transport::from_name),
            [Some(Transport::Udp), Some(Transport::Tcp), Some(Transport::Tls), None]
        );
        assert_eq!((Transport::Tls.to_string().as_str(), Transport::Tls.name()), ("TLS", "tls"));
    }
}
