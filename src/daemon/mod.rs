//! The wiring: executes the switch's effects, owns the clocks, and starts and stops the threads.

mod addresses;
pub mod certificates;
pub mod clock;
pub mod control_socket;
mod control_view;
mod core_thread;
mod entropy;
mod event_bus;
mod event_queue;
pub mod log;
mod media;
mod media_reports;
mod order;
mod programs;
pub mod provision;
mod receiving;
mod refusals;
mod reload;
mod resolver;
pub mod sentence;
pub mod service;
mod signalling;
mod sink;
mod sip_debug;
mod sip_receivers;
mod sounds;
mod spool;
mod spool_place;
mod spool_scan;
mod stun_service;
mod switch_settings;
pub mod systemd;
mod threads;

use crate::config::diagnostic::Diagnostic;
use crate::config::{Config, Source};
use crate::dialplan;
use crate::net::stun_desk::stun_desk;
use crate::observe::control_api::Reload;
use crate::observe::socket_path;
use crate::pbx::switch::{Listening, Stopping};
use crate::rng::Rng;
use crate::services::phone_files::Board;
use crate::sip::digest::nonce::NonceKey;
use crate::store::{Found, Places, Store};
use addresses::AddressService;
use clock::Clock;
use core_thread::CoreThread;
use entropy::entropy;
use event_bus::{EventBus, LogSubscriber};
use log::Log;
use media::MediaService;
use media_reports::MediaReports;
pub use order::Console;
use order::{Order, ReloadRequest};
use programs::ProgramService;
use provision::ProvisionService;
use receiving::Receiving;
use refusals::RefusalService;
use reload::{Fixed, Reloader};
pub use reload::{LAST_GOOD, keep_last_good};
use resolver::{DnsLocator, ResolverService};
use service::{Service, Services};
use signalling::{Bound, Signalling};
pub use sink::Sink;
use sip_debug::MessageTrace;
use sip_receivers::{StreamService, UdpService};
use sounds::{SoundDesk, SoundService};
use spool::SpoolService;
use std::io;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use stun_service::StunService;
use switch_settings::{SettingsBase, process_environment};
pub use threads::Thread;
use threads::{ThreadEnd, ThreadEnds, ThreadMonitor};

/// What an exchange is started with.
pub struct Plan {
    /// The configuration, read.
    pub config: Config,
    /// Where log lines go.
    pub sink: Sink,
    /// The log behind it, when there is one that takes orders.
    pub log: Option<Log>,
    /// Where what outlives a restart is kept; an empty list: nothing does.
    pub places: Places,
    /// Where a reload reads, as [`crate::config::load::load`] is given it; none when the configuration came from no
    /// files.
    pub reload: Option<PathBuf>,
    /// Services besides those that carry SIP and media; started after them and stopped before them.
    pub services: Vec<Box<dyn Service>>,
    /// Sockets that systemd opened, to be used for what listens there.
    pub activated: Vec<UdpSocket>,
}

/// Orders that may wait for the core thread. An event beyond is dropped and counted, and the phone sends it again.
const MAX_ORDERS: usize = 8192;

/// A running exchange.
pub struct Running {
    /// Where it listens for SIP.
    pub listening: Listening,
    /// The state folder; none: nothing outlives a restart.
    pub state: Option<PathBuf>,
    orders: SyncSender<Order>,
    ends: ThreadEnds,
    /// The thread that ended first, once one has: the switch, unless another one failed.
    first: Option<ThreadEnd>,
    restart: Arc<AtomicBool>,
    reloads: Option<SyncSender<ReloadRequest>>,
    core: Option<JoinHandle<()>>,
    services: Arc<Mutex<Services>>,
}

