//! Notifications for systemd: the exchange is ready, it stops, the switch still answers (watchdog).
//!
//! Without `NOTIFY_SOCKET` and `WATCHDOG_USEC` in the environment nothing is sent (sd_notify(3)).

use super::order::Console;
use crate::observe::control::Request;
use sd_notify::NotifyState;
use std::io;
use std::time::Duration;
use tokio::sync::oneshot;

/// What the switch is asked, to see whether it answers; any reply will do.
const QUESTION: &str = "core waitfullybooted";
/// The switch is asked this many times within the watchdog's timeout.
const PULSES: u32 = 3;

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
