//! The way from the threads that receive SIP to the core thread, to the subscribers of events, and to `sip set debug`.

use super::clock::{Clock, wall};
use super::event_bus::EventBus;
use super::order::Order;
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

/// Passes what a thread received on to the core thread, and what it refused to those who want to know.
pub(super) struct EventQueue {
    orders: SyncSender<Order>,
    events: EventBus,
    trace: Arc<MessageTrace>,
    auth_table: Arc<AuthTable>,
    clock: Clock,
    /// Devices already reported for bad credentials.
    refusals: Mutex<Refusals>,
}

impl EventQueue {
    pub(super) fn new(
        orders: SyncSender<Order>,
        events: EventBus,
        trace: Arc<MessageTrace>,
        auth_table: Arc<AuthTable>,
        clock: Clock,
    ) -> Self {
        EventQueue { orders, events, trace, auth_table, clock, refusals: Mutex::default() }
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device was admitted that may have been refused before.
    fn admitted(&self, account: &str, source: IpAddr) {
        let mut refusals = self.refusals();
        if refusals.is_empty() {
            return;
        }
        let event = refusals.admitted(account, source, self.clock.now().mono);
        drop(refusals);
        if let Some(event) = event {
            self.publish(event);
        }
    }

    fn publish(&self, event: SecurityEvent) {
        self.events.publish(&event.into());
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
                self.publish(SecurityEvent::Denied(denial.as_ref().clone()));
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

#[cfg(test)]
mod tests {
    use super::super::event_bus::tests::Recorder;
    use super::*;
    use crate::config::Config;
    use crate::event::Event;
    use crate::event::security::{Denial, DenialCause};
    use crate::guard::admission::Admission;
    use crate::sip::digest::nonce::NonceKey;
    use std::net::SocketAddr;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn each_refusal_is_an_event_and_the_first_of_a_kind_is_one_for_the_administrator_too() {
        let config = Config::from_texts("[client]\ntype=friend\nhost=dynamic\nsecret=x\n", "", "", "").0.unwrap();
        let admission = Admission::new(&config.sip, NonceKey([0; 32]));
        let recorder = Recorder::default();
        let queue = EventQueue::new(
            sync_channel(1).0,
            EventBus::new(vec![Box::new(recorder.clone())]),
            Arc::new(MessageTrace::new(false, Arc::new(|_| {}))),
            Arc::new(AuthTable::new(Arc::new(admission))),
            Clock::start(),
        );
        let source = "192.0.2.7".parse().unwrap();
        let denial = Denial {
            cause: DenialCause::UnknownAccount,
            account: "cleint".to_owned(),
            id: "7f".to_owned(),
            source: SocketAddr::new(source, 5060),
            transport: "UDP".to_owned(),
            at: Wall(0),
        };
        queue.report(&AuthEvent::Challenged, source);
        assert_eq!(recorder.events(), [], "anybody could make as many");
        let refused = AuthEvent::Refused(Box::new(denial.clone()));
        queue.report(&refused, source);
        queue.report(&refused, source);
        queue.admitted("cleint", source);
        let denied = Event::from(SecurityEvent::Denied(denial.clone()));
        let nearest = Some("client".to_owned());
        let reported = SecurityEvent::DenialReported { denial, nearest, repeated: None };
        let events = recorder.events();
        assert_eq!(events[..3], [denied.clone(), reported.into(), denied]);
        assert!(
            matches!(&events[3..], [Event::Security(SecurityEvent::Admitted { denied: 2, .. })]),
            "{:?}",
            &events[3..]
        );
    }
}
