//! What the threads that receive SIP and the core thread share.

use super::clock::Clock;
use super::entropy::entropy;
use super::event_queue::EventQueue;
use super::order::Order;
use super::refusals::RefusalDesk;
use super::sip_debug::MessageTrace;
use crate::guard::admission::Admission;
use crate::net::ingress::{AuthTable, Counters, Hearers, Ingress};
use crate::rng::Rng;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// What the threads that receive SIP and the core thread share.
#[derive(Clone)]
pub(super) struct Receiving {
    pub(super) auth_table: Arc<AuthTable>,
    pub(super) counters: Arc<Counters>,
    pub(super) hearing: Arc<Hearers>,
    pub(super) trace: Arc<MessageTrace>,
}

impl Receiving {
    /// With the accounts of the first configuration.
    pub(super) fn new(admission: Arc<Admission>, trace: MessageTrace) -> Receiving {
        Receiving {
            auth_table: Arc::new(AuthTable::new(admission)),
            counters: Arc::default(),
            hearing: Arc::new(Hearers::new()),
            trace: Arc::new(trace),
        }
    }

    /// The way of their events to the core thread.
    pub(super) fn queue(&self, orders: SyncSender<Order>, refusals: RefusalDesk, clock: Clock) -> Arc<EventQueue> {
        Arc::new(EventQueue::new(orders, refusals, self.trace.clone(), clock))
    }

    /// The ingress of one thread that receives.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(super) fn ingress(&self, queue: Arc<EventQueue>) -> io::Result<Ingress> {
        Ok(Ingress {
            auth_table: self.auth_table.clone(),
            hearing: self.hearing.clone(),
            counters: self.counters.clone(),
            rng: Rng::from_seed(entropy()?),
            sink: queue,
        })
    }
}
