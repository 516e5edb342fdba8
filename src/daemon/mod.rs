//! The wiring: executes the switch's effects, owns the clocks, and starts and ends the threads.

pub mod certificates;
pub mod clock;
mod control_view;
mod core_thread;
mod event_queue;
pub mod log;
mod reload;
mod resolver;
pub mod sentence;
mod signalling;
mod sip_debug;
pub mod systemd;
mod threads;

use crate::config::Config;
use crate::config::diagnostic::Diagnostic;
use crate::config::general::General;
use crate::config::peer::Names;
use crate::dialplan;
use crate::event::LogLine;
use crate::guard::admission::Admission;
use crate::media::{Media, MediaSettings};
use crate::net::ingress::{self, Ingress};
use crate::net::{rate_limit::Limiter, udp, wakeup::Wakeup};
use crate::observe::control::Request as ConsoleRequest;
use crate::observe::control_api::Reload;
use crate::pbx::effect::Event;
use crate::pbx::switch::{Listening, Stopping, SwitchSettings};
use crate::rng::Rng;
use crate::sip::digest::nonce::NonceKey;
use crate::store::{Found, Places, Store};
use clock::Clock;
use core_thread::{Order, Owner};
use log::Log;
pub use reload::Reloading;
use reload::{Reloader, Wanted};
use resolver::Resolver;
use signalling::Bound;
use sip_debug::Watch;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
pub use threads::Hand;
use threads::{Ends, muster};

/// Where log lines go; called from several threads.
pub type Sink = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// What an exchange is started with.
pub struct Plan {
    /// The configuration, read.
    pub config: Config,
    /// Sounds of the user's by name, 8 kHz.
    pub sounds: BTreeMap<String, Arc<[i16]>>,
    /// Where the log goes.
    pub sink: Sink,
    /// The log behind it, when there is one that can be told something.
    pub log: Option<Log>,
    /// Where what outlives a restart is kept; an empty list: nothing does.
    pub places: Places,
    /// Where a reload reads; none when the configuration came from no files.
    pub reload: Option<Reloading>,
}

/// Most events waiting for the switch; what comes beyond is dropped and counted, and the phones ask again.
const QUEUE: usize = 8192;

/// A running exchange.
pub struct Running {
    /// Where it listens for SIP.
    pub listening: Listening,
    /// The state folder; none: nothing outlives a restart.
    pub state: Option<PathBuf>,
    orders: SyncSender<Order>,
    /// Tells the receiver to end.
    over: Wakeup,
    ends: Ends,
    /// The thread that ended first, once one has: the switch, unless another one failed.
    first: Option<Hand>,
    restart: Arc<AtomicBool>,
    reloads: Option<SyncSender<Wanted>>,
    owner: Option<JoinHandle<()>>,
    receiver: Option<JoinHandle<()>>,
}

/// Starts an exchange: binds its socket, starts its threads. Returns what the dialplan had to say, too.
///
/// # Errors
/// The SIP socket cannot be bound (the message says which and what to do), or the system refuses a thread or entropy.
pub fn start(plan: Plan) -> io::Result<(Running, Vec<Diagnostic>)> {
    let Plan { config, sounds, sink, log, reload, places } = plan;
    let general = Arc::new(config.sip.general.clone());
    let bound = Bound::bind(&general)?;
    let listening = bound.listening;
    let clock = Clock::start();
    let rng = Rng::from_seed(entropy()?);
    let (store, key) = open_store(&places, clock, &sink)?;
    let (plan, diagnostics) = dialplan::parse(&config.extensions, "pbx_config");
    let (orders, inbox) = sync_channel(QUEUE);
    let settings = settings(&config, plan, &key, listening, &sounds);
    let admission = settings.admission.clone();
    let (crew, ends) = muster();
    let media = start_media(&config, crew.post(Hand::Media), orders.clone())?;
    let over = Wakeup::new()?;
    let counters = Arc::new(ingress::Counters::default());
    let limiter = Arc::new(Limiter::default());
    let watch = Arc::new(Watch::new(general.sip_debug, sink.clone()));
    let auth_table = Arc::new(ingress::AuthTable::new(admission));
    let heard = (sink.clone(), watch.clone());
    let outlet = Arc::new(event_queue::ToSwitch::new(orders.clone(), heard, auth_table.clone(), clock));
    let make_ingress = || -> io::Result<Ingress> {
        let (auth_table, limiter, counters) = (auth_table.clone(), limiter.clone(), counters.clone());
        Ok(Ingress { auth_table, limiter, counters, rng: Rng::from_seed(entropy()?), sink: outlet.clone() })
    };
    let receiver = udp::Receiver { datagrams: bound.datagrams.clone(), ingress: make_ingress()?, over: over.clone() };
    let signalling = bound.serve(&config, &sink, make_ingress, || crew.post(Hand::Connections))?;
    let names = look_up_names(&config, &orders, &sink)?;
    let reloads = match reload {
        Some(reloading) => {
            let reloader = Reloader::new(reloading, &config, orders.clone(), sink.clone(), key, listening, sounds);
            let (reloads, wanted) = sync_channel(reload::QUEUE);
            std::thread::Builder::new().name("reload".into()).spawn(move || reloader.run(&wanted))?;
            Some(reloads)
        }
        None => None,
    };
    let restart = Arc::new(AtomicBool::new(false));
    let owner = Owner {
        post: crew.post(Hand::Switch),
        clock,
        inbox,
        signalling,
        media,
        sink,
        log,
        counters,
        limiter,
        watch,
        rtp: (config.rtp.port_first, config.rtp.port_last),
        auth_table,
        names,
        reloads: reloads.clone(),
        restart: restart.clone(),
    };
    let state = store.as_ref().map(|(store, _)| store.folder().to_owned());
    let owner = std::thread::Builder::new().name("switch".into()).spawn(move || owner.run(settings, rng, store))?;
    let post = crew.post(Hand::Receiver);
    let receiver = std::thread::Builder::new().name("sip-udp".into()).spawn(move || {
        let _post = post;
        receiver.run();
    })?;
    let running = Running {
        listening,
        state,
        orders,
        over,
        ends,
        first: None,
        restart,
        reloads,
        owner: Some(owner),
        receiver: Some(receiver),
    };
    Ok((running, diagnostics))
}

