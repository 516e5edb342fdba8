//! SIP over TCP and TLS: a thread of its own accepts, frames and connects; the core thread sends through here.

mod connection;
mod listeners;
mod shared;
mod table;
pub mod tls;

use super::ingress::Ingress;
use crate::pbx::effect::Input;
use crate::sip::flow::{ConnectionId, OpensFor, ServerKey, Transport};
use crate::sip::header::{HeaderName, Via, split};
use crate::sip::{Flow, Message};
use bytes::Bytes;
pub use listeners::Listeners;
use rustls::pki_types::ServerName;
pub use shared::Limits;
use shared::{FAREWELL, Shared, lock};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
pub use table::ConnectionReport;
use table::{Origin, Table, TaskSide};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection of ours may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long nothing is accepted when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is checked at the end whether all connections are closed.
const CHECK: Duration = Duration::from_millis(2);

/// SIP over TCP and TLS: the connections, and the thread that serves them.
pub struct Streams {
    shared: Arc<Shared>,
    runtime: Handle,
    over: watch::Sender<bool>,
    state: Mutex<State>,
}

enum State {
    Prepared(Runtime, Listeners),
    Running(std::thread::JoinHandle<()>),
    Stopped,
}

impl Streams {
    /// Prepares the thread.
    ///
    /// # Errors
    /// The system refuses what a runtime needs.
    pub fn new(
        listeners: Listeners,
        ingress: Ingress,
        limits: Limits,
        setup: Option<tls::Setup>,
    ) -> io::Result<Streams> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared::new(&listeners, ingress, limits, setup));
        let (over, _) = watch::channel(false);
        let handle = runtime.handle().clone();
        Ok(Streams { shared, runtime: handle, over, state: Mutex::new(State::Prepared(runtime, listeners)) })
    }

    /// Starts the thread, which drops `guard` when it ends; once it was started or stopped, this does nothing.
    ///
    /// # Errors
    /// The system refuses a thread, or cannot watch the listening sockets.
    pub fn start(&self, guard: impl Send + 'static) -> io::Result<()> {
        let mut state = lock(&self.state);
        *state = match std::mem::replace(&mut *state, State::Stopped) {
            State::Prepared(runtime, listeners) => State::Running(self.spawn(runtime, listeners, guard)?),
            other @ (State::Running(_) | State::Stopped) => other,
        };
        Ok(())
    }

    fn spawn(
        &self,
        runtime: Runtime,
        listeners: Listeners,
        guard: impl Send + 'static,
    ) -> io::Result<std::thread::JoinHandle<()>> {
        let mut accepting = Vec::new();
        {
            let _inside = runtime.enter();
            for (listener, transport) in [(listeners.tcp, Transport::Tcp), (listeners.tls, Transport::Tls)] {
                if let Some(listener) = listener {
                    let listener = TcpListener::from_std(listener)?;
                    accepting.push(runtime.spawn(accept(self.shared.clone(), listener, transport)));
                }
            }
        }
        let mut over = self.over.subscribe();
        std::thread::Builder::new().name("sip-tcp".into()).spawn(move || {
            let _guard = guard;
            let tasks = runtime.handle().metrics();
            runtime.block_on(async move {
                // The sender is gone only with the exchange.
                drop(over.wait_for(|over| *over).await);
                accepting.iter().for_each(JoinHandle::abort);
                let all_closed = async {
                    while tasks.num_alive_tasks() > 0 {
                        sleep(CHECK).await;
                    }
                };
                // A connection that does not take its last bytes in time loses them.
                let _ = timeout(FAREWELL, all_closed).await;
            });
        })
    }

    /// Closes every connection once it has sent what was given to it, and ends the thread.
    pub fn stop(&self) {
        self.shared.table().clear();
        self.over.send_replace(true);
        let state = std::mem::replace(&mut *lock(&self.state), State::Stopped);
        match state {
            // A thread that has panicked has said so already.
            State::Running(thread) => drop(thread.join()),
            State::Prepared(..) | State::Stopped => {}
        }
    }

    /// Sends a message: over the connection the flow names, over one that leads there, or over a new one.
    ///
    /// # Errors
    /// The connection is closed, or closed now because the other side does not read; or there is no room for another.
    pub fn send(&self, flow: Flow, bytes: Bytes) -> Result<(), String> {
        let limit = lock(&self.shared.limits).auth_limit;
        let mut table = self.shared.table();
        match flow.connection {
            Some(id) => match table.queue(id, bytes.clone()) {
                Ok(()) => Ok(()),
                Err(why) => {
                    drop(table);
                    // RFC 3261 18.2.2: a response goes over a new connection to the port of its Via. Not for whoever
                    // asks, closes and asks again: only a peer's transaction is worth a connection.
                    let remote = (flow.opens_for == OpensFor::Peer).then(|| response_address(&bytes, flow)).flatten();
                    match remote {
                        Some(remote) => self.send(Flow { remote, connection: None, ..flow }, bytes),
                        None => Err(why.to_owned()),
                    }
                }
            },
            None => {
                let id = match table.to(flow) {
                    Some(id) => id,
                    None => self.open(&mut table, flow, limit)?,
                };
                table.queue(id, bytes).map_err(str::to_owned)
            }
        }
    }

    /// Enters a connection to be made in the table, and begins to make it.
    fn open(&self, table: &mut Table, flow: Flow, limit: usize) -> Result<ConnectionId, String> {
        let origin = Origin::opened_for(flow).ok_or("no connection leads there, and none is opened for a stranger")?;
        let (task, made_room) = table.enter(flow, origin, limit)?;
        if let Some(why) = made_room {
            self.shared.counters.add(why);
        }
        let id = task.flow.connection.ok_or("no connection")?;
        self.runtime.spawn(connect(self.shared.clone(), task));
        Ok(id)
    }

    /// Puts other limits and, when there is one, another certificate in force for the connections to come.
    pub fn renew(&self, limits: Limits, setup: Option<tls::Setup>) {
        *lock(&self.shared.limits) = limits;
        if setup.is_some() {
            *lock(&self.shared.setup) = setup;
        }
    }

    /// Lifts the limits on unauthenticated connections from those of peers that have authenticated, and the time limit
    /// alone from those of guests that were let in.
    pub fn let_in(&self, peers: &[ConnectionId], guests: &[ConnectionId]) {
        let mut table = self.shared.table();
        peers.iter().for_each(|connection| table.authenticated(*connection));
        guests.iter().for_each(|connection| table.admitted(*connection));
    }

    /// Sets the names under which our peers' servers show certificates.
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
        self.stop();
    }
}

