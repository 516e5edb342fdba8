//! The connections and the limits on them: slow, silent and greedy clients do not affect others.

use crate::sip::Flow;
use crate::sip::flow::{ConnectionId, Transport};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Connections at once.
const MAX_CONNECTIONS: usize = 2_000;
/// Connections of one address.
const MAX_OF_ONE: usize = 256;
/// Unauthenticated connections of one address.
const MAX_UNPROVEN_OF_ONE: usize = 20;
/// Bytes that may wait to be sent on one; beyond, it is closed: its peer does not read.
const MAX_QUEUED: usize = 65_536;
/// Messages that may wait to be sent on one.
pub(super) const MAX_WAITING: usize = 1_024;

/// What a connection's task and the threads that send share.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// Its peer has authenticated, or we made it.
    pub proven: AtomicBool,
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

struct Entry {
    flow: Flow,
    outgoing: bool,
    since: Instant,
    status: std::sync::Arc<Status>,
    queue: mpsc::Sender<Bytes>,
    /// Dropped with the entry: that task the task.
    _stop: oneshot::Sender<()>,
}

impl Entry {
    fn is_proven(&self) -> bool {
        self.outgoing || self.status.proven.load(Ordering::Relaxed)
    }
}

/// The side of a new entry that the connection's task has.
pub(super) struct TaskSide {
    pub flow: Flow,
    pub status: std::sync::Arc<Status>,
    pub queue: mpsc::Receiver<Bytes>,
    pub stop: oneshot::Receiver<()>,
}

/// The connections. An entry that is taken out task its connection.
#[derive(Default)]
pub(super) struct Table {
    entries: BTreeMap<ConnectionId, Entry>,
    last: u64,
}

impl Table {
    /// Enters a connection; its flow gets its name. The reasons for closing older ones come with it.
    ///
    /// # Errors
    /// There is no room: the reason, to be counted.
    pub fn enter(
        &mut self,
        flow: Flow,
        outgoing: bool,
        limit: usize,
    ) -> Result<(TaskSide, Option<&'static str>), &'static str> {
        let ip = flow.remote.ip();
        if self.entries.values().filter(|entry| entry.flow.remote.ip() == ip).count() >= MAX_OF_ONE {
            return Err("too many connections from one address");
        }
        let made_room = if outgoing { None } else { self.make_room(ip, limit) };
        if self.entries.len() >= MAX_CONNECTIONS {
            return Err("too many connections");
        }
        self.last = self.last.saturating_add(1);
        let id = ConnectionId(self.last);
        let flow = Flow { connection: Some(id), ..flow };
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        let (stop, stopped) = oneshot::channel();
        let status = std::sync::Arc::new(Status::default());
        let task = TaskSide { flow, status: status.clone(), queue: waiting, stop: stopped };
        self.entries.insert(id, Entry { flow, outgoing, since: Instant::now(), status, queue, _stop: stop });
        Ok((task, made_room))
    }

    /// Among unauthenticated connections the oldest makes room for a new one.
    fn make_room(&mut self, ip: IpAddr, limit: usize) -> Option<&'static str> {
        let strangers = || self.entries.iter().filter(|(_, entry)| !entry.is_proven());
        let of_one = strangers().filter(|(_, entry)| entry.flow.remote.ip() == ip);
        let (oldest, why) = if of_one.clone().count() >= MAX_UNPROVEN_OF_ONE {
            (of_one.map(|(id, _)| *id).next(), "closed: unauthenticated, too many of its address")
        } else if strangers().count() >= limit || self.entries.len() >= MAX_CONNECTIONS {
            (strangers().map(|(id, _)| *id).next(), "closed: unauthenticated, too many")
        } else {
            return None;
        };
        self.entries.remove(&oldest?)?;
        Some(why)
    }

    /// The newest connection of a flow's transport and remote address; over TLS only one to the same server name.
    pub fn to(&self, flow: Flow) -> Option<ConnectionId> {
        let fits = |one: Flow| match flow.transport {
            Transport::Udp | Transport::Tcp => true,
            Transport::Tls => one.server == flow.server,
        };
        let mut all = self.entries.iter().rev().filter(|(_, entry)| fits(entry.flow));
        all.find(|(_, entry)| entry.flow.transport == flow.transport && entry.flow.remote == flow.remote)
            .map(|(id, _)| *id)
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
        if let Some(entry) = self.entries.get(&id) {
            entry.status.proven.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets a connection, which task it.
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
            outgoing: entry.outgoing,
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
        let (friend, _) = table.enter(flow("192.0.2.9:1"), false, 100).map_err(drop).unwrap();
        friend.status.proven.store(true, Ordering::Relaxed);
        let (other, _) = table.enter(flow("192.0.2.8:1"), false, 100).map_err(drop).unwrap();
        let mut strangers: Vec<TaskSide> = Vec::new();
        let mut pushed = 0;
        for port in 2..202 {
            let (task, why) = table.enter(flow(&format!("192.0.2.9:{port}")), false, 100).map_err(drop).unwrap();
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
            assert!(table.enter(flow(&format!("192.0.2.{host}:1")), false, 100).is_ok());
        }
        assert_eq!(table.report().len(), 100);
        assert_eq!(table.report()[0].flow.remote, "192.0.2.151:1".parse().unwrap());
    }

    fn proven(table: &mut Table, remote: &str) -> Result<(), &'static str> {
        let (task, _) = table.enter(flow(remote), false, 100)?;
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
        assert!(table.enter(flow("192.0.2.9:5060"), true, 0).is_err(), "nor do we connect there");
        assert_eq!(proven(&mut table, "192.0.2.8:1"), Ok(()));
        table.remove(ConnectionId(7));
        assert_eq!(proven(&mut table, "192.0.2.9:300"), Ok(()), "one is closed: there is room for one");
    }

    #[test]
    fn there_are_2000_at_most_and_strangers_make_room_first() {
        let mut table = Table::default();
        let address = |number: u16| format!("192.0.{}.{}:1", number / 250, number % 250 + 1);
        let (mut stranger, _) = table.enter(flow("198.51.100.1:1"), false, 100).map_err(drop).unwrap();
        for number in 1..2_000 {
            assert_eq!(proven(&mut table, &address(number)), Ok(()), "{number}");
        }
        assert_eq!(table.report().len(), 2_000);
        let (_, made_room) = table.enter(flow("198.51.100.2:1"), false, 100).map_err(drop).unwrap();
        assert_eq!(made_room, Some("closed: unauthenticated, too many"));
        assert_eq!(stranger.stop.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!((table.report().len(), table.report()[0].flow.remote), (2_000, address(1).parse().unwrap()));
        table.authenticated(ConnectionId(table.last));
        assert_eq!(proven(&mut table, "198.51.100.3:1"), Err("too many connections"), "nobody who proved himself goes");
        assert!(table.enter(flow("198.51.100.3:1"), true, 0).is_err());
        assert_eq!(table.report().len(), 2_000);
    }

    #[test]
    fn who_does_not_read_is_closed_at_64_kb() {
        let mut table = Table::default();
        let (mut task, _) = table.enter(flow("192.0.2.9:1"), false, 100).map_err(drop).unwrap();
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
