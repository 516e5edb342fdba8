//! Host names and the servers they lead to (RFC 3263): what is asked of the DNS, in which order, and what comes of it, as
//! values. Who asks is elsewhere.

pub mod lookup;
mod srv;

use crate::sip::Flow;
use crate::sip::flow::Transport;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

pub use srv::{Naptr, Srv};

/// Maximum number of servers that one name leads to; whoever answers for the name chooses how many it lists.
pub const MAX_SERVERS: usize = 16;

/// Is it the address of no single device: none at all, all of them, or those of a group?
pub fn is_nobody(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    ip.is_unspecified() || ip.is_multicast() || broadcast
}

/// One place where a request can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Over what.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

impl Server {
    /// A server.
    pub fn new(transport: Transport, address: SocketAddr) -> Server {
        Server { transport, address }
    }

    /// The far end of a flow.
    pub fn of(flow: Flow) -> Server {
        Server::new(flow.transport, flow.remote)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Udp => write!(f, "{}", self.address),
            Transport::Tcp | Transport::Tls => write!(f, "{} ({})", self.address, self.transport),
        }
    }
}

/// Which records lead from a name to its servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Records {
    /// A and AAAA alone: a port is written, or `srvlookup=no`.
    Addresses,
    /// SRV of the first transport that has any, else A and AAAA: `transport=` says how it is to be reached.
    Srv,
    /// NAPTR says which transports there are, and where (RFC 3263 4.1).
    Naptr,
}

/// A host name of the configuration, and how it is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostName {
    /// The name, in lower case.
    pub name: String,
    /// The port that is written with it.
    pub port: Option<u16>,
    /// What may be spoken with it, the preferred first; never empty.
    pub transports: Vec<Transport>,
    /// By which records.
    pub records: Records,
}

impl HostName {
    /// A name of which only the addresses are wanted.
    pub fn of_addresses(name: &str) -> HostName {
        HostName { name: name.into(), port: None, transports: vec![Transport::Udp], records: Records::Addresses }
    }

    /// A name that is asked of NAPTR, SRV, A and AAAA as RFC 3263 has it: `port`, the port that is written; `pinned`,
    /// what `transport=` lists; `spoken`, the transports that are on here; `by_srv`, `srvlookup=`.
    pub fn of_server(
        name: &str,
        port: Option<u16>,
        pinned: &[Transport],
        spoken: &[Transport],
        by_srv: bool,
    ) -> HostName {
        let wanted = if pinned.is_empty() { spoken } else { pinned };
        let mut transports: Vec<Transport> = wanted.iter().copied().filter(|one| spoken.contains(one)).collect();
        if transports.is_empty() {
            transports.push(wanted.first().copied().unwrap_or(Transport::Udp));
        }
        let records = match (port, by_srv, pinned.len()) {
            (Some(_), _, _) | (None, false, _) => Records::Addresses,
            (None, true, 1) => Records::Srv,
            (None, true, _) => Records::Naptr,
        };
        HostName { name: name.into(), port, transports, records }
    }

    /// What is spoken with it when no record says otherwise (RFC 3263 4.1: the first that is wanted).
    pub fn transport(&self) -> Transport {
        self.transports.first().copied().unwrap_or(Transport::Udp)
    }

    /// The server at one of its addresses, where no SRV record says a port.
    fn server_at(&self, ip: IpAddr) -> Server {
        let transport = self.transport();
        Server::new(transport, SocketAddr::new(ip, self.port.unwrap_or(transport.default_port())))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The servers that host names last led to, those to try first first; and where a STUN server last saw us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    found: BTreeMap<HostName, Vec<Server>>,
    outside: Option<SocketAddr>,
}

impl Names {
    /// No name is known yet.
    pub fn new() -> Names {
        Names::default()
    }

    /// The servers of a name; none when it was not found yet.
    pub fn servers(&self, host: &HostName) -> &[Server] {
        self.found.get(host).map_or(&[], Vec::as_slice)
    }

    /// The first address of a name of which only addresses are wanted.
    pub fn address(&self, name: &str) -> Option<IpAddr> {
        self.servers(&HostName::of_addresses(name)).first().map(|server| server.address.ip())
    }

    /// A name leads there now. Says whether that is news.
    pub fn set(&mut self, host: &HostName, servers: Vec<Server>) -> bool {
        self.found.insert(host.clone(), servers.clone()).is_none_or(|before| before != servers)
    }

    /// Our address outside of a NAT, as a STUN server told it.
    pub fn outside(&self) -> Option<SocketAddr> {
        self.outside
    }

    /// The same names with another address outside.
    pub fn with_outside(&self, outside: Option<SocketAddr>) -> Names {
        Names { outside, ..self.clone() }
    }

    /// Keeps those names alone.
    pub fn retain(&mut self, keep: impl Fn(&HostName) -> bool) {
        self.found.retain(|host, _| keep(host));
    }

    /// The names that were found.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.found.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_or_srvlookup_no_asks_for_addresses_alone_and_one_transport_for_no_naptr() {
        use Transport::{Tcp, Tls, Udp};
        let host = |port, pinned: &[Transport], spoken: &[Transport], by_srv| {
            let host = HostName::of_server("p.example", port, pinned, spoken, by_srv);
            (host.records, host.transports)
        };
        let all = [Udp, Tcp, Tls];
        assert_eq!(host(Some(5070), &[], &all, true).0, Records::Addresses);
        assert_eq!(host(None, &[], &all, false).0, Records::Addresses);
        assert_eq!(host(None, &[], &[Udp], true), (Records::Naptr, vec![Udp]));
        assert_eq!(host(None, &[Tcp], &all, true), (Records::Srv, vec![Tcp]));
        assert_eq!(host(None, &[Tcp, Udp], &[Udp, Tcp], true), (Records::Naptr, vec![Tcp, Udp]));
        assert_eq!(host(None, &[Tls, Udp], &[Udp], true).1, [Udp], "what is off is not looked for");
        assert_eq!(host(None, &[Tls], &[Udp], true).1, [Tls], "and nothing goes in the clear instead");
    }
}
