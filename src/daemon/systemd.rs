//! Notifications for systemd: the exchange is ready, it stops, the switch still answers (watchdog). And sockets that it has opened
//! for us (sd_listen_fds(3)).
//!
//! Without `NOTIFY_SOCKET` and `WATCHDOG_USEC` in the environment nothing is sent (sd_notify(3)).

use super::order::Console;
use crate::observe::control::Request;
use listenfd::ListenFd;
use rustix::io::{FdFlags, fcntl_setfd};
use sd_notify::NotifyState;
use std::io;
use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;
use tokio::sync::oneshot;

/// What the switch is asked, to see whether it answers; any reply will do.
const QUESTION: &str = "core waitfullybooted";
/// The switch is asked this many times within the watchdog's timeout.
const PULSES: u32 = 3;

/// Datagram sockets that systemd opened for this process, such as one of port 69, which it could not open itself.
#[derive(Debug, Default)]
pub struct Activation {
    sockets: Vec<UdpSocket>,
    /// How many sockets systemd gave, of whatever kind.
    count: usize,
}

impl Activation {
    /// Takes them. To be called first of all, before there is a second thread: the variables that name them are removed from the
    /// environment, so that no program of a dialplan takes itself for whom they are meant.
    pub fn from_environment() -> Activation {
        let mut given = ListenFd::from_env();
        let count = given.len();
        let sockets = (0..count).filter_map(|index| given.take_udp_socket(index).ok().flatten()).collect();
        Activation { sockets, count }
    }

    /// The sockets, to be used beside these, which are kept for [`Activation::hand_on`].
    pub fn sockets(&self) -> Vec<UdpSocket> {
        self.sockets.iter().filter_map(|socket| socket.try_clone().ok()).collect()
    }

    /// Hands the sockets on to a command that takes the place of this process.
    ///
    /// # Errors
    /// The system does not let one be kept open.
    pub fn hand_on(&self, command: &mut Command) -> io::Result<()> {
        if self.count > 0 {
            self.sockets.iter().try_for_each(|socket| fcntl_setfd(socket, FdFlags::empty()))?;
            command.env("LISTEN_FDS", self.count.to_string()).env("LISTEN_PID", std::process::id().to_string());
        }
        Ok(())
    }
}

/// Notifies that the exchange takes calls, with a status line, and starts to feed the watchdog if there is one.
///
/// # Errors
/// The system has no thread left for the watchdog.
pub fn ready(console: Console, status: &str) -> io::Result<()> {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
    match sd_notify::watchdog_enabled() {
        Some(limit) => watch(console, limit / PULSES, || notify(&[NotifyState::Watchdog])),
        None => Ok(()),
    }
}

/// Notifies that the exchange stops as intended.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// A thread that asks the switch again and again, and calls `alive` at each answer. It waits for an answer as long as
/// it takes, so that a switch that hangs is noticed by what is then missing. It ends with the switch.
fn watch(console: Console, every: Duration, alive: impl Fn() + Send + 'static) -> io::Result<()> {
    let pulse = move || {
        loop {
            let (reply, answer) = oneshot::channel();
            if !console.ask(Request { line: QUESTION.to_owned(), reply }) || answer.blocking_recv().is_err() {
                return;
            }
            alive();
            std::thread::sleep(every);
        }
    };
    std::thread::Builder::new().name("watchdog".into()).spawn(pulse).map(drop)
}

fn notify(state: &[NotifyState<'_>]) {
    // A notification that cannot be sent is lost; the service manager then acts as it was set up to.
    let _ = sd_notify::notify(state);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::order::Order;
    use crate::observe::command::Output;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::sync_channel;
    use std::sync::{Arc, mpsc::RecvTimeoutError};

    #[test]
    fn the_watchdog_is_fed_only_while_the_switch_answers() {
        let (orders, inbox) = sync_channel(4);
        let fed = Arc::new(AtomicU32::new(0));
        let count = fed.clone();
        let alive = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        watch(Console::new(orders), Duration::from_millis(1), alive).unwrap();
        let long = Duration::from_secs(10);
        for _ in 0..3 {
            let Order::Console(request) = inbox.recv_timeout(long).unwrap() else { panic!("asked by another way") };
            assert_eq!(request.line, QUESTION);
            request.reply.send(Output::default()).unwrap();
        }
        // The fourth question stays without an answer: three answers, three pulses, and no fifth question.
        let Order::Console(unanswered) = inbox.recv_timeout(long).unwrap() else { panic!("asked by another way") };
        assert_eq!(inbox.recv_timeout(Duration::from_millis(50)).err(), Some(RecvTimeoutError::Timeout));
        assert_eq!(fed.load(Ordering::SeqCst), 3);
        drop(unanswered);
        // A switch that is gone ends the watch: nobody can send any more.
        assert_eq!(inbox.recv_timeout(long).err(), Some(RecvTimeoutError::Disconnected));
    }
}
