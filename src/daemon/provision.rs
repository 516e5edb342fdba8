//! The files of telephones as a service: TFTP and HTTP, on one thread.

use super::clock;
use super::event_bus::EventBus;
use super::order::Console;
use super::service::Service;
use super::sink::Sink;
use crate::config::{Config, Source};
use crate::dialplan;
use crate::event::{Event, Level, LogLine};
use crate::provision::fleet::Device;
use crate::provision::{Shelf, Stock};
use crate::services::phone_files::{Board, Networks, PhoneFiles, Settings};
use crate::services::tftp::RequestSocket;
use crate::services::{Publish, phone_http, tftp};
use crate::wording::plural;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// The folder of the user's own files, beside the configuration.
const FOLDER: &str = "provision";
/// Devices named after a reload as having old files; of more the number is said.
const MAX_STALE: usize = 20;
/// Where files are served, in words; the keys order them.
const TFTP: &str = "1 tftp";
const HTTP: &str = "2 http";

/// Serves files to telephones.
pub(super) struct ProvisionService {
    endpoints: Endpoints,
    /// Until the first start.
    settings: Option<Settings>,
    activated: Vec<UdpSocket>,
    board: Arc<Board>,
    publish: Publish,
    sink: Sink,
    running: Option<Running>,
    /// What files are made of now.
    stock: Option<Stock>,
}

struct Running {
    files: Arc<PhoneFiles>,
    /// Dropped, it ends the thread; none: nothing is served.
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// Where files are served; none: they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Endpoints {
    tftp: Option<SocketAddr>,
    http: Option<SocketAddr>,
}

/// The sockets of that.
struct Sockets {
    tftp: Option<UdpSocket>,
    http: Option<TcpListener>,
}

impl ProvisionService {
    /// Prepares the service. What systemd has opened is used where it fits.
    pub(super) fn new(config: &Config, activated: Vec<UdpSocket>, events: EventBus, sink: Sink) -> ProvisionService {
        let publish: Publish = Arc::new(move |event: Event| events.publish(&event));
        let (settings, endpoints) = settings(config);
        let board = Arc::new(Board::default());
        let stock = settings.shelf.stock().cloned();
        ProvisionService { endpoints, settings: Some(settings), activated, board, publish, sink, running: None, stock }
    }

    /// What the console sees of it.
    pub(super) fn board(&self) -> Arc<Board> {
        self.board.clone()
    }

    fn run(&mut self, settings: Settings) -> io::Result<()> {
        let folder = settings.folder.clone();
        self.board.set_folder(folder.display().to_string());
        let files = Arc::new(PhoneFiles::new(settings, self.board.clone(), self.publish.clone()));
        let sockets = self.sockets(&folder);
        let thread = match sockets {
            Sockets { tftp: None, http: None } => None,
            sockets => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let (over, is_over) = oneshot::channel();
                let (served, sink) = (files.clone(), self.sink.clone());
                let run = move || LocalSet::new().block_on(&runtime, serve(sockets, served, sink, is_over));
                Some((over, std::thread::Builder::new().name("provision".into()).spawn(run)?))
            }
        };
        self.running = Some(Running { files, thread });
        Ok(())
    }

    /// Opens what is to be served at. What cannot be opened is said, and the rest goes on: calls matter more.
    fn sockets(&self, folder: &Path) -> Sockets {
        let Endpoints { tftp, http } = self.endpoints;
        let off =
            |what: &str, key: &str| format!("{what}: off ('{key} = true' in [provision] of strowger.toml turns it on)");
        let tftp = tftp.and_then(|at| match self.udp(at) {
            Ok(socket) => {
                self.is_on(TFTP, format!("TFTP: {}", local(socket.local_addr(), at)), folder);
                Some(socket)
            }
            Err(error) => {
                self.failed(TFTP, format!("TFTP for phones is off: {}", no_port(at, &error, folder)));
                None
            }
        });
        let http = http.and_then(|at| match TcpListener::bind(at) {
            Ok(listener) => {
                self.is_on(HTTP, format!("HTTP: {}", local(listener.local_addr(), at)), folder);
                Some(listener)
            }
            Err(error) => {
                let text = format!("HTTP for phones is off: {at} cannot be listened on: {error} (http_listen= in [provision] of strowger.toml)");
                self.failed(HTTP, text);
                None
            }
        });
        if self.endpoints.tftp.is_none() {
            self.board.set_service(TFTP, Some(off("TFTP", "tftp")));
        }
        if self.endpoints.http.is_none() {
            self.board.set_service(HTTP, Some(off("HTTP", "http")));
        }
        Sockets { tftp, http }
    }

    fn udp(&self, at: SocketAddr) -> io::Result<UdpSocket> {
        let is_it = |socket: &&UdpSocket| socket.local_addr().is_ok_and(|local| local.port() == at.port());
        match self.activated.iter().find(is_it) {
            Some(socket) => socket.try_clone(),
            None => UdpSocket::bind(at),
        }
    }

    fn is_on(&self, name: &'static str, text: String, folder: &Path) {
        (self.sink)(&LogLine::notice(format!("Files for phones by {text}; your own lie in {}", folder.display())));
        self.board.set_service(name, Some(text));
    }

    fn failed(&self, name: &'static str, text: String) {
        (self.sink)(&LogLine { level: Level::Error, text: text.clone() });
        self.board.set_service(name, Some(text));
    }

    fn end(&mut self) {
        if let Some((over, thread)) = self.running.take().and_then(|running| running.thread) {
            drop(over);
            // A thread that has panicked has said so already.
            let _ = thread.join();
        }
    }
}

