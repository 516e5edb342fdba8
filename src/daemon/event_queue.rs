//! The way from the threads that receive SIP to the core thread, to whoever tells of refusals, and to `sip set debug`.

use super::clock::Clock;
use super::order::Order;
use super::refusals::RefusalDesk;
use super::sip_debug::MessageTrace;
use crate::clock::Now;
use crate::guard::admission::{Caller, Proof};
use crate::guard::event::AuthEvent;
use crate::net::ingress::EventSink;
use crate::pbx::effect::Input;
use crate::sip::Flow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

/// Passes what a thread received on to the core thread, and what it refused to those who want to know.
pub(super) struct EventQueue {
    orders: SyncSender<Order>,
    refusals: RefusalDesk,
    trace: Arc<MessageTrace>,
    clock: Clock,
}

impl EventQueue {
    pub(super) fn new(
        orders: SyncSender<Order>,
        refusals: RefusalDesk,
        trace: Arc<MessageTrace>,
        clock: Clock,
    ) -> EventQueue {
        EventQueue { orders, refusals, trace, clock }
    }
}

impl EventSink for EventQueue {
    fn pass(&self, input: Box<Input>) -> Result<(), Box<Input>> {
        if let Input::Request { caller: Caller::Account { peer, proof: Proof::Digest { .. } }, flow, .. } = &*input {
            self.refusals.admitted(&peer.name, flow.remote.ip());
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
            AuthEvent::ChallengedNeighbour(denial) => self.refusals.challenged(denial, source),
            AuthEvent::Refused(denial) => self.refusals.refused(denial, source),
        }
    }

    fn trace(&self, received: bool, flow: Flow, bytes: &[u8]) {
        self.trace.message(received, flow, bytes);
    }

    fn now(&self) -> Now {
        self.clock.now()
    }
}