/// Starts an exchange: binds its sockets, starts its services and the core thread. Returns the dialplan's diagnostics,
/// too.
///
/// # Errors
/// A socket cannot be bound (the message says which and what to do), a service cannot start, or the system refuses a
/// thread or entropy. Nothing is left running.
pub fn start(plan: Plan) -> io::Result<(Running, Vec<Diagnostic>)> {
    let Plan { config, sink, log, reload, places, services, activated } = plan;
    let bound = Bound::bind(&config.sip.general)?;
    let listening = bound.listening;
    let clock = Clock::start();
    let mut rng = Rng::from_seed(entropy()?);
    let (store, key) = open_store(&places, clock, &sink, rng.bits())?;
    let (dialplan, diagnostics) = dialplan::parse_in(&config.extensions, "pbx_config", &config.zones);
    let state = store.as_ref().map(|(store, _)| store.folder().to_owned());
    let recordings = spool_place::recordings(&config, state.as_deref()).map(|folder| folder.display().to_string());
    let base = SettingsBase { key, listening, recordings, process: process_environment() };
    let settings = base.with(&config, dialplan);
    let (orders, inbox) = sync_channel(MAX_ORDERS);
    let (monitor, ends) = threads::monitor();
    let trace = MessageTrace::new(config.sip.general.sip_debug, sink.clone());
    let receiving = Receiving::new(settings.admission.clone(), trace);
    // THE list of those who learn what happens: a new one is one more here.
    let (spooled, outcomes) = spool::outcomes();
    let events = EventBus::new(vec![Box::new(LogSubscriber(sink.clone())), Box::new(spooled)]);
    let reports = Arc::new(MediaReports::new(orders.clone(), receiving.counters.clone()));
    let parts = Parts {
        config: &config,
        orders: &orders,
        sink: &sink,
        events: &events,
        receiving: &receiving,
        monitor: &monitor,
        reports: &reports,
        clock,
        state: state.clone(),
        activated,
    };
    let mut services = services;
    let spools = spool_place::outgoing(&config, state.as_deref());
    services.push(Box::new(SpoolService::new(spools, orders.clone(), sink.clone(), outcomes)));
    let Prepared { signalling, media, programs, sounds, phones, services } = parts.prepare(bound, services)?;
    let services = Services::start(services, &Console::new(orders.clone()))?;
    sink(&media::begins(&media.priority()));
    let services = Arc::new(Mutex::new(services));
    let reloads = match reload {
        Some(place) => {
            let (reloads, requests) = sync_channel(reload::MAX_WAITING);
            let (fixed, orders, services) = (Fixed::of(&config), orders.clone(), services.clone());
            let state = state.clone();
            let reloader = Reloader { place, fixed, base, orders, services, sink: sink.clone(), state };
            std::thread::Builder::new().name("reload".into()).spawn(move || reloader.run(&requests))?;
            Some(reloads)
        }
        None => None,
    };
    let restart = Arc::new(AtomicBool::new(false));
    let core = CoreThread {
        guard: monitor.guard(Thread::Switch),
        clock,
        inbox,
        reports,
        signalling,
        media,
        programs,
        sounds,
        phones,
        sink,
        events,
        receiving,
        rtp: (config.rtp.port_first, config.rtp.port_last),
        directory: directory(&config.source),
        log,
        reloads: reloads.clone(),
        restart: restart.clone(),
    };
    let state = store.as_ref().map(|(store, _)| store.folder().to_owned());
    let core = std::thread::Builder::new().name("switch".into()).spawn(move || core.run(settings, rng, store))?;
    let core = Some(core);
    Ok((Running { listening, state, orders, ends, first: None, restart, reloads, core, services }, diagnostics))
}

/// Where the configuration was read from, as consoles name it.
fn directory(source: &Source) -> Option<PathBuf> {
    match source {
        Source::Texts => None,
        Source::Directory(directory) => Some(socket_path::identity(Some(directory))),
    }
}

/// What the services are made of.
struct Parts<'a> {
    config: &'a Config,
    orders: &'a SyncSender<Order>,
    sink: &'a Sink,
    events: &'a EventBus,
    receiving: &'a Receiving,
    monitor: &'a ThreadMonitor,
    reports: &'a Arc<MediaReports>,
    clock: Clock,
    state: Option<PathBuf>,
    activated: Vec<UdpSocket>,
}

/// The services, not yet started, and what the core thread uses of them.
struct Prepared {
    signalling: Signalling,
    media: Arc<crate::media::Media>,
    programs: Arc<crate::programs::Programs>,
    sounds: SoundDesk,
    phones: Arc<Board>,
    services: Vec<Box<dyn Service>>,
}