impl Service for ProvisionService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        match self.settings.take() {
            Some(settings) => self.run(settings),
            None => Ok(()),
        }
    }

    fn renew(&mut self, config: &Config) {
        let (settings, endpoints) = settings(config);
        let stock = settings.shelf.stock().cloned();
        if let (Some(before), Some(now)) = (&self.stock, &stock) {
            stale(before, now).into_iter().for_each(|line| (self.sink)(&LogLine::notice(line)));
        }
        self.stock = stock;
        if let Some(running) = self.running.as_ref().filter(|_| endpoints == self.endpoints) {
            self.board.set_folder(settings.folder.display().to_string());
            return running.files.renew(settings);
        }
        self.end();
        self.endpoints = endpoints;
        if let Err(error) = self.run(settings) {
            self.failed(TFTP, format!("Files for phones are not served: the system has no thread for it: {error}"));
        }
    }

    /// Transfers under way are broken off: telephones ask again.
    fn stop(&mut self) {
        self.end();
    }
}

/// The devices that have files of before a reload, a line each, and what to do.
fn stale(before: &Stock, now: &Stock) -> Vec<String> {
    let changed = now.changed_since(before);
    let line = |device: &&Device| {
        let (mac, peers) =
            (device.mac.map(|mac| mac.to_string()).unwrap_or_default(), device.peers().collect::<Vec<_>>());
        let what = format!("{} {mac} ({}) has files of before this change", device.model.title, peers.join(", "));
        match (&device.model.push, peers.first()) {
            (Some(_), Some(peer)) => format!("{what}: 'strowger provision push {peer}' has it fetch them anew"),
            _ => format!("{what}: restart it, and it fetches them anew"),
        }
    };
    let mut lines: Vec<String> = changed.iter().take(MAX_STALE).map(line).collect();
    let others = changed.len().saturating_sub(MAX_STALE);
    if others > 0 {
        lines.push(format!("{} more have files of before this change", plural(others, "device")));
    }
    lines
}

async fn serve(sockets: Sockets, files: Arc<PhoneFiles>, sink: Sink, is_over: oneshot::Receiver<()>) {
    let Sockets { tftp: datagrams, http } = sockets;
    let unusable = |what: &str, error: io::Error| {
        sink(&LogLine { level: Level::Error, text: format!("{what} for phones is off: {error}") });
    };
    let tftp = async {
        match datagrams.map(RequestSocket::new) {
            Some(Ok(socket)) => tftp::serve(socket, files.clone()).await,
            Some(Err(error)) => unusable("TFTP", error),
            None => {}
        }
        std::future::pending::<()>().await;
    };
    let http = async {
        let listener = http.map(|listener| {
            listener.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(listener)
        });
        match listener {
            Some(Ok(listener)) => phone_http::serve(listener, files.clone()).await,
            Some(Err(error)) => unusable("HTTP", error),
            None => {}
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = tftp => {}
        () = http => {}
        _ = is_over => {}
    }
}

/// The files that a configuration makes, and the folder of the user's own: for commands that look at them.
pub fn shelf_of(config: &Config) -> (Shelf, PathBuf) {
    let (settings, _) = settings(config);
    (settings.shelf, settings.folder)
}

/// What a configuration says of files for telephones.
fn settings(config: &Config) -> (Settings, Endpoints) {
    let conf = &config.toml.provision;
    let (plan, _) = dialplan::parse_in(&config.extensions, "pbx_config", &config.zones);
    // What is wrong with devices and templates is said by `check`, and at the start.
    let (stock, _) = Stock::of(config, &plan, clock::wall());
    let mut shelf = Shelf::default();
    shelf.set_stock(stock);
    let address = match config.sip.general.bind.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ip => ip,
    };
    let endpoint = |wanted: Option<bool>, at: Option<SocketAddr>, port: u16| {
        let is_wanted = wanted.unwrap_or_else(|| shelf.has_devices());
        is_wanted.then(|| at.unwrap_or(SocketAddr::new(address, port)))
    };
    let endpoints = Endpoints {
        tftp: endpoint(conf.tftp, conf.tftp_listen, tftp::PORT),
        http: endpoint(conf.http, conf.http_listen, phone_http::PORT),
    };
    shelf.set_ports(endpoints.tftp.map_or(tftp::PORT, |at| at.port()), endpoints.http.map(|at| at.port()));
    let directory = match &config.source {
        Source::Texts => PathBuf::new(),
        Source::Directory(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.clone()),
    };
    let folder = directory.join(conf.folder.as_deref().unwrap_or(Path::new(FOLDER)));
    let networks = Networks::new(conf.networks.clone());
    (Settings { shelf, folder, networks }, endpoints)
}

