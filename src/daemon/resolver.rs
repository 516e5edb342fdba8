//! Host names of the configuration, looked up by a service with a thread of its own: when no server of the DNS answers,
//! nothing but this thread waits, and one name waits for no other.

mod dns;
mod locator;

pub(super) use locator::DnsLocator;

use super::order::{Console, Order};
use super::service::Service;
use super::sink::Sink;
use crate::config::Config;
use crate::config::sip_conf::SipConf;
use crate::event::{Level, LogLine};
use crate::names::lookup::{Answer, Located, Lookup, Question, Step};
use crate::names::{HostName, Names, Server};
use crate::rng::Rng;
use dns::{Dns, Families, SystemDns};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How soon one that was not found is asked for again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long the look-up of one name takes at most, with all its records.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names to look up. Some are asked for anew after a time of their own; the others when what was found is out of
/// date.
type Schedule = BTreeMap<HostName, Option<Duration>>;

/// Looks up the host names of the configuration.
pub(super) struct ResolverService {
    /// What the thread is started with, until it is.
    prepared: Option<(Resolver<SystemDns>, Schedule)>,
    /// Takes the names of a new configuration, once the thread runs.
    schedules: Option<UnboundedSender<Schedule>>,
}

impl ResolverService {
    /// Prepares the thread. `seed`: chooses among servers of one priority.
    pub(super) fn new(config: &Config, orders: SyncSender<Order>, sink: Sink, seed: [u8; 32]) -> ResolverService {
        let families = Families::of_socket(config.sip.general.bind.ip());
        let dns = Arc::new(SystemDns::new(families, sink.clone()));
        let resolver = Resolver { orders, sink, dns, seed };
        ResolverService { prepared: Some((resolver, schedule(&config.sip))), schedules: None }
    }
}

impl Service for ResolverService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        if let Some((resolver, first)) = self.prepared.take() {
            let (schedules, changes) = unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            std::thread::Builder::new().name("names".into()).spawn(move || {
                runtime.block_on(resolver.run(first, changes));
                // The system's own resolver may take half a minute more.
                runtime.shutdown_background();
            })?;
            self.schedules = Some(schedules);
        }
        Ok(())
    }

    fn renew(&mut self, config: &Config) {
        if let Some(schedules) = &self.schedules {
            // The thread ends only with the exchange.
            let _ = schedules.send(schedule(&config.sip));
        }
    }

    /// Does not wait for the thread: the system may take half a minute for a name that no server answers for.
    fn stop(&mut self) {
        self.schedules = None;
    }
}

fn schedule(conf: &SipConf) -> Schedule {
    let hosts = conf.peers.values().flat_map(|peer| peer.host_names()).map(|host| (host.clone(), None));
    let registrars = conf.general.accounts().flat_map(|line| line.host_names());
    let registrars = registrars.map(|host| (host.clone(), None));
    let external = &conf.general.external;
    let outside = external.host.as_ref().map(|(name, _)| (HostName::of_addresses(name), Some(external.refresh)));
    hosts.chain(registrars).chain(outside).collect()
}

struct Resolver<D> {
    orders: SyncSender<Order>,
    sink: Sink,
    dns: Arc<D>,
    seed: [u8; 32],
}

/// What is known of the names of a schedule.
#[derive(Default)]
struct Table {
    wanted: Schedule,
    /// When each is asked for next; one that is being asked for is not among them.
    due: BTreeMap<HostName, Instant>,
    asking: BTreeSet<HostName>,
    found: Names,
    missing: BTreeSet<HostName>,
}

impl Table {
    /// These names are wanted from now on, and all are asked for at once: who reloads may have changed the DNS, too.
    fn renew(&mut self, wanted: Schedule) {
        self.due.clear();
        self.found.retain(|host| wanted.contains_key(host));
        self.missing.retain(|host| wanted.contains_key(host));
        self.wanted = wanted;
    }

    /// The names whose time has come.
    fn take_due(&mut self, now: Instant) -> Vec<HostName> {
        let is_due = |host: &&HostName| !self.asking.contains(host) && self.due.get(host).is_none_or(|at| *at <= now);
        let due: Vec<HostName> = self.wanted.keys().filter(is_due).cloned().collect();
        for host in &due {
            self.due.remove(host);
            self.asking.insert(host.clone());
        }
        due
    }
}

impl<D: Dns> Resolver<D> {
    /// Looks names up as the last schedule has it, until the sender of schedules is dropped.
    async fn run(self, wanted: Schedule, mut changes: UnboundedReceiver<Schedule>) {
        let mut table = Table { wanted, ..Table::default() };
        let mut lookups = JoinSet::new();
        loop {
            for host in table.take_due(Instant::now()) {
                lookups.spawn(look_up(self.dns.clone(), host, Rng::from_seed(self.seed)));
            }
            let next = table.due.values().min().copied();
            let until_next = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            let before = table.found.clone();
            tokio::select! {
                change = changes.recv() => match change {
                    Some(wanted) => table.renew(wanted),
                    None => return,
                },
                Some(Ok((host, outcome))) = lookups.join_next(), if !lookups.is_empty() => {
                    self.note(&host, outcome, &mut table);
                }
                () = until_next => {}
            }
            if table.found != before && self.orders.send(Order::Names(table.found.clone())).is_err() {
                return;
            }
        }
    }

