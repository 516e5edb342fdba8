//! SIP over TCP and TLS: a thread of its own accepts, frames and connects; the owner of the switch sends through here.

mod connection;
mod table;
pub mod tls;

use super::ingress::{Counters, Ingress, Received};
use crate::guard::event::AuthEvent;
use crate::pbx::effect::Event;
use crate::sip::flow::{ConnectionId, ServerKey, Transport};
use crate::sip::header::{HeaderName, Via, split};
use crate::sip::{Flow, Message};
use bytes::Bytes;
use nix::libc;
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use table::{Ends, Table};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub use table::ConnectionReport;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection of ours may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long nothing is accepted when the system has no descriptors left.
const BREATH: Duration = Duration::from_millis(100);
/// How long bytes may stay unacknowledged before the connection is broken.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How long the last words of connections may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often it is looked whether they are said.
const MOMENT: Duration = Duration::from_millis(2);

/// What a reload may change.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `tcpauthtimeout`.
    pub auth_timeout: Duration,
    /// `tcpauthlimit`.
    pub auth_limit: usize,
}

/// The sockets that accept connections, bound and not yet served.
pub struct Listeners {
    tcp: Option<std::net::TcpListener>,
    tls: Option<std::net::TcpListener>,
    tos: u8,
}

impl Listeners {
    /// Binds them; `::` accepts both families, and IPv4 alone on a machine without IPv6.
    ///
    /// # Errors
    /// An address cannot be bound; the error comes with it.
    pub fn bind(
        tcp: Option<SocketAddr>,
        tls: Option<SocketAddr>,
        tos: u8,
    ) -> Result<Listeners, (SocketAddr, io::Error)> {
        let bind = |address: SocketAddr| listen(address, open).map_err(|error| (address, error));
        Ok(Listeners { tcp: tcp.map(bind).transpose()?, tls: tls.map(bind).transpose()?, tos })
    }

    /// Where TCP is accepted.
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Where TLS is accepted.
    pub fn tls(&self) -> Option<SocketAddr> {
        self.tls.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Is there any?
    pub fn is_empty(&self) -> bool {
        self.tcp.is_none() && self.tls.is_none()
    }
}

fn open(domain: socket2::Domain) -> io::Result<socket2::Socket> {
    socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))
}

fn listen(
    address: SocketAddr,
    open: fn(socket2::Domain) -> io::Result<socket2::Socket>,
) -> io::Result<std::net::TcpListener> {
    let socket = match open(socket2::Domain::for_address(address)) {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            return listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()), open);
        }
        socket => socket?,
    };
    // A restart need not wait for the connections of the one before to be forgotten.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(512)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

