//! Finds the servers of a host that a `Dial` names and the configuration does not (RFC 3263), as it finds those of peers.

use super::dns::{Families, SystemDns};
use super::look_up;
use crate::config::sip_conf::SipConf;
use crate::daemon::sink::Sink;
use crate::dialplan::elsewhere::address;
use crate::dialplan::{HostQuery, Located};
use crate::names::{HostName, Server};
use crate::net::local_address;
use crate::programs::{Found, Locator};
use crate::rng::Rng;
use crate::sip::flow::Transport;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Asks the DNS of this machine.
#[derive(Clone)]
pub(in crate::daemon) struct DnsLocator {
    dns: Arc<SystemDns>,
    seed: [u8; 32],
    /// `transport=` of `[general]`.
    pinned: Vec<Transport>,
    /// What is on here.
    spoken: Vec<Transport>,
    /// `srvlookup=`.
    by_srv: bool,
}

impl fmt::Debug for DnsLocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsLocator").field("by_srv", &self.by_srv).finish_non_exhaustive()
    }
}

impl DnsLocator {
    /// As this configuration has it. `seed`: chooses among servers of one priority.
    pub(in crate::daemon) fn new(conf: &SipConf, sink: Sink, seed: [u8; 32]) -> DnsLocator {
        let dns = Arc::new(SystemDns::new(Families::of_socket(conf.general.bind.ip()), sink));
        DnsLocator { dns, seed, pinned: Vec::new(), spoken: Vec::new(), by_srv: true }.with(conf)
    }

    /// The same DNS for another configuration.
    pub(in crate::daemon) fn with(&self, conf: &SipConf) -> DnsLocator {
        let general = &conf.general;
        DnsLocator {
            pinned: general.defaults.transports.clone(),
            spoken: general.transports(),
            by_srv: general.srv_lookup,
            ..self.clone()
        }
    }

    /// How a query is asked; a transport that is written is the only one.
    fn name(&self, query: &HostQuery) -> HostName {
        let written = Transport::from_name(&query.transport);
        let pinned = written.map_or(self.pinned.clone(), |one| vec![one]);
        HostName::of_server(&query.host, query.port, &pinned, &self.spoken, self.by_srv)
    }
}

impl Locator for DnsLocator {
    fn locate(&self, query: HostQuery) -> Found {
        let (name, dns, seed) = (self.name(&query), self.dns.clone(), self.seed);
        Box::pin(async move {
            let servers = match address(&query.host) {
                Some(ip) => {
                    let over = name.transport();
                    vec![Server::new(over, SocketAddr::new(ip, query.port.unwrap_or(over.default_port())))]
                }
                None => look_up(dns, name, Rng::from_seed(seed)).await.1?.servers,
            };
            Ok(servers.into_iter().map(located).collect())
        })
    }
}

fn located(server: Server) -> Located {
    let Server { transport, address } = server;
    Located { transport: transport.name(), address, seen: local_address::look_up(address.ip()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::names::Records;
    use std::net::{IpAddr, Ipv4Addr};

    fn locator(general: &str) -> DnsLocator {
        let config = Config::from_texts(&format!("[general]\n{general}"), "", "", "").0.unwrap();
        DnsLocator::new(&config.sip, Arc::new(|_| {}), [1; 32])
    }

    fn query(host: &str, port: Option<u16>, transport: &str) -> HostQuery {
        HostQuery { host: host.into(), port, transport: transport.into() }
    }

    #[test]
    fn a_host_is_asked_for_as_a_peer_of_that_name_would_be() {
        let of = |general: &str, port, transport: &str| {
            let name = locator(general).name(&query("pbx.example", port, transport));
            (name.records, name.transports)
        };
        use Transport::{Tcp, Udp};
        assert_eq!(of("", None, ""), (Records::Naptr, vec![Udp]));
        assert_eq!(of("tcpenable=yes\n", None, ""), (Records::Naptr, vec![Udp, Tcp]));
        assert_eq!(of("tcpenable=yes\n", None, "tcp"), (Records::Srv, vec![Tcp]));
        assert_eq!(of("", Some(5070), "").0, Records::Addresses);
        assert_eq!(of("srvlookup=no\n", None, "").0, Records::Addresses);
    }

    #[test]
    fn an_address_needs_no_look_up_and_loopback_sees_loopback() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(locator("").locate(query("127.0.0.1", None, ""))).unwrap();
        let own = IpAddr::from(Ipv4Addr::LOCALHOST);
        assert_eq!(found, [Located { transport: "udp", address: SocketAddr::new(own, 5060), seen: Some(own) }]);
        assert!(runtime.block_on(locator("").locate(query("no-such-host.invalid", None, ""))).is_err());
    }
}
