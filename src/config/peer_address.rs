//! Where a peer is: its fixed address or host name (`host=`), and the proxy before it (`outboundproxy=`).

use crate::names::{HostName, Names, Server};
use crate::sip::flow::{ServerKey, Transport};
use std::net::SocketAddr;

/// `host=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerAddress {
    /// `dynamic`: its address comes from REGISTER.
    Dynamic,
    /// Always here.
    Static(SocketAddr),
    /// The servers that a host name leads to, which is looked up in the background from time to time.
    Named(HostName),
    /// Missing, or it could not be read: it does not register, is called at `defaultip` alone, and calls when it proves
    /// its name.
    Unset,
}

/// `outboundproxy=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundProxy {
    /// Where it is: a fixed address or a host name.
    pub address: PeerAddress,
    /// What is written before the address.
    pub transport: Option<Transport>,
    /// `force`: requests within a call go by it, too, whatever route the other side names.
    pub force: bool,
    /// `[general]` says it, not the peer's own section.
    pub is_preset: bool,
}

impl OutboundProxy {
    /// What is spoken with it when its name does not say.
    pub fn transport(&self) -> Transport {
        self.transport.unwrap_or(Transport::Udp)
    }

    /// It as the first hop of a request (RFC 3261 20.34).
    pub fn route(&self) -> String {
        let host = match &self.address {
            PeerAddress::Static(address) => address.to_string(),
            PeerAddress::Named(host) => host.to_string(),
            PeerAddress::Dynamic | PeerAddress::Unset => String::new(),
        };
        match self.transport.filter(|transport| *transport != Transport::Udp) {
            Some(transport) => format!("<sip:{host};transport={};lr>", transport.name()),
            None => format!("<sip:{host};lr>"),
        }
    }
}

impl PeerAddress {
    /// The servers it leads to, those with a fixed address over this transport.
    pub fn servers(&self, transport: Transport, names: &Names) -> Vec<Server> {
        match self {
            PeerAddress::Dynamic | PeerAddress::Unset => Vec::new(),
            PeerAddress::Static(address) => vec![Server::new(transport, *address)],
            PeerAddress::Named(host) => names.servers(host).to_vec(),
        }
    }

    /// The places it leads to, as far as they are known, those to try first first.
    pub fn addresses<'a>(&'a self, names: &'a Names) -> impl Iterator<Item = SocketAddr> + 'a {
        let (fixed, named) = match self {
            PeerAddress::Dynamic | PeerAddress::Unset => (None, &[][..]),
            PeerAddress::Static(address) => (Some(*address), &[][..]),
            PeerAddress::Named(host) => (None, names.servers(host)),
        };
        fixed.into_iter().chain(named.iter().map(|server| server.address))
    }

    /// The name to look up, if it is one.
    pub fn host_name(&self) -> Option<&HostName> {
        match self {
            PeerAddress::Named(host) => Some(host),
            PeerAddress::Dynamic | PeerAddress::Static(_) | PeerAddress::Unset => None,
        }
    }

    /// The first of them.
    pub fn address(&self, names: &Names) -> Option<SocketAddr> {
        self.addresses(names).next()
    }

    /// Whether it names a place, known yet or not.
    pub fn is_fixed(&self) -> bool {
        match self {
            PeerAddress::Static(_) | PeerAddress::Named(_) => true,
            PeerAddress::Dynamic | PeerAddress::Unset => false,
        }
    }

    /// The name its certificate must have when we connect to it over TLS.
    pub fn server(&self) -> Option<ServerKey> {
        match self {
            PeerAddress::Dynamic | PeerAddress::Static(_) | PeerAddress::Unset => None,
            PeerAddress::Named(host) => Some(ServerKey::of(&host.name)),
        }
    }
}
