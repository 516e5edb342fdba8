//! The next hop of a request: its transport, its address, and which of our addresses it is sent from (RFC 3261 8.1.2
//! and 18.1.1, RFC 3263 4.1).

use crate::config::peer::Settings;
use crate::guard::admission::Admission;
use crate::sip::flow::{OpensFor, Transport};
use crate::sip::uri::SipUri;
use crate::sip::{Flow, Uri};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where SIP is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// UDP.
    pub udp: SocketAddr,
    /// TCP; `None` when it is off.
    pub tcp: Option<SocketAddr>,
    /// TLS; `None` when it is off.
    pub tls: Option<SocketAddr>,
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SIP over UDP)", self.udp)?;
        for (name, address) in [("TCP", self.tcp), ("TLS", self.tls)] {
            if let Some(address) = address {
                write!(f, ", {address} ({name})")?;
            }
        }
        Ok(())
    }
}

impl Listening {
    /// UDP alone.
    pub fn udp(address: SocketAddr) -> Listening {
        Listening { udp: address, tcp: None, tls: None }
    }

    /// Where a transport is received; for one that is off, its default port.
    pub fn of(&self, transport: Transport) -> SocketAddr {
        let usual = SocketAddr::new(self.udp.ip(), transport.default_port());
        match transport {
            Transport::Udp => self.udp,
            Transport::Tcp => self.tcp.unwrap_or(usual),
            Transport::Tls => self.tls.unwrap_or(usual),
        }
    }

    /// Whether the transport is on.
    pub fn has(&self, transport: Transport) -> bool {
        match transport {
            Transport::Udp => true,
            Transport::Tcp => self.tcp.is_some(),
            Transport::Tls => self.tls.is_some(),
        }
    }
}

/// Chooses the flow of requests.
#[derive(Debug, Clone)]
pub struct Routing {
    /// Where SIP is received.
    pub listening: Listening,
    /// For our advertised addresses.
    pub admission: Arc<Admission>,
    /// All addresses of this machine, as far as they are known.
    pub own: Arc<BTreeSet<IpAddr>>,
}

impl Routing {
    /// Without knowing the addresses of this machine.
    pub fn new(listening: Listening, admission: Arc<Admission>) -> Routing {
        Routing { listening, admission, own: Arc::default() }
    }

    /// Whether SIP is received there: at our end of this flow or, where we listen at every address, at another address of
    /// this machine.
    pub fn is_own_socket(&self, at: SocketAddr, flow: Flow) -> bool {
        let at = SocketAddr::new(at.ip().to_canonical(), at.port());
        let is_own = || at.ip().is_loopback() || self.own.contains(&at.ip());
        let received = [Some(self.listening.udp), self.listening.tcp, self.listening.tls];
        let is_there = |bound: SocketAddr| match bound.ip().is_unspecified() {
            true => bound.port() == at.port() && is_own(),
            false => bound == at,
        };
        at == flow.local || at == flow.advertised || received.into_iter().flatten().any(is_there)
    }

    /// The flow to an address of a peer over a transport, from `seen`, our address towards it; without a connection.
    pub fn over(&self, transport: Transport, seen: IpAddr, remote: SocketAddr) -> Flow {
        let bound = self.listening.of(transport);
        let ip = if bound.ip().is_unspecified() { seen } else { bound.ip() };
        let local = SocketAddr::new(ip, bound.port());
        let advertised = self.admission.advertised_address(transport, local, remote.ip());
        Flow { transport, advertised, opens_for: OpensFor::Peer, ..Flow::udp(local, remote) }
    }

