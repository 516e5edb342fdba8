//! The sockets for SIP: bound at the start, and what the core thread sends through.

use crate::config::general::General;
use crate::config::peer::Peer;
use crate::names::Names;
use crate::net::stream::{ConnectionReport, Listeners, Streams};
use crate::net::{local_address, udp};
use crate::pbx::switch::Listening;
use crate::sip::Flow;
use crate::sip::flow::{ConnectionId, ServerKey, Transport};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The sockets, bound and not yet received from.
pub(super) struct Bound {
    pub(super) datagrams: Arc<udp::Datagrams>,
    pub(super) listeners: Listeners,
    pub(super) listening: Listening,
}

impl Bound {
    /// Binds all that the configuration names.
    ///
    /// # Errors
    /// An address cannot be bound; the message says which and what to do.
    pub(super) fn bind(general: &General) -> io::Result<Bound> {
        let datagrams = udp::Datagrams::bind(general.bind, general.tos_sip)
            .map_err(|error| bind_error(general.bind, Transport::Udp, &error))?;
        let (tcp, tls) = (general.streams.tcp, general.streams.tls.as_ref().map(|tls| tls.bind));
        let listeners = Listeners::bind(tcp, tls, general.tos_sip).map_err(|(address, error)| {
            let transport = if tcp == Some(address) { Transport::Tcp } else { Transport::Tls };
            bind_error(address, transport, &error)
        })?;
        let udp = datagrams.bound().first().copied().unwrap_or(general.bind);
        let listening = Listening { udp, tcp: listeners.tcp(), tls: listeners.tls() };
        Ok(Bound { datagrams: Arc::new(datagrams), listeners, listening })
    }
}

/// The sockets for SIP as the core thread sees them: what it sends through.
#[derive(Clone)]
pub(super) struct Signalling {
    pub(super) datagrams: Arc<udp::Datagrams>,
    /// None: neither TCP nor TLS is configured.
    pub(super) streams: Option<Arc<Streams>>,
    pub(super) listening: Listening,
}

impl Signalling {
    /// Sends a message.
    pub(super) fn send(&self, flow: Flow, bytes: Bytes) -> Result<(), String> {
        let is_on = match flow.transport {
            Transport::Udp => return self.datagrams.send(flow, &bytes).map_err(|error| error.to_string()),
            Transport::Tcp => self.listening.tcp.is_some(),
            Transport::Tls => self.listening.tls.is_some(),
        };
        match &self.streams {
            Some(streams) if is_on => streams.send(flow, bytes),
            Some(_) | None => {
                Err(format!("{} is off: see {}enable= in sip.conf", flow.transport, flow.transport.name()))
            }
        }
    }

    /// Answers somebody who proved nothing.
    pub(super) fn send_to_stranger(&self, flow: Flow, bytes: Bytes) -> Result<(), String> {
        match flow.transport {
            Transport::Udp => self.datagrams.send_to_stranger(flow, &bytes).map_err(|error| error.to_string()),
            Transport::Tcp | Transport::Tls => self.send(flow, bytes),
        }
    }

    /// Lifts the limits on unauthenticated connections from those of peers that have authenticated, and the time limit
    /// from those of guests that were let in.
    pub(super) fn let_in(&self, peers: &[ConnectionId], guests: &[ConnectionId]) {
        if let Some(streams) = self.streams.as_ref().filter(|_| !(peers.is_empty() && guests.is_empty())) {
            streams.let_in(peers, guests);
        }
    }

    /// Sets the names under which the servers of our peers show certificates.
    pub(super) fn set_names(&self, names: &Names) {
        if let Some(streams) = &self.streams {
            streams.set_names(names.hosts().map(|host| (ServerKey::of(&host.name), host.name.clone())).collect());
        }
    }

    /// Where UDP is received.
    pub(super) fn udp(&self) -> Vec<SocketAddr> {
        self.datagrams.bound()
    }

    /// All connections.
    pub(super) fn connections(&self) -> Vec<ConnectionReport> {
        self.streams.as_ref().map(|streams| streams.report()).unwrap_or_default()
    }
}

/// Our address towards each peer with a fixed one, and each registrar.
pub(super) fn routes(
    peers: &BTreeMap<String, Arc<Peer>>,
    general: &General,
    names: &Names,
) -> BTreeMap<IpAddr, IpAddr> {
    let places = peers.values().flat_map(|peer| peer.places(names).chain(peer.default_addr));
    let registrars = general.accounts().flat_map(|line| line.places(names));
    let fixed: BTreeSet<IpAddr> = places.chain(registrars).map(|place| place.ip()).collect();
    fixed.into_iter().filter_map(|remote| Some((remote, local_address::look_up(remote)?))).collect()
}

fn bind_error(address: SocketAddr, transport: Transport, error: &io::Error) -> io::Error {
    let (option, flag) = match transport {
        Transport::Udp => ("udpbindaddr", 'u'),
        Transport::Tcp => ("tcpbindaddr", 't'),
        Transport::Tls => ("tlsbindaddr", 't'),
    };
    let what_to_do = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program has this port (ss -{flag}lpn shows which: perhaps Asterisk, or a strowger that already runs)"
        ),
        io::ErrorKind::PermissionDenied => "ports below 1024 need root or CAP_NET_BIND_SERVICE".to_owned(),
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no such address: set {option}= in sip.conf to one that it has, or 0.0.0.0")
        }
        _ => format!("set {option}= in sip.conf"),
    };
    let (ip, port) = (address.ip(), address.port());
    io::Error::new(error.kind(), format!("unable to bind to {ip} port {port} ({transport}): {error}; {what_to_do}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::net::ingress::without_sink;
    use crate::net::stream::Limits;
    use crate::sip::flow::OpensFor;
    use std::time::Duration;

    #[test]
    fn what_is_off_carries_nothing_whatever_else_is_on() {
        let text = "[general]\nudpbindaddr=127.0.0.1\ntlsenable=yes\ntlsbindaddr=127.0.0.1\ntlscertfile=none.pem\n";
        let mut config = Config::from_texts(text, "", "", "").0.unwrap();
        config.sip.general.bind.set_port(0);
        config.sip.general.streams.tls.as_mut().unwrap().bind.set_port(0);
        let bound = Bound::bind(&config.sip.general).unwrap();
        let limits = Limits { auth_timeout: Duration::from_secs(30), auth_limit: 100 };
        let streams = Streams::new(bound.listeners, without_sink(), limits, None).unwrap();
        streams.start(()).unwrap();
        let (datagrams, listening) = (bound.datagrams, bound.listening);
        let signalling = Signalling { datagrams, streams: Some(Arc::new(streams)), listening };
        let phone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = Flow::udp("127.0.0.1:5060".parse().unwrap(), phone.local_addr().unwrap());
        let over =
            |transport| signalling.send(Flow { transport, opens_for: OpensFor::Peer, ..udp }, Bytes::from_static(b"x"));
        assert_eq!((over(Transport::Udp), over(Transport::Tls)), (Ok(()), Ok(())));
        assert!(over(Transport::Tcp).unwrap_err().contains("tcpenable="));
    }
}
