//! The connections and the limits on them: slow, silent and greedy clients do not affect others.

use crate::sip::Flow;
use crate::sip::flow::{ConnectionId, OpensFor, Transport};
use crate::source_key::SourceKey;
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Connections at once.
const MAX_CONNECTIONS: usize = 2_000;
/// Connections of one source, those included that were opened for it.
const MAX_OF_ONE: usize = 256;
/// Unauthenticated connections of one source.
const MAX_UNPROVEN_OF_ONE: usize = 20;
/// Sources remembered because somebody proved himself there.
const MAX_KNOWN: usize = 4_096;
/// Bytes that may wait to be sent on one; beyond, it is closed: its peer does not read.
const MAX_QUEUED: usize = 65_536;
/// Messages that may wait to be sent on one.
pub(super) const MAX_WAITING: usize = 1_024;

/// What a connection's task and the threads that send share.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// Its peer has authenticated, or we made it to a configured peer.
    pub proven: AtomicBool,
    /// A guest was let in over it: it is a stranger's, and may last.
    pub guest: AtomicBool,
    /// We made it.
    pub outgoing: bool,
    /// The switch knows it, and so must know of its end.
    pub known: AtomicBool,
    /// Bytes that wait to be sent.
    pub queued: AtomicUsize,
}

/// A connection as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionReport {
    /// Between whom.
    pub flow: Flow,
    /// We made it.
    pub outgoing: bool,
    /// Its peer has authenticated.
    pub proven: bool,
    /// When it began.
    pub since: Instant,
}

/// How a connection comes into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Somebody connected to us.
    Accepted,
    /// We connect to a peer.
    Peer,
    /// We connect for a stranger, who asked from this address.
    Stranger(IpAddr),
}

impl Origin {
    /// Of a connection to be made for a flow. None: there is nobody to make it for.
    pub fn opened_for(flow: Flow) -> Option<Origin> {
        match flow.opens_for {
            OpensFor::Nobody => None,
            OpensFor::Stranger(source) => Some(Origin::Stranger(source)),
            OpensFor::Peer => Some(Origin::Peer),
        }
    }
}

struct Entry {
    flow: Flow,
    /// Whose limits it counts towards.
    source: SourceKey,
    since: Instant,
    status: std::sync::Arc<Status>,
    queue: mpsc::Sender<Bytes>,
    /// Dropped with the entry: that ends the task.
    _stop: oneshot::Sender<()>,
}

impl Entry {
    fn is_proven(&self) -> bool {
        self.status.proven.load(Ordering::Relaxed)
    }
}

/// The side of a new entry that the connection's task has.
pub(super) struct TaskSide {
    pub flow: Flow,
    pub status: std::sync::Arc<Status>,
    pub queue: mpsc::Receiver<Bytes>,
    pub stop: oneshot::Receiver<()>,
}

/// The connections. An entry that is taken out ends its connection.
#[derive(Default)]
pub(super) struct Table {
    entries: BTreeMap<ConnectionId, Entry>,
    last: u64,
    /// Sources where somebody proved himself, and with which connection last. The address of a connection cannot be
    /// forged: a telephone that comes back is not the first to make room.
    known: BTreeMap<SourceKey, ConnectionId>,
}