    /// A look-up is over; a name that is not found any more keeps its servers. A failure that lasts is logged once.
    fn note(&self, host: &HostName, outcome: Result<Located, String>, table: &mut Table) {
        table.asking.remove(host);
        // A reload may have taken it away meanwhile.
        let Some(every) = table.wanted.get(host).copied() else { return };
        let again = match outcome {
            Ok(Located { servers, again }) => {
                let was_missing = table.missing.remove(host);
                let list = list(&servers);
                if table.found.set(host, servers) {
                    let level = if was_missing { Level::Notice } else { Level::Verbose(3) };
                    self.say(level, format!("Host name {} of sip.conf leads to {list}", host.name));
                } else if was_missing {
                    self.say(Level::Notice, format!("Host name {} of sip.conf is found again: {list}", host.name));
                }
                every.unwrap_or(again)
            }
            Err(why) => {
                if table.missing.insert(host.clone()) {
                    let then = match table.found.servers(host) {
                        [] => String::new(),
                        servers => format!("; what was found before is used: {}", list(servers)),
                    };
                    let text = format!("Host name {} of sip.conf does not resolve: {why}{then}", host.name);
                    self.say(Level::Warning, text);
                }
                every.unwrap_or(AGAIN).min(AGAIN)
            }
        };
        table.due.insert(host.clone(), Instant::now() + again);
    }

    fn say(&self, level: Level, text: String) {
        (self.sink)(&LogLine { level, text });
    }
}

fn list(servers: &[Server]) -> String {
    let all: Vec<String> = servers.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// One look-up; what is asked at once is answered at once.
async fn look_up<D: Dns>(dns: Arc<D>, host: HostName, mut rng: Rng) -> (HostName, Result<Located, String>) {
    let work = async {
        let (mut lookup, mut step) = Lookup::new(&host);
        loop {
            let questions = match step {
                Step::Ask(questions) => questions,
                Step::Done(outcome) => return outcome,
            };
            let mut asked = JoinSet::new();
            for question in questions {
                let dns = dns.clone();
                asked.spawn(async move {
                    let answer = dns.ask(&question).await;
                    (question, answer)
                });
            }
            let mut answers: BTreeMap<Question, Answer> = BTreeMap::new();
            while let Some(done) = asked.join_next().await {
                answers.extend(done.ok());
            }
            step = lookup.answered(&answers, &mut rng);
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, work).await;
    (host, outcome.unwrap_or_else(|_| Err("no server of the DNS answers".into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::lookup::Found;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::{Receiver, sync_channel};

    /// Found at first, gone for three times, found again; another name never answers at all.
    struct Fake(AtomicU32);

    impl Dns for Fake {
        async fn ask(&self, question: &Question) -> Answer {
            let found = match question {
                Question::Addresses(name) if name == "a.example" => match self.0.fetch_add(1, Ordering::Relaxed) {
                    0 | 4.. => Found::Addresses(vec!["192.0.2.1".parse().unwrap()]),
                    _ => Found::Failed("gone".into()),
                },
                Question::Addresses(name) if name == "silent.example" => std::future::pending().await,
                _ => Found::Nothing,
            };
            Answer { found, ttl: None }
        }
    }

    struct Bench {
        inbox: Receiver<Order>,
        change: UnboundedSender<Schedule>,
        lines: Arc<Mutex<Vec<String>>>,
        thread: std::thread::JoinHandle<()>,
    }

    fn start(wanted: Schedule) -> Bench {
        let (orders, inbox) = sync_channel(8);
        let (change, changes) = unbounded_channel();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = lines.clone();
        let sink: Sink = Arc::new(move |line: &LogLine| log.lock().unwrap().push(line.text.clone()));
        let resolver = Resolver { orders, sink, dns: Arc::new(Fake(AtomicU32::new(0))), seed: [1; 32] };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(resolver.run(wanted, changes));
        });
        Bench { inbox, change, lines, thread }
    }

    fn names(bench: &Bench) -> Names {
        match bench.inbox.recv_timeout(Duration::from_secs(5)) {
            Ok(Order::Names(names)) => names,
            Ok(_) | Err(_) => panic!("no names"),
        }
    }

    #[test]
    fn a_name_that_is_not_found_any_more_stays_where_it_was_and_waits_for_no_other() {
        let often = Some(Duration::from_millis(20));
        let host = HostName::of_addresses("a.example");
        let bench = start([(host.clone(), often), (HostName::of_addresses("silent.example"), None)].into());
        assert_eq!(names(&bench).address("a.example"), Some("192.0.2.1".parse().unwrap()));
        while bench.lines.lock().unwrap().len() < 3 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let lines = bench.lines.lock().unwrap().clone();
        assert_eq!(lines[0], "Host name a.example of sip.conf leads to 192.0.2.1:5060");
        assert!(lines[1].ends_with("gone; what was found before is used: 192.0.2.1:5060"), "{lines:?}");
        assert_eq!(lines[2], "Host name a.example of sip.conf is found again: 192.0.2.1:5060", "said once: {lines:?}");
        assert!(bench.inbox.try_recv().is_err(), "nothing changed");
        bench.change.send(Schedule::new()).unwrap();
        assert_eq!(names(&bench), Names::new());
        drop(bench.change);
        bench.thread.join().unwrap();
    }
}
