//! How SIP is carried, as sip.conf says it: TCP and TLS beside UDP, and the address outside of a NAT.

use super::diagnostic::Place;
use crate::sip::flow::Transport;
use ipnetwork::IpNetwork;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// SIP over connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streams {
    /// `tcpenable` and `tcpbindaddr`: where TCP is accepted; none: nowhere.
    pub tcp: Option<SocketAddr>,
    /// `tlsenable` and what belongs to it; none: TLS is not spoken.
    pub tls: Option<Tls>,
    /// `tcpauthtimeout`: how long a connection may stay unauthenticated.
    pub auth_timeout: Duration,
    /// `tcpauthlimit`: maximum number of unauthenticated connections.
    pub auth_limit: usize,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams { tcp: None, tls: None, auth_timeout: Duration::from_secs(30), auth_limit: 100 }
    }
}

/// SIP over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `tlsbindaddr`: where it is accepted.
    pub bind: SocketAddr,
    /// `tlscertfile`: the certificate with its chain, and the key when `key` is none (PEM).
    pub certificate: PathBuf,
    /// `tlsprivatekey`: the key, when it has a file of its own (PEM).
    pub key: Option<PathBuf>,
    /// `tlscafile`: whose certificates the servers we connect to must show (PEM); none: the system's list.
    pub authorities: Option<PathBuf>,
    /// `tlsdontverifyserver` is not set: a server we connect to must show a certificate we trust.
    pub verify_server: bool,
    /// Where `tlscertfile` stands.
    pub place: Place,
    /// Where `tlsprivatekey` stands, or what is said instead of it.
    pub key_place: Place,
    /// The same of `tlscafile`.
    pub authorities_place: Place,
}

/// Our address as seen from outside of a NAT between the exchange and some of its peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// `externaddr`: the address outside, with its port if it is another there.
    pub address: Option<(IpAddr, Option<u16>)>,
    /// `externhost`: its name, instead of the address; with its port.
    pub host: Option<(String, Option<u16>)>,
    /// `stunaddr`: the STUN server that is asked for the address outside, when neither is written.
    pub stun: Option<(String, u16)>,
    /// `externrefresh`: how often the name is looked up.
    pub refresh: Duration,
    /// `localnet`: networks on our side of the translator; empty: nothing is translated.
    pub local_nets: Vec<IpNetwork>,
    /// `externtcpport`: the port outside for TCP.
    pub tcp_port: Option<u16>,
    /// `externtlsport`: the port outside for TLS.
    pub tls_port: Option<u16>,
    /// `matchexternaddrlocally`: only when our own address is in `localnet`, too.
    pub match_locally: bool,
}

impl Default for External {
    fn default() -> External {
        External {
            address: None,
            host: None,
            stun: None,
            refresh: Duration::from_secs(10),
            local_nets: Vec::new(),
            tcp_port: None,
            tls_port: None,
            match_locally: false,
        }
    }
}

impl External {
    /// Whether any of the three says the address outside.
    pub fn is_named(&self) -> bool {
        self.address.is_some() || self.host.is_some() || self.stun.is_some()
    }

    /// The address to advertise to `remote` for our address `local`. `found`: what `externhost` last resolved to; `seen`:
    /// where the STUN server saw SIP over UDP come from.
    pub fn advertised_address(
        &self,
        transport: Transport,
        local: SocketAddr,
        remote: IpAddr,
        (found, seen): (Option<IpAddr>, Option<SocketAddr>),
    ) -> SocketAddr {
        let named = self.host.as_ref().and_then(|(_, port)| Some((found?, *port)));
        let asked = seen.filter(|_| self.stun.is_some() && self.host.is_none()).map(|at| (at.ip(), Some(at.port())));
        let Some((outside, port)) = self.address.or(named).or(asked) else { return local };
        let is_local = |ip: IpAddr| self.local_nets.iter().any(|net| net.contains(ip.to_canonical()));
        let is_ours = remote.is_loopback()
            || self.local_nets.is_empty()
            || is_local(remote)
            || (self.match_locally && !is_local(local.ip()))
            || outside.is_ipv4() != local.is_ipv4();
        if is_ours {
            return local;
        }
        let port = match transport {
            Transport::Udp => port,
            Transport::Tcp => self.tcp_port,
            Transport::Tls => self.tls_port,
        };
        SocketAddr::new(outside, port.unwrap_or(local.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advertised(external: &External, remote: &str, found: Option<&str>) -> String {
        let local = "192.168.1.2:5060".parse().unwrap();
        let found = found.map(|ip| ip.parse().unwrap());
        external.advertised_address(Transport::Udp, local, remote.parse().unwrap(), (found, None)).to_string()
    }

    #[test]
    fn the_address_outside_is_advertised_only_outside() {
        let outside = Some(("203.0.113.7".parse().unwrap(), Some(5070)));
        let nets = vec!["192.168.0.0/16".parse().unwrap()];
        let external = External { address: outside, local_nets: nets, ..External::default() };
        assert_eq!(advertised(&external, "198.51.100.1", None), "203.0.113.7:5070");
        assert_eq!(advertised(&external, "192.168.77.1", None), "192.168.1.2:5060");
        assert_eq!(advertised(&external, "127.0.0.1", None), "192.168.1.2:5060");
        let without = External { local_nets: Vec::new(), ..external.clone() };
        assert_eq!(advertised(&without, "198.51.100.1", None), "192.168.1.2:5060", "as chan_sip without localnet");
        let tls = external.advertised_address(
            Transport::Tls,
            "192.168.1.2:5061".parse().unwrap(),
            "198.51.100.1".parse().unwrap(),
            (None, None),
        );
        assert_eq!(tls.to_string(), "203.0.113.7:5061");
    }

    #[test]
    fn what_a_stun_server_saw_counts_where_nothing_else_is_written() {
        let nets = vec!["192.168.0.0/16".parse().unwrap()];
        let stun = Some(("stun.example".to_owned(), 3478));
        let external = External { stun, local_nets: nets, ..External::default() };
        let of = |external: &External, transport: Transport, remote: &str, seen: Option<&str>| {
            let (local, seen) = ("192.168.1.2:5060".parse().unwrap(), seen.map(|at| at.parse().unwrap()));
            external.advertised_address(transport, local, remote.parse().unwrap(), (None, seen)).to_string()
        };
        let seen = Some("203.0.113.9:41000");
        assert_eq!(of(&external, Transport::Udp, "198.51.100.1", seen), "203.0.113.9:41000");
        assert_eq!(of(&external, Transport::Tcp, "198.51.100.1", seen), "203.0.113.9:5060", "it saw UDP alone");
        assert_eq!(of(&external, Transport::Udp, "192.168.7.7", seen), "192.168.1.2:5060");
        assert_eq!(of(&external, Transport::Udp, "198.51.100.1", None), "192.168.1.2:5060");
        let written = External { address: Some(("203.0.113.7".parse().unwrap(), None)), ..external.clone() };
        assert_eq!(of(&written, Transport::Udp, "198.51.100.1", seen), "203.0.113.7:5060");
    }

    #[test]
    fn a_name_counts_once_it_is_found() {
        let nets = vec!["192.168.0.0/16".parse().unwrap()];
        let external = External { host: Some(("home.example".into(), None)), local_nets: nets, ..External::default() };
        assert_eq!(advertised(&external, "198.51.100.1", None), "192.168.1.2:5060");
        assert_eq!(advertised(&external, "198.51.100.1", Some("203.0.113.9")), "203.0.113.9:5060");
    }
}
