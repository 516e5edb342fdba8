//! Media: the thread that owns the RTP sockets and forwards, answers and plays, as [`crate::pbx::media`]'s verbs tell it.
//!
//! One worker thread carries several hundred calls on a small machine. A second one is possible because nothing is shared: the two
//! streams of a bridge must then live on the same worker, so `Reserve` would have to name the call, `send` would choose the worker by
//! it, and each worker would have its own part of the port range.

mod player;
mod ports;
mod relay;
mod rtp_debug;
mod stream;
#[cfg(test)]
mod tests;
mod worker;

use crate::pbx::media::{MediaCommand, MediaEvent};
pub use rtp_debug::PacketTrace;
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// How the media ring is set up.
#[derive(Clone)]
pub struct MediaSettings {
    /// The ports streams may be bound to (`rtpstart` to `rtpend`), RTP on even ones and RTCP one above.
    pub ports: RangeInclusive<u16>,
    /// The DiffServ code point of RTP and RTCP, 0 to 63 (`tos_audio`); 46 is EF.
    pub dscp: Option<u8>,
    /// Where the port walk begins and what SSRCs our own packets get: from the system's entropy, fixed in a test.
    pub seed: [u8; 32],
}

/// What the worker is told.
enum Order {
    Command(Box<MediaCommand>),
    Ports(RangeInclusive<u16>, Option<u8>),
    Show(Option<Box<PacketTrace>>),
}

/// Tells the worker that its inbox has something. Rung for a whole turn of the switch, it costs the system one call.
struct Wakeup {
    eventfd: OwnedFd,
    /// The worker was woken and has not looked into its inbox since.
    is_signalled: AtomicBool,
}

impl Wakeup {
    /// Called after the order is in the inbox.
    fn signal(&self) {
        if !self.is_signalled.swap(true, Ordering::AcqRel) {
            // The counter of an eventfd cannot fill up with ones.
            let _ = rustix::io::write(&self.eventfd, &1u64.to_ne_bytes());
        }
    }

    /// To be called before the inbox is read: an order that comes later rings again.
    fn heard(&self) {
        let mut count = [0u8; 8];
        let _ = rustix::io::read(&self.eventfd, &mut count);
        // A swap, so that an order put in while the flag was set already is still seen in the inbox.
        self.is_signalled.swap(false, Ordering::AcqRel);
    }
}

/// The media ring: ports, relay, player. Dropping it closes every port.
pub struct Media {
    /// Gone once the worker is to stop.
    orders: Option<Sender<Order>>,
    wakeup: Arc<Wakeup>,
    thread: Option<JoinHandle<()>>,
}

impl Media {
    /// Starts the worker thread. `events` is called on it, so it must only pass the event on.
    ///
    /// Fails when the system gives no thread, epoll or eventfd, or when the port range holds no pair of an even port and the odd one above it.
    pub fn start(settings: MediaSettings, events: impl Fn(MediaEvent) + Send + 'static) -> io::Result<Media> {
        let (orders, inbox) = channel();
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let wakeup = Arc::new(Wakeup { eventfd, is_signalled: AtomicBool::new(false) });
        let worker = worker::Worker::new(settings, Box::new(events), inbox, Arc::clone(&wakeup))?;
        let thread = std::thread::Builder::new().name("media".to_owned()).spawn(move || worker.run())?;
        Ok(Media { orders: Some(orders), wakeup, thread: Some(thread) })
    }

    /// Hands a command to the worker and returns at once. Commands are carried out in the order given. False: the worker is gone.
    pub fn send(&self, command: MediaCommand) -> bool {
        self.order(Order::Command(Box::new(command)))
    }

    /// Takes the ports of new streams from another range, and gives them another DiffServ code point, from now on; streams
    /// that exist keep theirs. A range without a pair changes nothing. False: the worker is gone.
    pub fn set_ports(&self, ports: RangeInclusive<u16>, dscp: Option<u8>) -> bool {
        self.order(Order::Ports(ports, dscp))
    }

    /// Shows RTP packets from now on (`rtp set debug`), or none any more.
    pub fn show(&self, trace: Option<PacketTrace>) {
        self.order(Order::Show(trace.map(Box::new)));
    }

    fn order(&self, order: Order) -> bool {
        let taken = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        self.wakeup.signal();
        taken
    }

    /// Carries out what was sent, closes every port and ends the worker; what was counted is not reported any more.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.orders = None;
        self.wakeup.signal();
        if let Some(thread) = self.thread.take() {
            // A worker that has panicked has said so already.
            let _ = thread.join();
        }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.end();
    }
}
