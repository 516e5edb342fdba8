//! The sockets for SIP, as the owner of the switch sees them: bound at the start, sent through, renewed by a reload.

use super::threads::Post;
use super::{Sink, certificates};
use crate::config::Config;
use crate::config::general::General;
use crate::config::peer::{Names, Peer, PeerAddress};
use crate::net::ingress::Ingress;
use crate::net::stream::{ConnectionReport, Limits, Listeners, Streams, tls};
use crate::net::{local_address, udp};
use crate::pbx::effect::{Level, Line};
use crate::pbx::switch::Listening;
use crate::sip::Flow;
use crate::sip::flow::{ConnectionId, ServerKey, Transport};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The sockets, bound and not yet served.
pub(super) struct Bound {
    pub(super) datagrams: Arc<udp::Datagrams>,
    listeners: Listeners,
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

    /// Serves the connections; `edge` makes what their messages meet first.
    pub(super) fn serve(
        self,
        config: &Config,
        sink: &Sink,
        edge: impl FnOnce() -> io::Result<Ingress>,
        post: impl FnOnce() -> Post,
    ) -> io::Result<Signalling> {
        let streams = if self.listeners.is_empty() {
            None
        } else {
            let setup = read_tls(config, sink);
            Some(Streams::start(self.listeners, edge()?, limits(&config.sip.general), setup, post())?)
        };
        Ok(Signalling { datagrams: self.datagrams, streams, listening: self.listening })
    }
}

/// See the module.
pub(super) struct Signalling {
    datagrams: Arc<udp::Datagrams>,
    streams: Option<Streams>,
    pub(super) listening: Listening,
}

/// What a reload changes of it.
pub(super) struct Renewed {
    limits: Limits,
    setup: Option<tls::Setup>,
}

impl Renewed {
    /// Reads the certificates anew.
    pub(super) fn read(config: &Config, sink: &Sink) -> Renewed {
        Renewed { limits: limits(&config.sip.general), setup: read_tls(config, sink) }
    }
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

    pub(super) fn renew(&self, renewed: Renewed) {
        if let Some(streams) = &self.streams {
            streams.renew(renewed.limits, renewed.setup);
        }
    }

    /// Lifts the bounds for strangers from connections on which somebody proved who he is.
    pub(super) fn prove(&self, connections: &[ConnectionId]) {
        if let Some(streams) = self.streams.as_ref().filter(|_| !connections.is_empty()) {
            streams.prove(connections);
        }
    }

    /// Tells under which names the servers of our peers show certificates.
    pub(super) fn set_names(&self, names: &Names) {
        if let Some(streams) = &self.streams {
            streams.set_names(names.keys().map(|name| (ServerKey::of(name), name.clone())).collect());
        }
    }

    /// Where UDP is received.
    pub(super) fn udp(&self) -> Vec<SocketAddr> {
        self.datagrams.bound()
    }

    /// All connections.
    pub(super) fn connections(&self) -> Vec<ConnectionReport> {
        self.streams.as_ref().map(Streams::report).unwrap_or_default()
    }
}

fn limits(general: &General) -> Limits {
    Limits { auth_timeout: general.streams.auth_timeout, auth_limit: general.streams.auth_limit }
}

/// What TLS is spoken with. A file that cannot be used is said, with the line that names it; all else goes on.
fn read_tls(config: &Config, sink: &Sink) -> Option<tls::Setup> {
    let tls = config.sip.general.streams.tls.as_ref()?;
    match tls::Setup::read(&certificates::files(&config.source, tls)) {
        Ok(setup) => Some(setup),
        Err(why) => {
            let text = format!("{}: the new TLS certificate cannot be used: {why}; repair it and reload", tls.place);
            sink(&Line { level: Level::Error, text });
            None
        }
    }
}

/// Our address towards each peer with a fixed one.
pub(super) fn routes(peers: &BTreeMap<String, Arc<Peer>>, names: &Names) -> BTreeMap<IpAddr, IpAddr> {
    let fixed = peers.values().filter_map(|peer| match &peer.host {
        PeerAddress::Dynamic => peer.default_addr.map(|address| address.ip()),
        host @ (PeerAddress::Static(_) | PeerAddress::Named { .. }) => host.address(names).map(|address| address.ip()),
    });
    fixed.filter_map(|remote| Some((remote, local_address::look_up(remote)?))).collect()
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
    use super::super::threads::{Hand, muster};
    use super::*;
    use crate::net::ingress::to_nobody;

    #[test]
    fn what_is_off_carries_nothing_whatever_else_is_on() {
        let text = "[general]\nudpbindaddr=127.0.0.1\ntlsenable=yes\ntlsbindaddr=127.0.0.1\ntlscertfile=none.pem\n";
        let mut config = Config::from_texts(text, "", "", "").0.unwrap();
        config.sip.general.bind.set_port(0);
        config.sip.general.streams.tls.as_mut().unwrap().bind.set_port(0);
        let bound = Bound::bind(&config.sip.general).unwrap();
        let sink: Sink = Arc::new(|_: &Line| {});
        let (crew, _ends) = muster();
        let signalling = bound.serve(&config, &sink, || Ok(to_nobody()), || crew.post(Hand::Connections)).unwrap();
        let somebody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = Flow::udp("127.0.0.1:5060".parse().unwrap(), somebody.local_addr().unwrap());
        let over = |transport| signalling.send(Flow { transport, ..udp }, Bytes::from_static(b"x"));
        assert_eq!((over(Transport::Udp), over(Transport::Tls)), (Ok(()), Ok(())));
        assert!(over(Transport::Tcp).unwrap_err().contains("tcpenable="));
    }
}
