//! Host names of the configuration, looked up by a service with a thread of its own: when the system's resolver does
//! not answer, nothing but this thread waits.

use super::order::{Console, Order};
use super::service::Service;
use super::sink::Sink;
use crate::config::Config;
use crate::config::peer::{Names, PeerAddress};
use crate::config::sip_conf::SipConf;
use crate::event::{Level, LogLine};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::time::{Duration, Instant};

/// How often the names of peers are looked up again; `externhost` has `externrefresh`.
const REFRESH: Duration = Duration::from_secs(300);
/// How soon one that was not found is asked for again.
const AGAIN: Duration = Duration::from_secs(30);

/// The names to look up, and how often each.
type Schedule = BTreeMap<String, Duration>;

/// Looks up the host names of the configuration.
pub(super) struct ResolverService {
    /// What the thread is started with, until it is.
    prepared: Option<(Resolver, Schedule)>,
    /// Takes the names of a new configuration, once the thread runs.
    schedules: Option<Sender<Schedule>>,
}

impl ResolverService {
    /// Prepares the thread.
    pub(super) fn new(config: &Config, orders: SyncSender<Order>, sink: Sink) -> ResolverService {
        let resolver = Resolver { orders, sink, look_up: system };
        ResolverService { prepared: Some((resolver, schedule(&config.sip))), schedules: None }
    }
}

impl Service for ResolverService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        if let Some((resolver, first)) = self.prepared.take() {
            let (schedules, changes) = channel();
            std::thread::Builder::new().name("names".into()).spawn(move || resolver.run(first, &changes))?;
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
    let hosts = conf.peers.values().filter_map(|peer| match &peer.host {
        PeerAddress::Named { name, .. } => Some((name.clone(), REFRESH)),
        PeerAddress::Dynamic | PeerAddress::Static(_) | PeerAddress::Unset => None,
    });
    let external = &conf.general.external;
    let outside = external.host.as_ref().map(|(name, _)| (name.clone(), external.refresh));
    hosts.chain(outside).collect()
}

struct Resolver {
    orders: SyncSender<Order>,
    sink: Sink,
    /// Resolves one name: the system's resolver, or a test's.
    look_up: fn(&str) -> io::Result<Vec<IpAddr>>,
}

/// The system's resolver, IPv4 first.
fn system(name: &str) -> io::Result<Vec<IpAddr>> {
    let mut found: Vec<IpAddr> = (name, 0).to_socket_addrs()?.map(|address| address.ip()).collect();
    found.sort_by_key(|ip| !ip.is_ipv4());
    Ok(found)
}

impl Resolver {
    /// Looks names up as the last schedule has it, until the sender of schedules is dropped.
    fn run(self, mut wanted: Schedule, changes: &Receiver<Schedule>) {
        let mut due: BTreeMap<String, Instant> = BTreeMap::new();
        let (mut found, mut missing) = (Names::new(), BTreeSet::new());
        loop {
            let before = found.clone();
            due.retain(|name, _| wanted.contains_key(name));
            found.retain(|name, _| wanted.contains_key(name));
            missing.retain(|name| wanted.contains_key(name));
            let now = Instant::now();
            for (name, every) in &wanted {
                if due.get(name).is_some_and(|at| *at > now) {
                    continue;
                }
                let next = if self.refresh(name, &mut found, &mut missing) { *every } else { AGAIN.min(*every) };
                due.insert(name.clone(), Instant::now() + next);
            }
            if found != before && self.orders.send(Order::Names(found.clone())).is_err() {
                return;
            }
            // Without names nothing is due, and the thread sleeps until a schedule comes.
            let next = due.values().min().map(|at| at.saturating_duration_since(Instant::now()));
            let changed = match next {
                Some(next) => changes.recv_timeout(next),
                None => changes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match changed {
                Ok(schedule) => wanted = schedule,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks a name up; one that is not found any more keeps its address. A failure that lasts is logged once.
    fn refresh(&self, name: &str, found: &mut Names, missing: &mut BTreeSet<String>) -> bool {
        let why = match (self.look_up)(name) {
            Ok(all) => match all.first() {
                Some(ip) => {
                    found.insert(name.to_owned(), *ip);
                    if missing.remove(name) {
                        let text = format!("Host name {name} of sip.conf resolves to {ip}");
                        (self.sink)(&LogLine { level: Level::Notice, text });
                    }
                    return true;
                }
                None => "it has no address".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        if !missing.insert(name.to_owned()) {
            return false;
        }
        let then = found.get(name).map_or(String::new(), |ip| format!("; the previous address {ip} is used"));
        let text = format!("Host name {name} of sip.conf does not resolve: {why}{then}");
        (self.sink)(&LogLine { level: Level::Warning, text });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::sync::mpsc::sync_channel;
    use std::sync::{Arc, Mutex};

    static ASKED: AtomicU8 = AtomicU8::new(0);

    fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
        match (name, ASKED.fetch_add(1, Ordering::Relaxed)) {
            ("a.example", 0 | 4) => Ok(vec!["192.0.2.1".parse().unwrap()]),
            ("a.example", _) => Err(io::Error::other("gone")),
            _ => Ok(Vec::new()),
        }
    }

    #[test]
    fn a_name_that_is_not_found_any_more_stays_where_it_was() {
        let (orders, inbox) = sync_channel(8);
        let (change, changes) = std::sync::mpsc::channel();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = lines.clone();
        let sink: Sink = Arc::new(move |line: &LogLine| log.lock().unwrap().push(line.text.clone()));
        let resolver = Resolver { orders, sink, look_up };
        let wanted: BTreeMap<String, Duration> = [("a.example".to_owned(), Duration::from_millis(20))].into();
        let thread = std::thread::spawn(move || resolver.run(wanted, &changes));
        let Ok(Order::Names(names)) = inbox.recv_timeout(Duration::from_secs(5)) else { panic!("no names") };
        assert_eq!(names["a.example"], "192.0.2.1".parse::<IpAddr>().unwrap());
        while lines.lock().unwrap().len() < 3 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let lines = lines.lock().unwrap().clone();
        assert!(lines[0].ends_with("gone; the previous address 192.0.2.1 is used"), "{lines:?}");
        assert_eq!(
            lines[1], "Host name a.example of sip.conf resolves to 192.0.2.1",
            "asked five times, logged once: {lines:?}"
        );
        assert!(inbox.try_recv().is_err(), "nothing changed");
        change.send(BTreeMap::new()).unwrap();
        let Ok(Order::Names(names)) = inbox.recv_timeout(Duration::from_secs(5)) else { panic!("no names") };
        assert!(names.is_empty());
        drop(change);
        thread.join().unwrap();
    }
}
