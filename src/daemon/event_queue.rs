//! The receiver's way to the switch, to the log, and to whoever watches messages.

use super::Sink;
use super::clock::{Clock, wall};
use super::core_thread::Order;
use super::sip_debug::Watch;
use crate::clock::Wall;
use crate::event::{Level, LogLine};
use crate::guard::admission::{Caller, Proof};
use crate::guard::event::AuthEvent;
use crate::guard::repeat_filter::Refusals;
use crate::net::ingress::{AuthTable, EventSink};
use crate::pbx::effect::Event;
use crate::sip::Flow;
use std::net::IpAddr;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
pub(super) struct ToSwitch {
    orders: SyncSender<Order>,
    sink: Sink,
    watch: Arc<Watch>,
    auth_table: Arc<AuthTable>,
    clock: Clock,
    /// Whom the owner was told of.
    refusals: Mutex<Refusals>,
}

impl ToSwitch {
    pub(super) fn new(
        orders: SyncSender<Order>,
        to: (Sink, Arc<Watch>),
        auth_table: Arc<AuthTable>,
        clock: Clock,
    ) -> Self {
        let (sink, watch) = to;
        ToSwitch { orders, sink, watch, auth_table, clock, refusals: Mutex::default() }
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
            (self.sink)(&LogLine { level: Level::Notice, text });
        }
    }
}

impl EventSink for ToSwitch {
    fn pass(&self, event: Box<Event>) -> Result<(), Box<Event>> {
        if let Event::Request { caller: Caller::Account { peer, proof: Proof::Digest { .. } }, flow, .. } = &*event {
            self.welcome(&peer.name, flow.remote.ip());
        }
        match self.orders.try_send(Order::Event(event)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(Order::Event(event))) => Err(event),
            // The switch is gone: there is nobody left to tell.
            Err(TrySendError::Disconnected(_) | TrySendError::Full(_)) => Ok(()),
        }
    }

    fn note(&self, note: &AuthEvent, source: IpAddr) {
        match note {
            // Nobody proved anything: counted by the receiver, and not a line each, or strangers would write our log.
            AuthEvent::Challenged => {}
            AuthEvent::Refused { line, .. } => {
                // Each of them, for those who count them towards a ban; the owner is told once.
                (self.sink)(&LogLine { level: Level::Security, text: line.clone() });
                let nearest = |account: &str| self.auth_table.admission().nearest(account);
                let hint = self.refusals().record(note, source, self.clock.now().mono, nearest);
                if let Some(text) = hint {
                    (self.sink)(&LogLine { level: Level::Warning, text });
                }
            }
        }
    }

    fn watch(&self, received: bool, flow: Flow, bytes: &[u8]) {
        self.watch.message(received, flow, bytes);
    }

    fn wall(&self) -> Wall {
        wall()
    }
}
