//! Packets are read: from whom, and when they came to this machine.
//!
//! Of the packets that are ready at one time the first one came first, so that the others have waited less: it alone is read
//! with the system's stamp of its arrival, which costs more than a plain read. When it has waited, all are.

use super::media_socket::MediaSocket;
use crate::clock::Time;
use rustix::time::{ClockId, clock_gettime};
use std::net::SocketAddr;
use std::time::Duration;

/// The largest packet that is forwarded. The buffer has one byte more, to recognise a longer one, which is dropped.
pub(super) const MAX_PACKET: usize = 4_096;

/// Bytes of the system's notes beside a packet: a time and a number, each with its head.
const NOTES: usize = 128;

/// When the first packet waited so long, the others are read with their stamps, too.
const WAITED: Duration = Duration::from_micros(500);

/// The two clocks were farther apart or nearer by this than a moment ago: one was set. No stamp counts then.
const SET: u64 = 1_000_000;

/// A packet that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub source: SocketAddr,
    /// When it came, if it was read with its stamp.
    pub at: Option<Time>,
    /// Packets that the system has dropped at this socket, if it said so.
    pub dropped: Option<u64>,
}

/// See the module.
pub(super) struct Reader {
    buffer: Box<[u8; MAX_PACKET + 1]>,
    notes: [u8; NOTES],
    now: Time,
    /// How far the wall clock, which stamps are of, is ahead of ours, in nanoseconds; none before the first turn.
    ahead: Option<u64>,
    looks: Time,
    /// Whether the next packet is read with its stamp.
    is_stamped: bool,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader {
            buffer: Box::new([0; MAX_PACKET + 1]),
            notes: [0; NOTES],
            now: Time::ZERO,
            ahead: None,
            looks: Time::ZERO,
            is_stamped: false,
        }
    }
}

impl Reader {
    /// Packets are ready at `now`; `clock` says what time it is. Where the two clocks are not as they were, the thread was
    /// most likely stopped between reading the one and the other: they are read once more.
    pub fn begin(&mut self, now: Time, clock: impl Fn() -> Time) {
        // A clock that is being corrected runs up to a thousandth faster or slower.
        let corrected = u64::try_from(now.since(self.looks).as_micros()).unwrap_or(u64::MAX);
        let before = self.ahead;
        let fits = |ahead: u64| before.is_some_and(|before| before.abs_diff(ahead) < SET.saturating_add(corrected));
        let mut ahead = ahead_of(now);
        if !fits(ahead) {
            ahead = ahead_of(clock());
        }
        self.is_stamped = fits(ahead);
        self.ahead = Some(ahead);
        (self.now, self.looks) = (now, now);
    }

    /// The next packet of a socket: its length, and how it came. One system call for one readiness: the packet after it is
    /// reported by the next wait.
    pub fn receive(&mut self, socket: &mut MediaSocket) -> Option<(usize, Arrival)> {
        if !std::mem::take(&mut self.is_stamped) {
            let (length, source) = socket.receive(&mut self.buffer[..])?;
            return Some((length, Arrival { source, at: None, dropped: None }));
        }
        let read = socket.receive_stamped(&mut self.buffer[..], &mut self.notes)?;
        let ahead = self.ahead.map(Duration::from_nanos);
        let at =
            read.stamp.zip(ahead).map(|(stamp, ahead)| Time::from_start(stamp.saturating_sub(ahead)).min(self.now));
        self.is_stamped = at.is_some_and(|at| self.now.since(at) >= WAITED);
        Some((read.length, Arrival { source: read.source, at, dropped: read.dropped }))
    }

    /// The packet of this length that was read last; none: it is too long to be forwarded.
    pub fn packet(&mut self, length: usize) -> Option<&mut [u8]> {
        self.buffer.get_mut(..length).filter(|packet| packet.len() <= MAX_PACKET)
    }
}

/// How far the wall clock is ahead of ours, which says `now`, in nanoseconds.
fn ahead_of(now: Time) -> u64 {
    let wall = Duration::try_from(clock_gettime(ClockId::Realtime)).unwrap_or_default();
    u64::try_from(wall.saturating_sub(now.since_start()).as_nanos()).unwrap_or(u64::MAX)
}
