//! The receiver's way to the switch, to the log, and to whoever watches messages.

use super::Sink;
use super::clock::{Clock, wall};
use super::crew::Post;
use super::owner::Order;
use super::watch::Watch;
use crate::clock::Wall;
use crate::guard::admission::{Caller, Proof};
use crate::guard::event::Note;
use crate::guard::refusals::Refusals;
use crate::net::udp::{Gate, Outlet};
use crate::pbx::effect::{Event, Level, Line};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
pub(super) struct ToSwitch {
    orders: SyncSender<Order>,
    /// The receiver's: it has this outlet for as long as it lives.
    _post: Post,
    sink: Sink,
    watch: Arc<Watch>,
    gate: Arc<Gate>,
    clock: Clock,
    /// Whom the owner was told of.
    refusals: Mutex<Refusals>,
}

impl ToSwitch {
    pub(super) fn new(
        orders: SyncSender<Order>,
        post: Post,
        to: (Sink, Arc<Watch>),
        gate: Arc<Gate>,
        clock: Clock,
    ) -> Self {
        let (sink, watch) = to;
        ToSwitch { orders, _post: post, sink, watch, gate, clock, refusals: Mutex::default() }
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is let in who may have been refused before.
    fn welcome(&self, account: &str, source: IpAddr) {
        let mut refusals = self.refusals();
        if !refusals.is_empty()
            && let Some(text) = refusals.admitted(account, source, self.clock.now().mono)
        {
            (self.sink)(&Line { level: Level::Notice, text });
        }
    }
}

impl Outlet for ToSwitch {
    fn pass(&self, event: Event) -> bool {
        if let Event::Request { caller: Caller::Account { peer, proof: Proof::Digest { .. } }, flow, .. } = &event {
            self.welcome(&peer.name, flow.remote.ip());
        }
        self.orders.try_send(Order::Event(Box::new(event))).is_ok()
    }

    fn note(&self, note: &Note, source: IpAddr) {
        match note {
            // Nobody proved anything: counted by the receiver, and not a line each, or strangers would write our log.
            Note::Challenged => {}
            Note::Refused { line, .. } => {
                // Each of them, for those who count them towards a ban; the owner is told once.
                (self.sink)(&Line { level: Level::Security, text: line.clone() });
                let nearest = |account: &str| self.gate.admission().nearest(account);
                let hint = self.refusals().hear(note, source, self.clock.now().mono, nearest);
                if let Some(text) = hint {
                    (self.sink)(&Line { level: Level::Warning, text });
                }
            }
        }
    }

    fn watch(&self, received: bool, remote: SocketAddr, bytes: &[u8]) {
        self.watch.message(received, remote, bytes);
    }

    fn wall(&self) -> Wall {
        wall()
    }
}