/// Where a response may go over a new connection (RFC 3261 18.2.2): the sent-by port of its Via. None for a request.
fn response_address(bytes: &Bytes, flow: Flow) -> Option<SocketAddr> {
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
                if let Some(task) = admit(&shared, transport, &stream, remote) {
                    tokio::spawn(serve(shared.clone(), stream, task));
                }
            }
            Err(_) => {
                shared.counters.add("no connection can be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(shared: &Shared, transport: Transport, stream: &TcpStream, remote: SocketAddr) -> Option<TaskSide> {
    let flow = shared.flow(transport, stream, remote).ok()?;
    let limit = lock(&shared.limits).auth_limit;
    let entered = shared.table().enter(flow, Origin::Accepted, limit);
    match entered {
        Ok((task, made_room)) => {
            if let Some(why) = made_room {
                shared.counters.add(why);
            }
            shared.configure(stream);
            Some(task)
        }
        Err(why) => {
            shared.counters.add(why);
            None
        }
    }
}

/// A connection that was accepted.
async fn serve(shared: Arc<Shared>, stream: TcpStream, mut task: TaskSide) {
    let why = match task.flow.transport {
        Transport::Udp | Transport::Tcp => connection::serve(&shared, stream, &mut task).await,
        Transport::Tls => {
            let setup = lock(&shared.setup).clone();
            let stream = match setup {
                Some(setup) => tokio::select! {
                    accepted = timeout(HANDSHAKE, setup.acceptor.accept(stream)) => accepted.ok().and_then(Result::ok),
                    _ = &mut task.stop => None,
                },
                None => None,
            };
            match stream {
                Some(stream) => connection::serve(&shared, stream, &mut task).await,
                None => {
                    shared.counters.add("TLS handshake failed");
                    "TLS handshake failed".to_owned()
                }
            }
        }
    };
    end(&shared, &task, why).await;
}

/// A connection that the exchange makes.
async fn connect(shared: Arc<Shared>, mut task: TaskSide) {
    let flow = task.flow;
    let made = match timeout(CONNECT, TcpStream::connect(flow.remote)).await {
        Ok(made) => made.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no connection within {} s", CONNECT.as_secs())),
    };
    let why = match made {
        Ok(stream) => {
            shared.configure(&stream);
            match flow.transport {
                Transport::Udp | Transport::Tcp => connection::serve(&shared, stream, &mut task).await,
                Transport::Tls => match handshake(&shared, stream, flow).await {
                    Ok(stream) => connection::serve(&shared, stream, &mut task).await,
                    Err(why) => why,
                },
            }
        }
        Err(why) => why,
    };
    end(&shared, &task, why).await;
}

async fn handshake(
    shared: &Shared,
    stream: TcpStream,
    flow: Flow,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
    let Some(setup) = lock(&shared.setup).clone() else { return Err("TLS is not set up: see tlscertfile=".into()) };
    let name = flow.server.and_then(|server| lock(&shared.names).get(&server).cloned());
    let name = name.and_then(|name| ServerName::try_from(name).ok());
    let name = name.unwrap_or_else(|| ServerName::IpAddress(flow.remote.ip().into()));
    match timeout(HANDSHAKE, setup.connector.connect(name, stream)).await {
        Ok(stream) => {
            stream.map_err(|error| format!("TLS: {error} (tlscafile= and tlsdontverifyserver= say whom to believe)"))
        }
        Err(_) => Err("no TLS handshake within 10 s".into()),
    }
}

async fn end(shared: &Shared, task: &TaskSide, why: String) {
    if let Some(id) = task.flow.connection {
        shared.table().remove(id);
    }
    if task.status.known.load(Ordering::Relaxed) {
        shared.deliver(Input::Closed { flow: task.flow, why }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ingress::without_sink;
    use std::io::Read as _;

    fn streams(setup: Option<tls::Setup>) -> Streams {
        let listeners = Listeners::bind(Some("127.0.0.1:0".parse().unwrap()), None, 0).unwrap();
        let limits = Limits { auth_timeout: Duration::from_secs(30), auth_limit: 100 };
        let streams = Streams::new(listeners, without_sink(), limits, setup).unwrap();
        streams.start(()).unwrap();
        streams
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
        let shared = Arc::new(Shared::new(&listeners, without_sink(), limits, Some(setup)));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _stranger = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, remote) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        let task = admit(&shared, Transport::Tls, &stream, remote).unwrap();
        let start = tokio::time::Instant::now();
        serve(shared.clone(), stream, task).await;
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
        let tls = Flow { transport: Transport::Tls, opens_for: OpensFor::Peer, ..udp };
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

    /// The connection is gone that a request came over; there is a listener at the port of its Via.
    #[test]
    fn only_a_peers_response_gets_a_new_connection_and_what_is_made_for_a_stranger_stays_unproven() {
        let streams = streams(None);
        let phone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let there = phone.local_addr().unwrap();
        let stranger = OpensFor::Stranger(there.ip());
        let gone = Flow::udp("127.0.0.1:5060".parse().unwrap(), "127.0.0.1:9".parse().unwrap());
        let gone = Flow { transport: Transport::Tcp, connection: Some(ConnectionId(99)), ..gone };
        let via = format!("SIP/2.0/TCP phone.example:{};maddr=192.0.2.1;branch=z9hG4bK1", there.port());
        let response = Bytes::from(format!("SIP/2.0 200 OK\r\nVia: {via}\r\nContent-Length: 0\r\n\r\n"));
        let request = Bytes::from(format!("BYE sip:a@h SIP/2.0\r\nVia: {via}\r\nContent-Length: 0\r\n\r\n"));
        for (opens_for, what, is_sent) in [
            (OpensFor::Nobody, &response, false),
            (stranger, &response, false),
            (OpensFor::Peer, &request, false),
            (OpensFor::Peer, &response, true),
        ] {
            let sent = streams.send(Flow { opens_for, ..gone }, what.clone());
            assert_eq!((sent.is_ok(), streams.report().len()), (is_sent, usize::from(is_sent)), "{opens_for:?}");
        }
        let _made = phone.accept().unwrap();
        assert!(streams.report()[0].proven && streams.report()[0].outgoing);
        // A request to a Contact that nobody is registered at.
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let contact = Flow { connection: None, remote: other.local_addr().unwrap(), ..gone };
        assert!(streams.send(contact, request.clone()).unwrap_err().contains("none is opened for a stranger"));
        streams.send(Flow { opens_for: stranger, ..contact }, request).unwrap();
        let _made = other.accept().unwrap();
        assert!(!streams.report()[1].proven && streams.report()[1].outgoing);
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
