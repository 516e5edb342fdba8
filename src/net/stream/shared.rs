//! What the tasks of all connections share with each other and with those who send.

use super::listeners::Listeners;
use super::table::Table;
use super::tls;
use crate::guard::event::AuthEvent;
use crate::net::ingress::{Arrived, Counters, Ingress, Received};
use crate::pbx::effect::Input;
use crate::sip::Flow;
use crate::sip::flow::{ServerKey, Transport};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// How long bytes may stay unacknowledged before the connection is broken.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How long the last bytes of connections may take.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// What a reload may change.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `tcpauthtimeout`.
    pub auth_timeout: Duration,
    /// `tcpauthlimit`.
    pub auth_limit: usize,
}

/// What the tasks of all connections share with each other and with those who send.
pub(super) struct Shared {
    pub(super) table: Mutex<Table>,
    pub(super) ingress: Mutex<Ingress>,
    pub(super) counters: Arc<Counters>,
    pub(super) limits: Mutex<Limits>,
    pub(super) setup: Mutex<Option<tls::Setup>>,
    /// The names of our peers' servers, as certificates have them.
    pub(super) names: Mutex<BTreeMap<ServerKey, String>>,
    pub(super) tcp: Option<SocketAddr>,
    pub(super) tls: Option<SocketAddr>,
    pub(super) tos: u8,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(listeners: &Listeners, ingress: Ingress, limits: Limits, setup: Option<tls::Setup>) -> Shared {
        Shared {
            table: Mutex::default(),
            counters: ingress.counters.clone(),
            ingress: Mutex::new(ingress),
            limits: Mutex::new(limits),
            setup: Mutex::new(setup),
            names: Mutex::default(),
            tcp: listeners.tcp(),
            tls: listeners.tls(),
            tos: listeners.tos,
        }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    pub(super) fn auth_timeout(&self) -> Duration {
        lock(&self.limits).auth_timeout
    }

    pub(super) fn receive(&self, bytes: &Bytes, flow: Flow, is_proven: bool) -> Received {
        lock(&self.ingress).receive(bytes, Arrived { flow, at: Instant::now(), is_proven })
    }

    pub(super) fn report(&self, report: Option<AuthEvent>, received: Flow) {
        lock(&self.ingress).report(report, received);
    }

    pub(super) fn pass(&self, input: Box<Input>) -> Result<(), Box<Input>> {
        let sink = lock(&self.ingress).sink.clone();
        sink.pass(input)
    }

    /// The port we listen on for a transport.
    pub(super) fn port(&self, transport: Transport) -> u16 {
        let bound = match transport {
            Transport::Udp | Transport::Tcp => self.tcp,
            Transport::Tls => self.tls,
        };
        bound.map_or(transport.default_port(), |address| address.port())
    }

    /// Sets the options of a connection's socket.
    pub(super) fn configure(&self, stream: &TcpStream) {
        let socket = socket2::SockRef::from(stream);
        let keep_alive =
            socket2::TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));
        // None of it is needed for a connection to work.
        let _ = stream.set_nodelay(true);
        let _ = socket.set_tcp_keepalive(&keep_alive);
        let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        if self.tos != 0 {
            // A socket of IPv6 carries IPv4, too, when it was accepted at `::`.
            let _ = socket.set_tos_v4(u32::from(self.tos));
            let _ = socket.set_tclass_v6(u32::from(self.tos));
        }
    }

    /// The flow of a connection, without a name yet.
    pub(super) fn flow(&self, transport: Transport, stream: &TcpStream, remote: SocketAddr) -> io::Result<Flow> {
        let ip = stream.local_addr()?.ip().to_canonical();
        let local = SocketAddr::new(ip, self.port(transport));
        Ok(lock(&self.ingress).seen(Flow { transport, ..Flow::udp(local, remote) }))
    }

    /// Passes an input to the switch, however busy it is.
    pub(super) async fn deliver(&self, input: Input) {
        let mut input = Box::new(input);
        while let Err(back) = self.pass(input) {
            input = back;
            sleep(Duration::from_millis(20)).await;
        }
    }
}