struct Shared {
    table: Mutex<Table>,
    ingress: Mutex<Ingress>,
    counters: Arc<Counters>,
    limits: Mutex<Limits>,
    setup: Mutex<Option<tls::Setup>>,
    /// The names of our peers' servers, as certificates have them.
    names: Mutex<BTreeMap<ServerKey, String>>,
    tcp: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    tos: u8,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn new(listeners: &Listeners, ingress: Ingress, limits: Limits, setup: Option<tls::Setup>) -> Shared {
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

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    fn auth_timeout(&self) -> Duration {
        lock(&self.limits).auth_timeout
    }

    fn receive(&self, bytes: &Bytes, flow: Flow) -> Received {
        lock(&self.ingress).receive(bytes, flow)
    }

    fn note(&self, note: Option<AuthEvent>, came: Flow) {
        lock(&self.ingress).tell(note, came);
    }

    fn may_ask(&self, source: IpAddr) -> bool {
        lock(&self.ingress).limiter.allows(source, Instant::now())
    }

    fn pass(&self, event: Box<Event>) -> Result<(), Box<Event>> {
        let sink = lock(&self.ingress).sink.clone();
        sink.pass(event)
    }

    /// The port we listen on for a transport.
    fn port(&self, transport: Transport) -> u16 {
        let bound = match transport {
            Transport::Udp | Transport::Tcp => self.tcp,
            Transport::Tls => self.tls,
        };
        bound.map_or(transport.default_port(), |address| address.port())
    }

    fn dress(&self, stream: &TcpStream) {
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
    fn flow(&self, transport: Transport, stream: &TcpStream, remote: SocketAddr) -> io::Result<Flow> {
        let ip = stream.local_addr()?.ip().to_canonical();
        let local = SocketAddr::new(ip, self.port(transport));
        Ok(lock(&self.ingress).seen(Flow { transport, ..Flow::udp(local, remote) }))
    }

    /// Tells the switch, however busy it is.
    async fn tell(&self, event: Event) {
        let mut event = Box::new(event);
        while let Err(back) = self.pass(event) {
            event = back;
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// See the module.
pub struct Streams {
    shared: Arc<Shared>,
    runtime: Handle,
    over: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Streams {
    /// Starts the thread, which drops `kept` when it ends.
    ///
    /// # Errors
    /// The system refuses a thread, or what a runtime needs.
    pub fn start(
        listeners: Listeners,
        ingress: Ingress,
        limits: Limits,
        setup: Option<tls::Setup>,
        kept: impl Send + 'static,
    ) -> io::Result<Streams> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared::new(&listeners, ingress, limits, setup));
        let handle = runtime.handle().clone();
        let (over, mut ended) = watch::channel(false);
        let mut accepting = Vec::new();
        {
            let _inside = runtime.enter();
            for (listener, transport) in [(listeners.tcp, Transport::Tcp), (listeners.tls, Transport::Tls)] {
                if let Some(listener) = listener {
                    let listener = TcpListener::from_std(listener)?;
                    accepting.push(runtime.spawn(accept(shared.clone(), listener, transport)));
                }
            }
        }
        let thread = std::thread::Builder::new().name("sip-tcp".into()).spawn(move || {
            let _kept = kept;
            let tasks = runtime.handle().metrics();
            runtime.block_on(async move {
                // The sender is gone only with the exchange.
                drop(ended.wait_for(|over| *over).await);
                accepting.iter().for_each(JoinHandle::abort);
                let last_words = async {
                    while tasks.num_alive_tasks() > 0 {
                        sleep(MOMENT).await;
                    }
                };
                // Who does not listen to the end has heard enough.
                let _ = timeout(FAREWELL, last_words).await;
            });
        })?;
        Ok(Streams { shared, runtime: handle, over, thread: Some(thread) })
    }

    /// Sends a message: over the connection the flow names, over one that leads there, or over a new one.
    ///
    /// # Errors
    /// The connection is closed, or closed now because the other side does not read; or there is no room for another.
    pub fn send(&self, flow: Flow, bytes: Bytes) -> Result<(), String> {
        let mut table = self.shared.table();
        match flow.connection {
            Some(id) => match table.queue(id, bytes.clone()) {
                Ok(()) => Ok(()),
                Err(why) => {
                    drop(table);
                    // RFC 3261 18.2.2: an answer goes over a new connection to the sender's own port.
                    match answer_address(&bytes, flow) {
                        Some(remote) => self.send(Flow { remote, connection: None, ..flow }, bytes),
                        None => Err(why.to_owned()),
                    }
                }
            },
            None => {
                let there = table.to(flow);
                let id = match there {
                    Some(id) => id,
                    None => {
                        let (ends, _) = table.enter(flow, true, 0)?;
                        let id = ends.flow.connection;
                        self.runtime.spawn(connect(self.shared.clone(), ends));
                        id.ok_or("no connection")?
                    }
                };
                table.queue(id, bytes).map_err(str::to_owned)
            }
        }
    }

    /// Puts other limits and, when there is one, another certificate in force for the connections to come.
    pub fn renew(&self, limits: Limits, setup: Option<tls::Setup>) {
        *lock(&self.shared.limits) = limits;
        if setup.is_some() {
            *lock(&self.shared.setup) = setup;
        }
    }

    /// Lifts the bounds for strangers from these connections: somebody proved who he is on them.
    pub fn prove(&self, connections: &[ConnectionId]) {
        let mut table = self.shared.table();
        connections.iter().for_each(|connection| table.prove(*connection));
    }

    /// Tells by which names our peers' servers go.
    pub fn set_names(&self, names: BTreeMap<ServerKey, String>) {
        *lock(&self.shared.names) = names;
    }

    /// All connections, oldest first.
    pub fn report(&self) -> Vec<ConnectionReport> {
        self.shared.table().report()
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.shared.table().clear();
        let _ = self.over.send(true);
        if let Some(thread) = self.thread.take() {
            // A thread that failed has said so.
            let _ = thread.join();
        }
    }
}

/// Where the sender of a request listens to which this is the answer (RFC 3261 18.2.2); none for what is no answer.
fn answer_address(bytes: &Bytes, flow: Flow) -> Option<SocketAddr> {
    let Ok(Message::Response(response)) = Message::parse(bytes) else { return None };
    let via = response.headers.get(HeaderName::Via)?;
    let via = Via::parse(split::first_item(via)).ok()?;
    let remote = SocketAddr::new(flow.remote.ip(), via.sent_by_port());
    (remote != flow.remote).then_some(remote)
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, transport: Transport) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                if let Some(ends) = take_in(&shared, transport, &stream, remote) {
                    tokio::spawn(serve(shared.clone(), stream, ends));
                }
            }
            Err(_) => {
                shared.counters.add("no connection can be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

fn take_in(shared: &Shared, transport: Transport, stream: &TcpStream, remote: SocketAddr) -> Option<Ends> {
    let flow = shared.flow(transport, stream, remote).ok()?;
    let limit = lock(&shared.limits).auth_limit;
    let entered = shared.table().enter(flow, false, limit);
    match entered {
        Ok((ends, made_room)) => {
            if let Some(why) = made_room {
                shared.counters.add(why);
            }
            shared.dress(stream);
            Some(ends)
        }
        Err(why) => {
            shared.counters.add(why);
            None
        }
    }
}

/// A connection that somebody made to us.
async fn serve(shared: Arc<Shared>, stream: TcpStream, mut ends: Ends) {
    let why = match ends.flow.transport {
        Transport::Udp | Transport::Tcp => connection::serve(&shared, stream, &mut ends).await,
        Transport::Tls => {
            let setup = lock(&shared.setup).clone();
            let shaken = match setup {
                Some(setup) => tokio::select! {
                    shaken = timeout(HANDSHAKE, setup.acceptor.accept(stream)) => shaken.ok().and_then(Result::ok),
                    _ = &mut ends.stop => None,
                },
                None => None,
            };
            match shaken {
                Some(stream) => connection::serve(&shared, stream, &mut ends).await,
                None => {
                    shared.counters.add("TLS handshake failed");
                    "TLS handshake failed".to_owned()
                }
            }
        }
    };
    end(&shared, &ends, why).await;
}

/// A connection that we make.
async fn connect(shared: Arc<Shared>, mut ends: Ends) {
    ends.link.proven.store(true, Ordering::Relaxed);
    let flow = ends.flow;
    let made = match timeout(CONNECT, TcpStream::connect(flow.remote)).await {
        Ok(made) => made.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no connection within {} s", CONNECT.as_secs())),
    };
    let why = match made {
        Ok(stream) => {
            shared.dress(&stream);
            match flow.transport {
                Transport::Udp | Transport::Tcp => connection::serve(&shared, stream, &mut ends).await,
                Transport::Tls => match shake(&shared, stream, flow).await {
                    Ok(stream) => connection::serve(&shared, stream, &mut ends).await,
                    Err(why) => why,
                },
            }
        }
        Err(why) => why,
    };
    end(&shared, &ends, why).await;
}

async fn shake(
    shared: &Shared,
    stream: TcpStream,
    flow: Flow,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
    let Some(setup) = lock(&shared.setup).clone() else { return Err("TLS is not set up: see tlscertfile=".into()) };
    let name = flow.server.and_then(|server| lock(&shared.names).get(&server).cloned());
    let name = name.and_then(|name| ServerName::try_from(name).ok());
    let name = name.unwrap_or_else(|| ServerName::IpAddress(flow.remote.ip().into()));
    match timeout(HANDSHAKE, setup.connector.connect(name, stream)).await {
        Ok(shaken) => {
            shaken.map_err(|error| format!("TLS: {error} (tlscafile= and tlsdontverifyserver= say whom to believe)"))
        }
        Err(_) => Err("no TLS handshake within 10 s".into()),
    }
}

async fn end(shared: &Shared, ends: &Ends, why: String) {
    if let Some(id) = ends.flow.connection {
        shared.table().remove(id);
    }
    if ends.link.known.load(Ordering::Relaxed) {
        shared.tell(Event::Closed { flow: ends.flow, why }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ingress::to_nobody;
    use std::io::Read as _;

    fn streams(setup: Option<tls::Setup>) -> Streams {
        let listeners = Listeners::bind(Some("127.0.0.1:0".parse().unwrap()), None, 0).unwrap();
        let limits = Limits { auth_timeout: Duration::from_secs(30), auth_limit: 100 };
        Streams::start(listeners, to_nobody(), limits, setup, ()).unwrap()
    }

    #[test]
    fn a_machine_without_ipv6_listens_for_ipv4_alone() {
        let without = |domain: socket2::Domain| match domain {
            socket2::Domain::IPV6 => Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT)),
            domain => open(domain),
        };
        let listener = listen("[::]:0".parse().unwrap(), without).unwrap();
        assert_eq!(listener.local_addr().unwrap().ip(), Ipv4Addr::UNSPECIFIED);
        assert!(std::net::TcpStream::connect(("127.0.0.1", listener.local_addr().unwrap().port())).is_ok());
        let refused = listen("[::1]:0".parse().unwrap(), without).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EAFNOSUPPORT), "one address was asked for, and it is not there");
    }

    /// Somebody connects to the TLS port and says nothing.
    #[tokio::test(start_paused = true)]
    async fn a_tls_handshake_takes_ten_seconds_at_most() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = std::env::temp_dir().join(format!("strowger-stall-{}.pem", std::process::id()));
        std::fs::write(&file, format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem())).unwrap();
        let files =
            tls::Files { certificate: file.clone(), key: file.clone(), authorities: None, verify_server: false };
        let setup = tls::Setup::read(&files).unwrap();
        std::fs::remove_file(&file).unwrap();
        let listeners = Listeners::bind(None, None, 0).unwrap();
        let limits = Limits { auth_timeout: Duration::from_secs(30), auth_limit: 100 };
        let shared = Arc::new(Shared::new(&listeners, to_nobody(), limits, Some(setup)));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _stranger = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, remote) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        let ends = take_in(&shared, Transport::Tls, &stream, remote).unwrap();
        let start = tokio::time::Instant::now();
        serve(shared.clone(), stream, ends).await;
        assert_eq!(start.elapsed().as_secs(), 10);
        assert_eq!(shared.counters.all(), [("TLS handshake failed", 1)]);
        assert!(shared.table().report().is_empty());
    }

