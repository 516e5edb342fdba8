//! The media thread's inbox: what it is asked, and how it is woken.

use super::rtp_debug::PacketTrace;
use super::stock::Opened;
use crate::pbx::media::{Heard, MediaCommand, MediaEvent, StreamCounts, StreamId};
use rustix::event::{EventfdFlags, eventfd};
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

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
