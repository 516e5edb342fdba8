//! Supervises the essential threads: reports each that ends, and whether it panicked.

use std::fmt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A thread without which there is no telephone exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// Runs the switch; its end is the end of the exchange.
    Switch,
    /// Receives SIP over UDP.
    Receiver,
    /// Serves SIP over TCP and TLS.
    Connections,
    /// Owns the RTP sockets.
    Media,
    /// Runs programs for calls.
    Programs,
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Thread::Switch => "switch",
            Thread::Receiver => "SIP receiver",
            Thread::Connections => "thread of TCP and TLS",
            Thread::Media => "media thread",
            Thread::Programs => "thread of programs",
        })
    }
}

/// The end of an essential thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadEnd {
    pub(super) thread: Thread,
    pub(super) panicked: bool,
}

/// Gives each essential thread its guard.
#[derive(Clone)]
pub(super) struct ThreadMonitor(UnboundedSender<ThreadEnd>);

/// Kept by a thread as long as it runs. Its drop reports the end, after a return and after a panic alike.
pub(super) struct ThreadGuard {
    thread: Thread,
    ends: UnboundedSender<ThreadEnd>,
}

/// Receives the reports, in the order in which the threads ended.
pub(super) struct ThreadEnds(UnboundedReceiver<ThreadEnd>);

/// A monitor, and where its reports arrive.
pub(super) fn monitor() -> (ThreadMonitor, ThreadEnds) {
    let (sender, receiver) = unbounded_channel();
    (ThreadMonitor(sender), ThreadEnds(receiver))
}

impl ThreadMonitor {
    /// The guard of this thread.
    pub(super) fn guard(&self, thread: Thread) -> ThreadGuard {
        ThreadGuard { thread, ends: self.0.clone() }
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        let end = ThreadEnd { thread: self.thread, panicked: std::thread::panicking() };
        // Nobody may wait for it any more: the exchange has ended.
        let _ = self.ends.send(end);
    }
}

impl ThreadEnds {
    /// Waits for the next thread that ends. None: all have ended and were reported.
    pub(super) async fn next(&mut self) -> Option<ThreadEnd> {
        self.0.recv().await
    }

    /// The next thread that has ended already.
    pub(super) fn try_next(&mut self) -> Option<ThreadEnd> {
        self.0.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_returns_and_one_that_panics_are_reported_in_order() {
        let (monitor, mut ends) = monitor();
        let guard = monitor.guard(Thread::Media);
        std::thread::spawn(move || drop(guard)).join().unwrap();
        let guard = monitor.guard(Thread::Receiver);
        let failed = std::thread::spawn(move || {
            let _guard = guard;
            panic!("on purpose");
        });
        assert!(failed.join().is_err());
        assert_eq!(ends.try_next(), Some(ThreadEnd { thread: Thread::Media, panicked: false }));
        assert_eq!(ends.try_next(), Some(ThreadEnd { thread: Thread::Receiver, panicked: true }));
        assert_eq!(ends.try_next(), None);
    }
}