impl Table {
    /// Enters a connection; its flow gets its name. The reason for closing another one comes with it. `limit` is that of
    /// all unauthenticated connections together (`tcpauthlimit`).
    ///
    /// # Errors
    /// There is no room: the reason, to be counted.
    pub fn enter(
        &mut self,
        flow: Flow,
        origin: Origin,
        limit: usize,
    ) -> Result<(TaskSide, Option<&'static str>), &'static str> {
        let source = SourceKey::of(match origin {
            Origin::Accepted | Origin::Peer => flow.remote.ip(),
            Origin::Stranger(source) => source,
        });
        if self.entries.values().filter(|entry| entry.source == source).count() >= MAX_OF_ONE {
            return Err("too many connections from one address");
        }
        let made_room = self.make_room(source, origin, limit);
        if self.entries.len() >= MAX_CONNECTIONS {
            return Err("too many connections");
        }
        self.last = self.last.saturating_add(1);
        let id = ConnectionId(self.last);
        let flow = Flow { connection: Some(id), ..flow };
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        let (stop, stopped) = oneshot::channel();
        let status = std::sync::Arc::new(Status {
            proven: AtomicBool::new(origin == Origin::Peer),
            outgoing: origin != Origin::Accepted,
            ..Status::default()
        });
        let task = TaskSide { flow, status: status.clone(), queue: waiting, stop: stopped };
        self.entries.insert(id, Entry { flow, source, since: Instant::now(), status, queue, _stop: stop });
        Ok((task, made_room))
    }

    /// Among unauthenticated connections the oldest of a source makes room for a new one: of the same source when that
    /// has its share, of the source that has most of them when all together are too many, and of one where somebody proved
    /// himself last of all. So a hundred connections of some sources leave room for the first one of another.
    fn make_room(&mut self, source: SourceKey, origin: Origin, limit: usize) -> Option<&'static str> {
        let is_full = self.entries.len() >= MAX_CONNECTIONS;
        if origin == Origin::Peer && !is_full {
            return None;
        }
        let mut strangers: BTreeMap<SourceKey, (usize, ConnectionId)> = BTreeMap::new();
        for (id, entry) in self.entries.iter().filter(|(_, entry)| !entry.is_proven()) {
            let (count, _) = strangers.entry(entry.source).or_insert((0, *id));
            *count = count.saturating_add(1);
        }
        let own = strangers.get(&source).filter(|(count, _)| origin != Origin::Peer && *count >= MAX_UNPROVEN_OF_ONE);
        let all = strangers.values().fold(0, |sum: usize, (count, _)| sum.saturating_add(*count));
        let (oldest, why) = match own {
            Some((_, oldest)) => (Some(*oldest), "closed: unauthenticated, too many of its address"),
            None if all >= limit || is_full => {
                let rank = |source: &SourceKey, (count, oldest): &(usize, ConnectionId)| {
                    (!self.known.contains_key(source), *count, Reverse(*oldest))
                };
                let fullest = strangers.iter().max_by_key(|(source, held)| rank(source, held));
                (fullest.map(|(_, (_, oldest))| *oldest), "closed: unauthenticated, too many")
            }
            None => return None,
        };
        self.entries.remove(&oldest?)?;
        Some(why)
    }

    /// The newest connection of a flow's transport and remote address; over TLS only one to the same server name. One that
    /// was opened for a stranger and leads to a peer is the peer's from now on.
    pub fn to(&self, flow: Flow) -> Option<ConnectionId> {
        let fits = |one: Flow| match flow.transport {
            Transport::Udp | Transport::Tcp => true,
            Transport::Tls => one.server == flow.server,
        };
        let mut all = self.entries.iter().rev().filter(|(_, entry)| fits(entry.flow));
        let (id, entry) =
            all.find(|(_, entry)| entry.flow.transport == flow.transport && entry.flow.remote == flow.remote)?;
        if entry.status.outgoing && flow.opens_for == OpensFor::Peer {
            entry.status.proven.store(true, Ordering::Relaxed);
        }
        Some(*id)
    }

