//! A simulated phone on a real socket: a thread that gives a [`Phone`] its datagrams and its time.

use crate::daemon::clock::Clock;
use crate::rng::Rng;
use crate::sim::{Phone, PhoneConfig, PhoneEvent};
use bytes::Bytes;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A command to a phone.
pub(super) enum Order {
    /// Register.
    Register,
    /// Dial a number.
    Dial(String),
    /// Hang up.
    HangUp,
}

/// A running phone.
pub(super) struct DemoPhone {
    /// Its name.
    pub(super) name: String,
    /// Its RTP socket.
    pub(super) rtp: UdpSocket,
    orders: Sender<Order>,
    events: Receiver<PhoneEvent>,
    seen: Vec<PhoneEvent>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The longest a phone waits for a datagram before it looks at its clock and commands.
const NAP: Duration = Duration::from_millis(5);

impl DemoPhone {
    /// A phone on free ports of loopback. `prepare` sets its behaviour.
    pub(super) fn start(mut config: PhoneConfig, seed: u64, prepare: impl FnOnce(&mut Phone)) -> io::Result<DemoPhone> {
        let socket = UdpSocket::bind((config.sip.ip(), 0))?;
        socket.set_read_timeout(Some(NAP))?;
        let rtp = UdpSocket::bind((config.sip.ip(), 0))?;
        config.sip = socket.local_addr()?;
        config.rtp = rtp.local_addr()?;
        let name = config.user.clone();
        let mut phone = Phone::new(config, Rng::from_number(seed));
        prepare(&mut phone);
        let (orders, inbox) = channel();
        let (outbox, events) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let ending = over.clone();
        let thread = std::thread::Builder::new()
            .name(format!("line {name}"))
            .spawn(move || run(&mut phone, &socket, &inbox, &outbox, &ending))?;
        Ok(DemoPhone { name, rtp, orders, events, seen: Vec::new(), over, thread: Some(thread) })
    }

    pub(super) fn order(&self, order: Order) {
        // A phone that has ended sends nothing: the wait for its event reports it.
        let _ = self.orders.send(order);
    }

    /// Waits for an event that `wanted` accepts; every event is looked at once.
    pub(super) fn wait<T>(
        &mut self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&PhoneEvent) -> Option<T>,
    ) -> Result<T, String> {
        let until = Instant::now() + patience;
        loop {
            while let Ok(event) = self.events.recv_timeout(NAP) {
                let found = wanted(&event);
                self.seen.push(event);
                if let Some(found) = found {
                    return Ok(found);
                }
            }
            if Instant::now() > until {
                return Err(format!(
                    "{}: {what} did not happen within {patience:?}; it saw {:?}",
                    self.name, self.seen
                ));
            }
        }
    }
}

impl DemoPhone {
    /// Like [`DemoPhone::wait`], but what was seen before counts too: the latest of it first.
    pub(super) fn wait_or_seen<T>(
        &mut self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&PhoneEvent) -> Option<T>,
    ) -> Result<T, String> {
        match self.seen.iter().rev().find_map(&wanted) {
            Some(found) => Ok(found),
            None => self.wait(what, patience, wanted),
        }
    }
}

impl Drop for DemoPhone {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(phone: &mut Phone, socket: &UdpSocket, inbox: &Receiver<Order>, outbox: &Sender<PhoneEvent>, over: &AtomicBool) {
    let clock = Clock::start();
    let mut buffer = vec![0; 65_535];
    while !over.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let datagram = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
            phone.receive(clock.now().mono, &datagram, from);
        }
        let now = clock.now().mono;
        while let Ok(order) = inbox.try_recv() {
            match order {
                Order::Register => phone.register(now),
                Order::Dial(number) => phone.dial(now, &number),
                Order::HangUp => phone.hang_up(now),
            }
        }
        phone.tick(now);
        for (to, datagram) in phone.take_datagrams() {
            send(socket, to, &datagram);
        }
        for event in phone.take_events() {
            // The receiver is gone when the demonstration ends.
            let _ = outbox.send(event);
        }
    }
}

fn send(socket: &UdpSocket, to: SocketAddr, datagram: &[u8]) {
    // What the system refuses to send is lost as on a network: the phone sends again.
    let _ = socket.send_to(datagram, to);
}