fn local(bound: io::Result<SocketAddr>, asked: SocketAddr) -> SocketAddr {
    bound.unwrap_or(asked)
}

/// Why TFTP has no port, and how to get it.
fn no_port(at: SocketAddr, error: &io::Error, folder: &Path) -> String {
    let port = at.port();
    let only = if port == tftp::PORT { ", and Cisco phones ask no other" } else { "" };
    let what = match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "a service gets it by 'systemctl enable strowger-tftp.socket; systemctl stop strowger; systemctl start \
             strowger-tftp.socket strowger', a program started by hand by 'sysctl net.ipv4.ip_unprivileged_port_start={port}' as root"
        ),
        io::ErrorKind::AddrInUse => format!(
            "'ss -ulpn sport = :{port}' as root says which program has it: stop that one. What it serves can go on from here: put its \
             files into {}",
            folder.display()
        ),
        _ => "tftp_listen= in [provision] of strowger.toml says where to listen".to_owned(),
    };
    format!("port {port} of {} is not ours ({error}){only}: {what}", at.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn config(bind: &str, toml: &str) -> Config {
        Config::from_texts(&format!("[general]\nudpbindaddr={bind}\n"), "", "", toml).0.unwrap()
    }

    #[test]
    fn devices_with_old_files_are_named_after_a_reload() {
        let stock = |secret: &str, device: &str| {
            let peer =
                format!("[kitchen]\ntype=friend\nhost=dynamic\nsecret={secret}\nmac=0014A9BC0001\ndevice={device}");
            settings(&config(&format!("192.168.1.1\n{peer}"), "")).0.shelf.stock().cloned().unwrap()
        };
        let (one, other) = (stock("k3vw9m2xq8tz", "pap2t"), stock("z3vw9m2xq8tz", "pap2t"));
        assert_eq!(stale(&one, &one), [""; 0]);
        let said = "Linksys PAP2T 0014A9BC0001 (kitchen) has files of before this change: 'strowger provision push kitchen' has it fetch them anew";
        assert_eq!(stale(&one, &other), [said]);
    }

    #[test]
    fn nothing_is_served_unless_asked_for_and_then_where_sip_is() {
        let endpoints = |bind, toml| settings(&config(bind, toml)).1;
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(endpoints("0.0.0.0", ""), Endpoints { tftp: None, http: None });
        let both = "[provision]\ntftp = true\nhttp = true\n";
        assert_eq!(endpoints("0.0.0.0", both), Endpoints { tftp: at("0.0.0.0:69"), http: at("0.0.0.0:8069") });
        assert_eq!(
            endpoints("192.168.1.1", both),
            Endpoints { tftp: at("192.168.1.1:69"), http: at("192.168.1.1:8069") }
        );
        let named = "[provision]\ntftp = true\ntftp_listen = '127.0.0.1:6969'\nhttp_listen = '[::]:80'\n";
        assert_eq!(endpoints("0.0.0.0", named), Endpoints { tftp: at("127.0.0.1:6969"), http: None });
        let peer = "192.168.1.1\n[kitchen]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\nmac=0014A9BC0001\ndevice=cisco-7960";
        assert_eq!(
            endpoints(peer, ""),
            Endpoints { tftp: at("192.168.1.1:69"), http: at("192.168.1.1:8069") },
            "a device"
        );
        let refused = "[provision]\ntftp = false\nhttp = false\n";
        assert_eq!(endpoints(peer, refused), Endpoints { tftp: None, http: None });
    }

    #[test]
    fn a_port_that_is_not_ours_is_said_with_what_to_do_and_the_exchange_starts() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = taken.local_addr().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = said.clone();
        let sink: Sink = Arc::new(move |line: &LogLine| lines.lock().unwrap().push(line.clone()));
        let config = config("127.0.0.1", &format!("[provision]\ntftp = true\ntftp_listen = '{at}'\n"));
        let mut service = ProvisionService::new(&config, Vec::new(), EventBus::new(Vec::new()), sink);
        service.start(&Console::new(std::sync::mpsc::sync_channel(1).0)).unwrap();
        let line = said.lock().unwrap().remove(0);
        assert_eq!(line.level, Level::Error);
        assert!(
            line.text.starts_with(&format!("TFTP for phones is off: port {} of 127.0.0.1 is not ours", at.port())),
            "{}",
            line.text
        );
        assert!(line.text.contains("says which program has it"), "{}", line.text);
        let denied = no_port("0.0.0.0:69".parse().unwrap(), &io::ErrorKind::PermissionDenied.into(), Path::new("/x"));
        assert!(denied.contains("Cisco phones ask no other") && denied.contains("strowger-tftp.socket"), "{denied}");
        // What systemd has opened is used.
        drop(taken);
        let given = UdpSocket::bind(at).unwrap();
        service.activated = vec![given];
        service.endpoints.http = None;
        service.running = None;
        service.run(settings(&config).0).unwrap();
        assert_eq!(service.board().rows().services[0], format!("TFTP: {at}"));
        service.stop();
    }
}
