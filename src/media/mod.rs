//! Media: the thread that owns the RTP sockets and forwards, answers and plays, as [`crate::pbx::media`]'s verbs tell
//! it.
//!
//! One worker thread carries several hundred calls on a small machine. A second one is possible because nothing is
//! shared: the two streams of a bridge must then live on the same worker, so `Reserve` would have to name the call,
//! `send` would choose the worker by it, and each worker would have its own part of the port range.

mod digit_listener;
mod digit_sender;
mod early;
mod fan_out;
mod feeding;
mod inbox;
mod media_socket;
mod mixer;
mod orders;
mod pair;
mod player;
mod ports;
mod pressing;
mod priority;
mod reader;
mod recorder;
mod relay;
mod reporting;
mod rtp_debug;
mod sample_queue;
mod seat;
mod settings;
mod silence;
mod socket_number;
mod sound_file;
mod stock;
mod stream;
mod taps;
#[cfg(test)]
mod tests;
mod track;
mod worker;

use crate::pbx::media::{Heard, MediaCommand, MediaEvent, StreamCounts, StreamId};
use inbox::{Order, Orders, Wakeup};
use priority::Keeper;
pub use priority::{LEVEL, Priority};
pub use rtp_debug::PacketTrace;
pub use settings::MediaSettings;
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use worker::Worker;

/// The media thread: ports, relay, player. Dropping it closes every port.
pub struct Media {
    orders: Orders,
    wakeup: Arc<Wakeup>,
    state: Mutex<State>,
    priority: priority::Shown,
}

enum State {
    Prepared(Box<Worker>),
    Running(JoinHandle<()>),
    Stopped,
}

impl Media {
    /// Prepares the thread. `events` is called on it, so it must only pass the event on.
    ///
    /// # Errors
    /// The system gives no epoll or eventfd, or the port range holds no pair of an even port and the odd one above it.
    pub fn new(settings: MediaSettings, events: impl Fn(MediaEvent) + Send + 'static) -> io::Result<Media> {
        let orders = Orders::default();
        let wakeup = Arc::new(Wakeup::new()?);
        let priority = priority::Shown::default();
        let keeper = Keeper::new(priority.clone());
        let worker = Worker::new(settings, Box::new(events), orders.clone(), Arc::clone(&wakeup), keeper)?;
        Ok(Media { orders, wakeup, state: Mutex::new(State::Prepared(Box::new(worker))), priority })
    }

    /// Starts the thread, and waits until it has its priority; once it was started or stopped, this does nothing.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = match std::mem::replace(&mut *state, State::Stopped) {
            State::Prepared(worker) => {
                let (say, begun) = sync_channel(1);
                let thread = std::thread::Builder::new().name("media".to_owned()).spawn(move || worker.run(&say))?;
                let _ = begun.recv();
                State::Running(thread)
            }
            other @ (State::Running(_) | State::Stopped) => other,
        };
        Ok(())
    }

    /// What the thread had of the system.
    pub fn priority(&self) -> Priority {
        self.priority.get()
    }

    /// Hands a command to the thread and returns at once. Commands are carried out in the order given. False: the
    /// thread has ended.
    pub fn send(&self, command: MediaCommand) -> bool {
        self.order(Order::Command(Box::new(command)))
    }

    /// Takes the ports of new streams from another range, and gives them another DiffServ code point, from now on;
    /// streams that exist keep theirs. A range without a pair changes nothing. False: the thread has ended.
    pub fn set_ports(&self, ports: RangeInclusive<u16>, dscp: Option<u8>) -> bool {
        self.order(Order::Ports(ports, dscp))
    }

    /// Sends nothing to its own ports at any of these addresses from now on: they are this machine's.
    pub fn set_addresses(&self, own: BTreeSet<IpAddr>) {
        self.order(Order::Addresses(own));
    }

    /// Shows RTP packets from now on (`rtp set debug`), or none any more.
    pub fn show(&self, trace: Option<PacketTrace>) {
        self.order(Order::Trace(trace.map(Box::new)));
    }

    /// What a stream has counted, and how its packets came. Waits for the thread, no longer than `patience`; none: there is
    /// no such stream, or the thread did not answer in time.
    pub fn look(&self, stream: StreamId, patience: Duration) -> Option<(StreamCounts, Box<Heard>)> {
        let (answer, answered) = sync_channel(1);
        self.order(Order::Look(stream, answer)).then(|| answered.recv_timeout(patience).ok()).flatten().flatten()
    }

    fn order(&self, order: Order) -> bool {
        let taken = self.orders.put(order);
        self.wakeup.signal();
        taken
    }

    /// Carries out what was sent, closes every port and ends the thread; what was counted is not reported any more.
    pub fn stop(&self) {
        self.order(Order::Stop);
        let state = std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), State::Stopped);
        match state {
            // A thread that has panicked has said so already.
            State::Running(thread) => drop(thread.join()),
            State::Prepared(_) | State::Stopped => {}
        }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.stop();
    }
}