fn start_media(config: &Config, post: threads::Post, orders: SyncSender<Order>) -> io::Result<Media> {
    let (ports, dscp) = (config.rtp.port_first..=config.rtp.port_last, dscp(&config.sip.general));
    Media::start(MediaSettings { ports, dscp, seed: entropy()? }, move |event| {
        // The thread has this closure, and with it its post, for as long as it lives.
        let _post = &post;
        // No report is lost: when the queue is full, packets wait with it until the switch has taken the next event.
        drop(orders.send(Order::Event(Box::new(Event::Media(event)))));
    })
}

/// What a switch is told by a configuration, at the start and at every reload.
fn settings(
    config: &Config,
    plan: dialplan::Dialplan,
    key: &NonceKey,
    listening: Listening,
    sounds: &BTreeMap<String, Arc<[i16]>>,
) -> SwitchSettings {
    let general = Arc::new(config.sip.general.clone());
    let peers = Arc::new(config.sip.peers.clone());
    SwitchSettings {
        local_towards: signalling::routes(&peers, &Names::new()),
        peers,
        dialplan: Arc::new(plan),
        strictness: config.rtp.strictness,
        admission: Arc::new(Admission::new(&config.sip, key.clone())),
        listening,
        sounds: sounds.clone(),
        product: general.user_agent.clone(),
        general,
    }
}

impl Running {
    /// A way to hand console lines to this exchange.
    pub fn console(&self) -> Console {
        Console { orders: self.orders.clone() }
    }

    /// Ends every call (`Now`) or waits for the last to end, without waiting here.
    pub fn stop(&self, how: Stopping) {
        // The owner may be gone already: then there is nothing to stop.
        let _ = self.orders.send(Order::Stop(how));
    }

    /// Reads the configuration again, without waiting here; what comes of it is told to the log. False: it came from no files,
    /// or too many reloads wait already.
    pub fn reload(&self) -> bool {
        let wanted = Wanted { what: Reload::All, reply: None };
        self.reloads.as_ref().is_some_and(|reloads| reloads.try_send(wanted).is_ok())
    }

    /// Is the program to be started again when the switch has stopped (`core restart`)?
    pub fn wants_restart(&self) -> bool {
        self.restart.load(Ordering::Relaxed)
    }

    /// Waits until one of the threads has ended that everything depends on. The switch: the exchange is over. Another one: it is not an
    /// exchange any more, and is to be stopped.
    pub async fn ended(&mut self) -> Hand {
        let hand = self.ends.next().await;
        self.first.get_or_insert(hand);
        hand
    }

    /// Waits for the switch to stop, then for every thread.
    ///
    /// # Errors
    /// One of them failed, or ended before the switch did: whoever started the exchange must not take that for a stop.
    pub fn join(mut self) -> Result<(), String> {
        let owner = self.owner.take().map(JoinHandle::join);
        // Until the switch ended, nobody else had a reason to.
        let first = self.first.or_else(|| self.ends.passed());
        self.over.signal();
        let receiver = self.receiver.take().map(JoinHandle::join);
        let failed = match (owner, receiver) {
            (Some(Err(_)), _) => Some(Hand::Switch),
            (_, Some(Err(_))) => Some(Hand::Receiver),
            _ => first.filter(|hand| *hand != Hand::Switch),
        };
        failed.map_or(Ok(()), |hand| Err(format!("the {hand} failed (see above): please report it")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.over.signal();
    }
}

/// Hands console lines to the switch.
#[derive(Clone)]
pub struct Console {
    orders: SyncSender<Order>,
}

impl Console {
    /// Has a console's request answered by the switch; false when the exchange is over.
    pub fn ask(&self, request: ConsoleRequest) -> bool {
        self.orders.send(Order::Console(request)).is_ok()
    }
}

/// The store, with what was found in it, and the nonce key: kept there, or good for this run.
fn open_store(places: &Places, clock: Clock, sink: &Sink) -> io::Result<(Option<(Store, Found)>, NonceKey)> {
    let store = Store::open(places, clock.now(), clock::zone, sink.clone());
    let fresh = entropy()?;
    let key = store.as_ref().map_or(NonceKey(fresh), |(store, _)| store.nonce_key(fresh));
    Ok((store, key))
}

/// The thread that looks names up, and what tells it others; it ends when that is gone.
fn look_up_names(
    config: &Config,
    orders: &SyncSender<Order>,
    sink: &Sink,
) -> io::Result<Sender<BTreeMap<String, Duration>>> {
    let wanted = resolver::wanted(&config.sip);
    let (tell, changes) = channel();
    let resolver = Resolver { orders: orders.clone(), sink: sink.clone(), look_up: resolver::system };
    std::thread::Builder::new().name("names".into()).spawn(move || resolver.run(wanted, &changes))?;
    Ok(tell)
}

fn entropy() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(format!("the system gives no randomness: {error}")))?;
    Ok(seed)
}

/// The code point of `tos_audio`; 0 is what sockets have anyway.
fn dscp(general: &General) -> Option<u8> {
    Some(general.tos_audio >> 2).filter(|dscp| *dscp != 0)
}