    /// Why a transport may not be used with a peer; `None` when it may.
    pub fn closed_to(&self, transport: Transport, settings: &Settings) -> Option<&'static str> {
        if !self.listening.has(transport) {
            return Some("it is off here (tcpenable=, tlsenable=)");
        }
        (!settings.may_use(transport)).then_some("transport= of the peer leaves it out")
    }

    /// The flow to `next`, a proxy or a Contact, for a peer whose messages come over `flow`. It uses the transport of
    /// the URI (`sips:`, `transport=`), if that is on and permitted by `transport=` of the peer; but a connection of
    /// the peer is used whatever its URI says, and so is the way to an `outboundproxy` with `force`. `None` for a host name, an address that is not allowed, or TLS that is
    /// not available.
    pub fn to(&self, next: &Uri, flow: Flow, settings: &Settings) -> Option<Flow> {
        if settings.outbound_proxy.as_ref().is_some_and(|proxy| proxy.force) {
            return Some(flow);
        }
        let uri = next.sip()?;
        let may_follow = |next: &SocketAddr| may_follow(*next, flow) && !self.is_own_socket(*next, flow);
        let remote = uri.address().filter(may_follow)?;
        let asked = uri.transport().filter(|asked| *asked != flow.transport);
        let is_open = |asked: Transport| self.closed_to(asked, settings).is_none();
        let found = match asked {
            Some(asked) if flow.connection.is_none() || uri.secure => match is_open(asked) {
                true => Flow { server: flow.server, ..self.over(asked, flow.local.ip(), remote) },
                false if uri.secure => return None,
                false => flow.with_remote(remote),
            },
            Some(_) | None => flow.with_remote(remote),
        };
        (remote != found.local && remote != found.advertised).then(|| found.chosen_by(flow))
    }

    /// The same; `flow` itself when there is no such flow.
    pub fn follow(&self, next: &Uri, flow: Flow, settings: &Settings) -> Flow {
        self.to(next, flow, settings).unwrap_or(flow)
    }
}

/// Whether requests may be sent to `next`, for a peer whose messages come over `flow`. Not to an unspecified, multicast
/// or broadcast address; and not to a private address when the peer has a public one: that is a
/// phone behind a NAT it does not know of.
fn may_follow(next: SocketAddr, flow: Flow) -> bool {
    let (ip, source) = (next.ip().to_canonical(), flow.remote.ip().to_canonical());
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    ip.is_ipv4() == source.is_ipv4()
        && !ip.is_unspecified()
        && !ip.is_multicast()
        && !broadcast
        && ip.is_loopback() == source.is_loopback()
        && (!is_private(ip) || is_private(source))
}