    /// Whom each of `count` connections asks for, and whether it is content with the certificate it is shown.
    fn tls_server(
        listener: std::net::TcpListener,
        config: rustls::ServerConfig,
        count: usize,
    ) -> Vec<(Option<String>, bool)> {
        let config = Arc::new(config);
        let one = |stream: std::net::TcpStream| {
            let mut stream = stream;
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut done = true;
            while done && connection.is_handshaking() {
                done = connection.complete_io(&mut stream).is_ok();
            }
            // In TLS 1.3 the client's verdict comes after our last word: its first message, or an alert.
            let mut first = [0; 1];
            let content =
                done && rustls::Stream::new(&mut connection, &mut stream).read(&mut first).is_ok_and(|read| read == 1);
            (connection.server_name().map(str::to_owned), content)
        };
        listener.incoming().take(count).map(|stream| one(stream.unwrap())).collect()
    }

    /// Two trunks at one address, each with its own name.
    #[test]
    fn a_server_is_asked_for_by_the_name_of_its_peer_not_by_its_address() {
        let names = ["one.example", "two.example"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names.clone()).unwrap();
        let file = std::env::temp_dir().join(format!("strowger-names-{}.pem", std::process::id()));
        std::fs::write(&file, format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem())).unwrap();
        let files = tls::Files {
            certificate: file.clone(),
            key: file.clone(),
            authorities: Some(file.clone()),
            verify_server: true,
        };
        let setup = tls::Setup::read(&files).unwrap();
        std::fs::remove_file(&file).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = Flow::udp("127.0.0.1:5061".parse().unwrap(), listener.local_addr().unwrap());
        let tls = Flow { transport: Transport::Tls, ..udp };
        let server = std::thread::spawn(move || tls_server(listener, config, 3));
        let streams = streams(Some(setup));
        streams.set_names(names.iter().map(|name| (ServerKey::of(name), name.clone())).collect());
        let to = |server: Option<ServerKey>| {
            streams.send(Flow { server, ..tls }, Bytes::from_static(b"x")).unwrap();
            streams.report().len()
        };
        let [one, two] = names.each_ref().map(|name| Some(ServerKey::of(name)));
        assert_eq!((to(one), to(two), to(one), to(None)), (1, 2, 2, 3), "one connection for each");
        let mut seen = server.join().unwrap();
        seen.sort();
        // To nobody by name the address itself must be in the certificate.
        assert_eq!(seen, [(None, false), (Some("one.example".into()), true), (Some("two.example".into()), true)]);
    }

    /// The answer to the last BYE is among them.
    #[test]
    fn what_was_sent_before_the_end_is_delivered() {
        for _ in 0..20 {
            let streams = streams(None);
            let mut phone = std::net::TcpStream::connect(streams.shared.tcp.unwrap()).unwrap();
            while streams.report().is_empty() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let flow = streams.report()[0].flow;
            for _ in 0..30 {
                streams.send(flow, Bytes::from(vec![b'x'; 1_000])).unwrap();
            }
            drop(streams);
            phone.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut received = Vec::new();
            phone.read_to_end(&mut received).unwrap();
            assert_eq!(received.len(), 30_000);
        }
    }
}