    /// Queues a message on a connection.
    ///
    /// # Errors
    /// It is closed, or is now, because the other side does not read.
    pub fn queue(&mut self, id: ConnectionId, bytes: Bytes) -> Result<(), &'static str> {
        let Some(entry) = self.entries.get(&id) else { return Err("the connection is closed") };
        entry.status.known.store(true, Ordering::Relaxed);
        let length = bytes.len();
        let waiting = entry.status.queued.fetch_add(length, Ordering::Relaxed).saturating_add(length);
        if waiting <= MAX_QUEUED && entry.queue.try_send(bytes).is_ok() {
            return Ok(());
        }
        self.entries.remove(&id);
        Err("the other side does not read what it is sent")
    }

    /// Its peer has authenticated.
    pub fn authenticated(&mut self, id: ConnectionId) {
        let Some(entry) = self.entries.get(&id) else { return };
        entry.status.proven.store(true, Ordering::Relaxed);
        self.known.insert(entry.source, id);
        if self.known.len() > MAX_KNOWN
            && let Some(oldest) = self.known.iter().min_by_key(|(_, id)| **id).map(|(source, _)| *source)
        {
            self.known.remove(&oldest);
        }
    }

    /// A guest was let in over it.
    pub fn admitted(&mut self, id: ConnectionId) {
        if let Some(entry) = self.entries.get(&id) {
            entry.status.guest.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets a connection, which ends it.
    pub fn remove(&mut self, id: ConnectionId) {
        self.entries.remove(&id);
    }

    /// TaskSide all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// All connections, oldest first.
    pub fn report(&self) -> Vec<ConnectionReport> {
        let report = |entry: &Entry| ConnectionReport {
            flow: entry.flow,
            outgoing: entry.status.outgoing,
            proven: entry.is_proven(),
            since: entry.since,
        };
        self.entries.values().map(report).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(remote: &str) -> Flow {
        let udp = Flow::udp("192.0.2.1:5060".parse().unwrap(), remote.parse().unwrap());
        Flow { transport: Transport::Tcp, ..udp }
    }

    #[test]
    fn strangers_push_out_the_oldest_stranger_of_their_address_and_nobody_else() {
        let mut table = Table::default();
        let (friend, _) = table.enter(flow("192.0.2.9:1"), Origin::Accepted, 100).map_err(drop).unwrap();
        friend.status.proven.store(true, Ordering::Relaxed);
        let (other, _) = table.enter(flow("192.0.2.8:1"), Origin::Accepted, 100).map_err(drop).unwrap();
        let mut strangers: Vec<TaskSide> = Vec::new();
        let mut pushed = 0;
        for port in 2..202 {
            let (task, why) =
                table.enter(flow(&format!("192.0.2.9:{port}")), Origin::Accepted, 100).map_err(drop).unwrap();
            pushed += usize::from(why.is_some());
            strangers.push(task);
        }
        assert_eq!((pushed, table.report().len()), (180, 22));
        let open = |task: &mut TaskSide| task.stop.try_recv() == Err(oneshot::error::TryRecvError::Empty);
        assert!([friend, other].iter_mut().all(open));
        assert_eq!(strangers.iter_mut().filter_map(|task| open(task).then_some(())).count(), 20);
        assert!(open(strangers.last_mut().unwrap()));
    }

    #[test]
    fn strangers_from_everywhere_keep_to_the_limit() {
        let mut table = Table::default();
        for host in 1..=250 {
            assert!(table.enter(flow(&format!("192.0.2.{host}:1")), Origin::Accepted, 100).is_ok());
        }
        assert_eq!(table.report().len(), 100);
        assert_eq!(table.report()[0].flow.remote, "192.0.2.151:1".parse().unwrap());
    }

    fn proven(table: &mut Table, remote: &str) -> Result<(), &'static str> {
        let (task, _) = table.enter(flow(remote), Origin::Accepted, 100)?;
        table.authenticated(task.flow.connection.unwrap());
        Ok(())
    }

    #[test]
    fn one_address_has_256_at_most_however_well_it_proved_itself() {
        let mut table = Table::default();
        for port in 1..=256 {
            assert_eq!(proven(&mut table, &format!("192.0.2.9:{port}")), Ok(()));
        }
        assert_eq!(proven(&mut table, "192.0.2.9:300"), Err("too many connections from one address"));
        assert!(table.enter(flow("192.0.2.9:5060"), Origin::Peer, 100).is_err(), "nor do we connect there");
        assert_eq!(proven(&mut table, "192.0.2.8:1"), Ok(()));
        table.remove(ConnectionId(7));
        assert_eq!(proven(&mut table, "192.0.2.9:300"), Ok(()), "one is closed: there is room for one");
    }

    #[test]
    fn there_are_2000_at_most_and_strangers_make_room_first() {
        let mut table = Table::default();
        let address = |number: u16| format!("192.0.{}.{}:1", number / 250, number % 250 + 1);
        let (mut stranger, _) = table.enter(flow("198.51.100.1:1"), Origin::Accepted, 100).map_err(drop).unwrap();
        for number in 1..2_000 {
            assert_eq!(proven(&mut table, &address(number)), Ok(()), "{number}");
        }
        assert_eq!(table.report().len(), 2_000);
        let (_, made_room) = table.enter(flow("198.51.100.2:1"), Origin::Accepted, 100).map_err(drop).unwrap();
        assert_eq!(made_room, Some("closed: unauthenticated, too many"));
        assert_eq!(stranger.stop.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!((table.report().len(), table.report()[0].flow.remote), (2_000, address(1).parse().unwrap()));
        table.authenticated(ConnectionId(table.last));
        assert_eq!(proven(&mut table, "198.51.100.3:1"), Err("too many connections"), "nobody who proved himself goes");
        assert!(table.enter(flow("198.51.100.3:1"), Origin::Peer, 100).is_err());
        assert_eq!(table.report().len(), 2_000);
    }

    #[test]
    fn who_floods_pushes_out_its_own_and_not_the_first_connection_of_another() {
        let mut table = Table::default();
        for port in 0..20_000_u16 {
            let source = format!("192.0.2.{}:{}", port % 50 + 1, port + 1);
            assert!(table.enter(flow(&source), Origin::Accepted, 100).is_ok());
            if port == 5_000 {
                assert!(table.enter(flow("198.51.100.1:1"), Origin::Accepted, 100).is_ok());
            }
        }
        let report = table.report();
        assert_eq!((report.len(), report[0].flow.remote), (100, "198.51.100.1:1".parse().unwrap()));
    }

    #[test]
    fn where_somebody_proved_himself_a_newcomer_is_the_last_to_make_room() {
        let mut table = Table::default();
        proven(&mut table, "192.0.2.9:1").unwrap();
        for port in 2..7 {
            assert!(table.enter(flow(&format!("192.0.2.9:{port}")), Origin::Accepted, 100).is_ok());
        }
        for host in 0..1_000 {
            let source = format!("198.51.{}.{}:1", host / 250, host % 250 + 1);
            assert!(table.enter(flow(&source), Origin::Accepted, 100).is_ok());
        }
        let there = table.report().iter().filter(|one| one.flow.remote.ip().to_string() == "192.0.2.9").count();
        assert_eq!((there, table.report().len()), (6, 101));
        for number in 0..2 * u32::try_from(MAX_KNOWN).unwrap() {
            let host = IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + number));
            proven(&mut table, &std::net::SocketAddr::new(host, 1).to_string()).unwrap();
            table.remove(ConnectionId(table.last));
        }
        assert_eq!(table.known.len(), MAX_KNOWN);
    }

    #[test]
    fn all_of_an_ipv6_network_is_one_source() {
        let mut table = Table::default();
        for host in 1..=500 {
            assert!(table.enter(flow(&format!("[2001:db8:0:1::{host:x}]:1")), Origin::Accepted, 100).is_ok());
        }
        assert_eq!(table.report().len(), 20);
        table.clear();
        for host in 1..=256 {
            assert_eq!(proven(&mut table, &format!("[2001:db8:0:1::{host:x}]:1")), Ok(()));
        }
        assert_eq!(proven(&mut table, "[2001:db8:0:1::ffff]:1"), Err("too many connections from one address"));
        assert_eq!(proven(&mut table, "[2001:db8:0:2::1]:1"), Ok(()));
    }

    #[test]
    fn what_is_opened_for_a_stranger_is_one_of_the_strangers_wherever_it_leads() {
        let mut table = Table::default();
        let stranger: IpAddr = "192.0.2.9".parse().unwrap();
        for host in 1..=100 {
            let there = flow(&format!("198.51.100.{host}:5060"));
            assert!(table.enter(there, Origin::Stranger(stranger), 100).is_ok());
            assert!(table.enter(flow(&format!("192.0.2.9:{host}")), Origin::Accepted, 100).is_ok());
        }
        assert!(table.report().len() == 20 && table.report().iter().all(|one| !one.proven));
        // A peer that is at such an address makes it its own, and what is made to a peer is its own at once.
        let last = table.report().into_iter().rfind(|one| one.outgoing).unwrap().flow;
        assert_eq!(table.to(last), last.connection);
        assert!(!table.report().iter().any(|one| one.proven));
        assert_eq!(table.to(Flow { opens_for: OpensFor::Peer, ..last }), last.connection);
        assert!(table.enter(flow("203.0.113.1:5060"), Origin::Peer, 100).is_ok());
        assert_eq!(table.report().iter().filter(|one| one.proven).count(), 2);
        assert_eq!(Origin::opened_for(flow("203.0.113.1:5060")), None, "for nobody");
    }

    #[test]
    fn a_full_table_has_room_for_a_peer_as_long_as_a_stranger_is_in_it() {
        let mut table = Table::default();
        let address = |number: u16| format!("192.0.{}.{}:1", number / 250, number % 250 + 1);
        for number in 1..2_000 {
            assert_eq!(proven(&mut table, &address(number)), Ok(()), "{number}");
        }
        assert!(table.enter(flow("198.51.100.1:1"), Origin::Accepted, 100).is_ok());
        assert!(table.enter(flow("203.0.113.1:5060"), Origin::Peer, 100).is_ok());
        assert_eq!(table.enter(flow("203.0.113.2:5060"), Origin::Peer, 100).err(), Some("too many connections"));
    }

    #[test]
    fn who_does_not_read_is_closed_at_64_kb() {
        let mut table = Table::default();
        let (mut task, _) = table.enter(flow("192.0.2.9:1"), Origin::Accepted, 100).map_err(drop).unwrap();
        let id = task.flow.connection.unwrap();
        for _ in 0..64 {
            assert_eq!(table.queue(id, Bytes::from(vec![b'x'; 1_000])), Ok(()));
        }
        task.queue.try_recv().unwrap();
        task.status.queued.fetch_sub(1_000, Ordering::Relaxed);
        assert_eq!(table.queue(id, Bytes::from(vec![b'x'; 2_000])), Ok(()));
        assert!(table.queue(id, Bytes::from(vec![b'x'; 2_000])).unwrap_err().contains("does not read"));
        assert_eq!(table.queue(id, Bytes::new()), Err("the connection is closed"));
    }
}