/// Whether it is an address that is only good within a network (RFC 1918, RFC 3927, RFC 6598, RFC 4193).
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || matches!(v4.octets(), [100, 64..=127, ..]),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The URI of the remote end of a flow, with its transport; `secure` makes it `sips:`. `user` is escaped already.
pub fn target_uri(user: Option<&str>, flow: Flow, secure: bool) -> String {
    let mut uri = SipUri::new(None, flow.remote.ip().into(), Some(flow.remote.port()));
    uri.user = user.map(Into::into);
    uri.secure = secure;
    if !secure && flow.transport != Transport::Udp {
        uri.params.set("transport", Some(flow.transport.name()));
    }
    uri.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::sip::digest::nonce::NonceKey;
    use crate::sip::flow::ConnectionId;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// The routing of an exchange with these transports besides UDP.
    fn routing(tcp: bool, tls: bool) -> Routing {
        let config = Config::from_texts("", "", "", "").0.unwrap();
        let listening = Listening {
            udp: at("192.0.2.1:5060"),
            tcp: tcp.then(|| at("0.0.0.0:5070")),
            tls: tls.then(|| at("192.0.2.2:5061")),
        };
        Routing::new(listening, Arc::new(Admission::new(&config.sip, NonceKey::new([0; 32], 1))))
    }

    fn udp() -> Flow {
        Flow::udp(at("192.0.2.1:5060"), at("192.0.2.9:40000"))
    }

    fn to(routing: &Routing, uri: &str, flow: Flow, transports: &[Transport]) -> Option<String> {
        let settings = Settings { transports: transports.to_vec(), ..Settings::default() };
        let flow = routing.to(&uri.parse().unwrap(), flow, &settings)?;
        Some(format!("{} {} from {}", flow.transport, flow.remote, flow.local))
    }

    #[test]
    fn a_uri_is_followed_over_what_it_asks_for() {
        let all = routing(true, true);
        let of = |uri: &str| to(&all, uri, udp(), &[]).unwrap_or_default();
        assert_eq!(of("sip:a@192.0.2.9"), "UDP 192.0.2.9:5060 from 192.0.2.1:5060");
        assert_eq!(of("sip:a@192.0.2.9;transport=TCP"), "TCP 192.0.2.9:5060 from 192.0.2.1:5070");
        assert_eq!(of("sip:a@192.0.2.9;transport=tls"), "TLS 192.0.2.9:5061 from 192.0.2.2:5061");
        assert_eq!(of("sips:a@192.0.2.9"), "TLS 192.0.2.9:5061 from 192.0.2.2:5061");
        assert_eq!(of("sips:a@192.0.2.9:7000;transport=tcp"), "TLS 192.0.2.9:7000 from 192.0.2.2:5061");
        assert_eq!(of("sip:a@192.0.2.9;transport=sctp"), "UDP 192.0.2.9:5060 from 192.0.2.1:5060");
        assert_eq!(of("sip:a@phone.example;transport=tcp"), "");
        assert_eq!(of("sip:a@192.0.2.1:5070;transport=tcp"), "", "that is the exchange itself");
    }

    #[test]
    fn what_is_off_or_left_out_is_not_used_and_sips_not_replaced() {
        let tcp = Some("UDP 192.0.2.9:5060 from 192.0.2.1:5060".to_owned());
        assert_eq!(to(&routing(false, false), "sip:a@192.0.2.9;transport=tcp", udp(), &[]), tcp);
        assert_eq!(to(&routing(true, true), "sip:a@192.0.2.9;transport=tcp", udp(), &[Transport::Udp]), tcp);
        assert_eq!(to(&routing(true, false), "sips:a@192.0.2.9", udp(), &[]), None);
        assert_eq!(to(&routing(true, true), "sips:a@192.0.2.9", udp(), &[Transport::Udp, Transport::Tcp]), None);
    }

    #[test]
    fn the_connection_of_a_peer_is_kept() {
        let flow = Flow { transport: Transport::Tcp, connection: Some(ConnectionId(7)), ..udp() };
        let all = routing(true, true);
        for uri in ["sip:a@192.0.2.9", "sip:a@192.0.2.9;transport=udp", "sip:a@192.0.2.9;transport=tls"] {
            assert_eq!(all.to(&uri.parse().unwrap(), flow, &Settings::default()), Some(flow), "{uri}");
        }
        let gone = Flow { connection: None, ..flow };
        assert_eq!(
            to(&all, "sip:a@192.0.2.9;transport=udp", gone, &[]).as_deref(),
            Some("UDP 192.0.2.9:5060 from 192.0.2.1:5060")
        );
        assert!(to(&all, "sips:a@192.0.2.9", flow, &[]).unwrap().starts_with("TLS"), "never in the clear");
    }

    #[test]
    fn a_uri_made_of_a_flow_names_its_transport() {
        let flow = |transport| Flow { transport, ..udp() };
        assert_eq!(target_uri(Some("9%3b"), flow(Transport::Udp), false), "sip:9%3b@192.0.2.9:40000");
        assert_eq!(target_uri(Some("9"), flow(Transport::Tcp), false), "sip:9@192.0.2.9:40000;transport=tcp");
        assert_eq!(target_uri(None, flow(Transport::Tls), false), "sip:192.0.2.9:40000;transport=tls");
        assert_eq!(target_uri(Some("9"), flow(Transport::Tls), true), "sips:9@192.0.2.9:40000");
    }

    #[test]
    fn every_address_of_the_machine_is_ours_where_all_are_listened_at() {
        let own: BTreeSet<IpAddr> =
            ["192.0.2.1", "198.51.100.7", "2001:db8::7", "fe80::7"].map(|ip| ip.parse().unwrap()).into();
        let at = |bound: &str| Routing {
            listening: Listening {
                tls: Some(SocketAddr::new(bound.parse().unwrap(), 5061)),
                ..Listening::udp(SocketAddr::new(bound.parse().unwrap(), 5060))
            },
            own: Arc::new(own.clone()),
            ..routing(false, true)
        };
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.20:5060".parse().unwrap());
        let is_own = |bound: &str, there: &str| at(bound).is_own_socket(there.parse().unwrap(), flow);
        for there in
            ["198.51.100.7:5060", "198.51.100.7:5061", "[2001:db8::7]:5060", "[fe80::7]:5061", "127.0.0.9:5060"]
        {
            assert!(is_own("0.0.0.0", there) && is_own("::", there), "{there}");
            assert!(!is_own("192.0.2.1", there), "{there}: another program may listen there");
        }
        assert!(is_own("::", "[::ffff:198.51.100.7]:5060"));
        for there in ["198.51.100.7:5070", "198.51.100.8:5060", "[2001:db8::8]:5060"] {
            assert!(!is_own("::", there), "{there}");
        }
        assert!(is_own("192.0.2.1", "192.0.2.1:5060") && is_own("192.0.2.1", "192.0.2.1:5061"));
    }
}