impl Parts<'_> {
    /// THE list of services: a new one is one more line here, or in what the program adds.
    fn prepare(self, bound: Bound, others: Vec<Box<dyn Service>>) -> io::Result<Prepared> {
        let Bound { datagrams, listeners, listening } = bound;
        let (config, sink) = (self.config, self.sink);
        let Receiving { auth_table, counters, .. } = self.receiving;
        let refusals = RefusalService::new(self.events.clone(), auth_table.clone(), counters.clone(), self.clock);
        let queue = self.receiving.queue(self.orders.clone(), refusals.desk(), self.clock);
        let ingress = || self.receiving.ingress(queue.clone());
        let guard = |thread| self.monitor.guard(thread);
        let media = MediaService::new(config, entropy()?, self.reports.clone(), guard(Thread::Media))?;
        let streams = if listeners.is_empty() {
            None
        } else {
            Some(StreamService::new(listeners, config, sink.clone(), ingress()?, guard(Thread::Connections))?)
        };
        let (desk, answers) = stun_desk();
        let udp = UdpService::new(datagrams.clone(), ingress()?, desk.clone(), guard(Thread::Receiver))?;
        let told = (self.orders.clone(), sink.clone());
        let stun = StunService::new(config, datagrams.clone(), (desk, answers), told, entropy()?);
        let resolver = ResolverService::new(config, self.orders.clone(), sink.clone(), entropy()?);
        let signalling = Signalling { datagrams, streams: streams.as_ref().map(StreamService::streams), listening };
        let handle = media.media();
        let locator = DnsLocator::new(&config.sip, sink.clone(), entropy()?);
        let programs =
            ProgramService::new(config, self.state.clone(), locator, self.orders.clone(), guard(Thread::Programs));
        let running = programs.programs();
        let addresses = AddressService::new(self.orders.clone(), handle.clone(), sink.clone());
        let (sound_service, sounds) = SoundService::new(config, self.state.clone(), self.orders.clone());
        let mut services: Vec<Box<dyn Service>> =
            vec![Box::new(media), Box::new(programs), Box::new(addresses), Box::new(refusals)];
        services.extend(streams.map(|streams| Box::new(streams) as Box<dyn Service>));
        services.push(Box::new(udp));
        services.push(Box::new(resolver));
        services.push(Box::new(stun));
        services.push(Box::new(sound_service));
        let provision = ProvisionService::new(config, self.activated, self.events.clone(), sink.clone());
        let phones = provision.board();
        services.push(Box::new(provision));
        services.extend(others);
        Ok(Prepared { signalling, media: handle, programs: running, sounds, phones, services })
    }
}

impl Running {
    /// A way to hand console lines to this exchange.
    pub fn console(&self) -> Console {
        Console::new(self.orders.clone())
    }

    /// Ends every call (`Now`) or waits for the last to end, without waiting here.
    pub fn stop(&self, how: Stopping) {
        // The core thread may have ended already: then there is nothing to stop.
        let _ = self.orders.send(Order::Stop(how));
    }

    /// Reads the configuration again, without waiting here; the outcome is logged. False: it came from no files, or too
    /// many reloads wait already.
    pub fn reload(&self) -> bool {
        let request = ReloadRequest { what: Reload::All, reply: None };
        self.reloads.as_ref().is_some_and(|reloads| reloads.try_send(request).is_ok())
    }

    /// Is the program to be started again when the switch has stopped (`core restart`)?
    pub fn wants_restart(&self) -> bool {
        self.restart.load(Ordering::Relaxed)
    }

    /// Waits until an essential thread has ended. The switch: the exchange is over. Another one: it has failed, and the
    /// exchange is to be stopped.
    pub async fn ended(&mut self) -> Thread {
        // When none is left to report, the last was the switch.
        let end = self.ends.next().await.unwrap_or(ThreadEnd { thread: Thread::Switch, panicked: false });
        self.first.get_or_insert(end);
        end.thread
    }

