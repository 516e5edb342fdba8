//! The media thread's inbox: what it is asked, and how it is woken.

use super::rtp_debug::PacketTrace;
use super::stock::Opened;
use crate::pbx::media::{Heard, MediaCommand, MediaEvent, StreamCounts, StreamId};
use rustix::event::{EventfdFlags, eventfd};
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a stream has counted, and how its packets came; none: there is no such stream.
pub(super) type Look = Option<(StreamCounts, Box<Heard>)>;

/// What the media thread is asked.
pub(super) enum Order {
    /// Carry out this command.
    Command(Box<MediaCommand>),
    /// Take the ports of new streams from this range, and give them this DiffServ code point.
    Ports(RangeInclusive<u16>, Option<u8>),
    /// A pair of ports was opened for a stream to come.
    Opened(Box<Opened>),
    /// These are the addresses of this machine now.
    Addresses(BTreeSet<IpAddr>),
    /// Show RTP packets, or none any more.
    Trace(Option<Box<PacketTrace>>),
    /// Pass on what the recorder reports.
    Report(MediaEvent),
    /// Say what a stream has counted, and how its packets came.
    Look(StreamId, SyncSender<Look>),
    /// Close every port and end.
    Stop,
}

/// The way into the inbox.
///
/// Not a channel of the standard library: who takes something out of that turns round and round until a sender that was
/// interrupted while it put something in has gone on. At real-time priority the media thread keeps such a sender from its
/// processor meanwhile, and all calls stand still for seconds. For a lock it sleeps, and the sender goes on.
#[derive(Clone, Default)]
pub(super) struct Orders(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    orders: VecDeque<Order>,
    is_closed: bool,
}

impl Orders {
    /// Puts an order in. False: the thread has ended.
    pub(super) fn put(&self, order: Order) -> bool {
        let mut waiting = self.waiting();
        if !waiting.is_closed {
            waiting.orders.push_back(order);
        }
        !waiting.is_closed
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the media thread takes its orders from. Once it is dropped nothing is taken any more.
pub(super) struct Inbox(Orders);

impl Inbox {
    /// The inbox of these orders.
    pub(super) fn of(orders: &Orders) -> Inbox {
        Inbox(orders.clone())
    }

    /// The first order that waits.
    pub(super) fn take(&self) -> Option<Order> {
        self.0.waiting().orders.pop_front()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let left = {
            let mut waiting = self.0.waiting();
            waiting.is_closed = true;
            std::mem::take(&mut waiting.orders)
        };
        // Outside of the lock: an order may have ports and channels to close.
        drop(left);
    }
}

/// Wakes the media thread when its inbox has something. Signalled for all commands of a turn of the switch, it costs
/// one system call.
pub(super) struct Wakeup {
    pub(super) eventfd: OwnedFd,
    /// The thread was woken and has not looked into its inbox since.
    is_signalled: AtomicBool,
}

impl Wakeup {
    pub(super) fn new() -> io::Result<Wakeup> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Wakeup { eventfd, is_signalled: AtomicBool::new(false) })
    }

    /// Called after the order is in the inbox.
    pub(super) fn signal(&self) {
        if !self.is_signalled.swap(true, Ordering::AcqRel) {
            // The counter of an eventfd cannot fill up with ones.
            let _ = rustix::io::write(&self.eventfd, &1u64.to_ne_bytes());
        }
    }

    /// To be called before the inbox is read: an order that comes later signals again.
    pub(super) fn clear(&self) {
        let mut count = [0u8; 8];
        let _ = rustix::io::read(&self.eventfd, &mut count);
        // A swap, so that an order put in while the flag was set already is still seen in the inbox.
        self.is_signalled.swap(false, Ordering::AcqRel);
    }
}
