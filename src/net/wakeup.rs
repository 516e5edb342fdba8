//! Wakes a thread that waits for descriptors, and costs nothing until it is signalled.

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signalled by one thread, waited on by another; once signalled it stays so.
#[derive(Debug, Clone)]
pub struct Wakeup(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wakes: OwnedFd,
    signalled: AtomicBool,
}

impl Wakeup {
    /// One that is not signalled.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Wakeup> {
        let wakes = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Wakeup(Arc::new(Inner { wakes, signalled: AtomicBool::new(false) })))
    }

    /// Wakes whoever waits, now and from now on.
    pub fn signal(&self) {
        self.0.signalled.store(true, Ordering::Relaxed);
        // Refused only when it was signalled more often than 64 bits can count.
        let _ = rustix::io::write(&self.0.wakes, &1u64.to_ne_bytes());
    }

    /// Has it been signalled? Costs no system call: for a thread that has too much to do to wait.
    pub fn is_signalled(&self) -> bool {
        self.0.signalled.load(Ordering::Relaxed)
    }

    /// Waits, for as long as it takes, until one of the descriptors has something to read; false: it was signalled.
    ///
    /// # Errors
    /// The system cannot wait for these descriptors.
    pub fn wait<'a, F: AsFd + 'a>(&'a self, for_what: impl IntoIterator<Item = &'a F>) -> io::Result<bool> {
        let wakeup = PollFd::new(&self.0.wakes, PollFlags::IN);
        let others = for_what.into_iter().map(|other| PollFd::new(other, PollFlags::IN));
        let mut all: Vec<PollFd<'_>> = std::iter::once(wakeup).chain(others).collect();
        loop {
            match poll(&mut all, None) {
                Ok(_) => return Ok(all.first().is_some_and(|wakeup| wakeup.revents().is_empty())),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::time::Duration;

    #[test]
    fn a_datagram_wakes_and_so_does_a_signal_even_one_before() {
        let wakeup = Wakeup::new().unwrap();
        let (one, other) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        other.send_to(b"x", one.local_addr().unwrap()).unwrap();
        assert!(wakeup.wait([&one]).unwrap());
        one.recv(&mut [0; 4]).unwrap();
        let signalled = wakeup.clone();
        let signaller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            signalled.signal();
        });
        assert!(!wakeup.wait([&one]).unwrap());
        assert!(!wakeup.wait([&one]).unwrap());
        signaller.join().unwrap();
    }
}
