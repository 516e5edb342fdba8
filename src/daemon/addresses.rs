//! Keeps the switch and the media thread told which addresses this machine has: they come and go with cables, leases
//! and tunnels. A thread of its own reads them every few seconds.

use super::order::{Console, Order};
use super::service::Service;
use super::sink::Sink;
use crate::config::Config;
use crate::event::{Level, LogLine};
use crate::media::Media;
use crate::net::local_address;
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender, channel};
use std::time::Duration;

/// How often they are read.
const EVERY: Duration = Duration::from_secs(3);

/// Watches the addresses of this machine.
pub(super) struct AddressService {
    /// What the thread is started with, until it is.
    prepared: Option<Watch>,
    /// Dropped, it ends the thread.
    over: Option<Sender<()>>,
}

struct Watch {
    orders: SyncSender<Order>,
    media: Arc<Media>,
    sink: Sink,
    known: Option<BTreeSet<IpAddr>>,
    has_failed: bool,
}

impl AddressService {
    /// Prepares the thread.
    pub(super) fn new(orders: SyncSender<Order>, media: Arc<Media>, sink: Sink) -> AddressService {
        AddressService { prepared: Some(Watch { orders, media, sink, known: None, has_failed: false }), over: None }
    }
}

impl Service for AddressService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        let Some(mut watch) = self.prepared.take() else { return Ok(()) };
        let (over, is_over) = channel::<()>();
        // Before anything is received: the core thread's queue is empty yet.
        watch.look();
        let run = move || {
            while is_over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                if !watch.look() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("addresses".into()).spawn(run)?;
        self.over = Some(over);
        Ok(())
    }

    fn renew(&mut self, _: &Config) {}

    /// Does not wait for the thread: it reads two files and ends.
    fn stop(&mut self) {
        self.over = None;
    }
}

impl Watch {
    /// Reads them, and tells of a change. False: the exchange has ended.
    fn look(&mut self) -> bool {
        let found = match local_address::all() {
            Ok(found) => found,
            Err(why) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    let text = format!(
                        "The addresses of this machine cannot be read ({why}): only the one that a call comes to is known \
                         as its own. Let the program read /proc/self/net"
                    );
                    (self.sink)(&LogLine { level: Level::Warning, text });
                }
                return true;
            }
        };
        if self.known.as_ref() == Some(&found) {
            return true;
        }
        self.known = Some(found.clone());
        self.media.set_addresses(found.clone());
        self.orders.send(Order::Addresses(found)).is_ok()
    }
}