    /// Waits for the switch to stop, then stops every service.
    ///
    /// # Errors
    /// An essential thread failed, or ended before the switch did: that is no stop anybody asked for.
    pub fn join(mut self) -> Result<(), String> {
        let core = self.core.take().map_or(Ok(()), JoinHandle::join);
        // Until the switch ended, no other thread had a reason to.
        let first = self.first.or_else(|| self.ends.try_next());
        self.stop_services();
        let panicked = std::iter::from_fn(|| self.ends.try_next()).find(|end| end.panicked);
        let failed = match core {
            Err(_) => Some(Thread::Switch),
            Ok(()) => panicked.or(first).map(|end| end.thread).filter(|thread| *thread != Thread::Switch),
        };
        failed.map_or(Ok(()), |thread| Err(format!("the {thread} failed (see above): please report it")))
    }

    fn stop_services(&self) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).stop();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_services();
    }
}

/// The store with what was found in it, and the nonce key: kept there, or good for this run. `start` is the number of this
/// run.
fn open_store(
    places: &Places,
    clock: Clock,
    sink: &Sink,
    start: u64,
) -> io::Result<(Option<(Store, Found)>, NonceKey)> {
    let store = Store::open(places, clock.now(), clock::zone, sink.clone());
    let fresh = entropy()?;
    let key = store.as_ref().map_or(fresh, |(store, _)| store.nonce_key(fresh));
    Ok((store, NonceKey::new(key, start)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener, UdpSocket};
    use std::time::{Duration, Instant};

    /// A service that cannot start, or only takes part.
    struct Last {
        fails: bool,
        ended: SyncSender<()>,
    }

    impl Service for Last {
        fn start(&mut self, _: &Console) -> io::Result<()> {
            if self.fails { Err(io::Error::other("no room for it")) } else { Ok(()) }
        }

        fn renew(&mut self, _: &Config) {}

        fn stop(&mut self) {
            self.ended.send(()).unwrap();
        }
    }

    /// An exchange at one port for UDP and TCP, with `last` as its last service.
    fn plan(at: SocketAddr, sink: &Sink, last: Last) -> Plan {
        let text = "[general]\nudpbindaddr=127.0.0.1\ntcpenable=yes\ntcpbindaddr=127.0.0.1\n";
        let mut config = Config::from_texts(text, "", "", "").0.unwrap();
        config.sip.general.bind = at;
        config.sip.general.streams.tcp = Some(at);
        (config.rtp.port_first, config.rtp.port_last) = (42_640, 42_659);
        let (places, services) = (Places::default(), vec![Box::new(last) as Box<dyn Service>]);
        Plan { config, sink: sink.clone(), log: None, places, reload: None, services, activated: Vec::new() }
    }

    /// Every thread and every service has the sink: when nobody else has it, none is left.
    fn assert_nothing_is_left(at: SocketAddr, sink: &Sink) {
        let start = Instant::now();
        while Arc::strong_count(sink) > 1 {
            assert!(start.elapsed() < Duration::from_secs(10), "{} are left", Arc::strong_count(sink) - 1);
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(UdpSocket::bind(at).is_ok() && TcpListener::bind(at).is_ok());
    }

    #[test]
    fn nothing_is_left_of_an_exchange_that_stopped_nor_of_one_whose_last_service_cannot_start() {
        let at = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let sink: Sink = Arc::new(|_| {});
        let (ended, has_ended) = sync_channel(4);
        let error = start(plan(at, &sink, Last { fails: true, ended: ended.clone() })).err().unwrap();
        assert_eq!(error.to_string(), "no room for it");
        assert!(has_ended.try_recv().is_err(), "it was never started, so it is not stopped");
        assert_nothing_is_left(at, &sink);
        let (running, _) = start(plan(at, &sink, Last { fails: false, ended })).unwrap();
        assert!(UdpSocket::bind(at).is_err() && TcpListener::bind(at).is_err());
        running.stop(Stopping::Now);
        assert_eq!(running.join(), Ok(()));
        assert_eq!(has_ended.try_recv(), Ok(()));
        assert_nothing_is_left(at, &sink);
    }
}
