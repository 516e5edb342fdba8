//! The way from the threads that receive SIP to the core thread, to the log, and to `sip set debug`.

use super::clock::{Clock, wall};
use super::order::Order;
use super::sentence;
use super::sink::Sink;
use super::sip_debug::MessageTrace;
use crate::clock::Wall;
use crate::event::SecurityEvent;
use crate::guard::admission::{Caller, Proof};
use crate::guard::event::AuthEvent;
use crate::guard::repeat_filter::Refusals;
use crate::net::ingress::{AuthTable, EventSink};
use crate::pbx::effect::Input;
use crate::sip::Flow;
use std::net::IpAddr;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Passes what a thread received on to the core thread, and what it refused to the log.
pub(super) struct EventQueue {
    orders: SyncSender<Order>,
    sink: Sink,
    trace: Arc<MessageTrace>,
    auth_table: Arc<AuthTable>,
    clock: Clock,
    /// Devices already reported for bad credentials.
    refusals: Mutex<Refusals>,
}

impl EventQueue {
    pub(super) fn new(
        orders: SyncSender<Order>,
        sink: Sink,
        trace: Arc<MessageTrace>,
        auth_table: Arc<AuthTable>,
        clock: Clock,
    ) -> Self {
        EventQueue { orders, sink, trace, auth_table, clock, refusals: Mutex::default() }
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device was admitted that may have been refused before.
    fn admitted(&self, account: &str, source: IpAddr) {
        let mut refusals = self.refusals();
        if !refusals.is_empty()
            && let Some(event) = refusals.admitted(account, source, self.clock.now().mono)
        {
            self.publish(event);
        }
    }

    fn publish(&self, event: SecurityEvent) {
        sentence::lines(&event.into()).iter().for_each(|line| (self.sink)(line));
    }
}

impl EventSink for EventQueue {
    fn pass(&self, input: Box<Input>) -> Result<(), Box<Input>> {
        if let Input::Request { caller: Caller::Account { peer, proof: Proof::Digest { .. } }, flow, .. } = &*input {
            self.admitted(&peer.name, flow.remote.ip());
        }
        match self.orders.try_send(Order::Input(input)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(Order::Input(input))) => Err(input),
            // The switch has ended: there is nobody left to take it.
            Err(TrySendError::Disconnected(_) | TrySendError::Full(_)) => Ok(()),
        }
    }

    fn report(&self, event: &AuthEvent, source: IpAddr) {
        match event {
            // Counted by the receiver and not logged: anybody could fill the log otherwise.
            AuthEvent::Challenged => {}
            AuthEvent::Refused(denial) => {
                // Each refusal for programs that count them towards a ban; the warning for the administrator once.
                self.publish(SecurityEvent::Denied(denial.clone()));
                let nearest = |account: &str| self.auth_table.admission().nearest(account);
                let report = self.refusals().record(denial, source, self.clock.now().mono, nearest);
                if let Some(report) = report {
                    self.publish(report);
                }
            }
        }
    }

    fn trace(&self, received: bool, flow: Flow, bytes: &[u8]) {
        self.trace.message(received, flow, bytes);
    }

    fn wall(&self) -> Wall {
        wall()
    }
}
