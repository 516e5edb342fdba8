//! Who learns what happened: every subscriber gets every event, as data and in order.

use super::sentence;
use super::sink::Sink;
use crate::event::Event;
use std::sync::Arc;

/// Wants to know what happens.
pub trait Subscriber: Send + Sync {
    /// Something happened. Called from several threads, the one that owns the switch among them: it must not wait.
    fn event(&self, event: &Event);
}

/// The subscribers; clones publish to the same.
#[derive(Clone)]
pub(super) struct EventBus(Arc<[Box<dyn Subscriber>]>);

impl EventBus {
    pub(super) fn new(subscribers: Vec<Box<dyn Subscriber>>) -> EventBus {
        EventBus(subscribers.into())
    }

    /// Gives an event to all subscribers, one after another.
    pub(super) fn publish(&self, event: &Event) {
        self.0.iter().for_each(|subscriber| subscriber.event(event));
    }
}

/// The log and the consoles: they get sentences.
pub(super) struct LogSubscriber(pub(super) Sink);

impl Subscriber for LogSubscriber {
    fn event(&self, event: &Event) {
        sentence::lines(event).iter().for_each(|line| (self.0)(line));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::event::security::{Denial, DenialCause};
    use crate::event::{CallEvent, LineEvent, LogLine, SecurityEvent, StreamTotals};
    use std::sync::Mutex;

    /// A subscriber that keeps what it gets.
    #[derive(Clone, Default)]
    pub struct Recorder(Arc<Mutex<Vec<Event>>>);

    impl Recorder {
        pub fn events(&self) -> Vec<Event> {
            self.0.lock().unwrap().clone()
        }
    }

    impl Subscriber for Recorder {
        fn event(&self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    #[test]
    fn every_subscriber_gets_every_event_in_order_and_only_the_log_gets_sentences() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let sink: Sink = Arc::new(move |line: &LogLine| kept.lock().unwrap().push(line.text.clone()));
        let recorders = [Recorder::default(), Recorder::default()];
        let bus = EventBus::new(vec![
            Box::new(recorders[0].clone()),
            Box::new(LogSubscriber(sink)),
            Box::new(recorders[1].clone()),
        ]);
        let denial = Denial {
            cause: DenialCause::UnknownAccount,
            account: "x".to_owned(),
            id: "7f".to_owned(),
            source: "192.0.2.7:5060".parse().unwrap(),
            transport: "UDP".to_owned(),
            at: crate::clock::Wall(0),
        };
        let events: Vec<Event> = vec![
            CallEvent::Called { caller: "SIP/b-1".to_owned(), target: "SIP/a".into(), server: None }.into(),
            // Not worth a line, and an event all the same.
            CallEvent::StreamClosed {
                channel: "SIP/a-1".to_owned(),
                medium: None,
                totals: StreamTotals::default(),
                quality: None,
            }
            .into(),
            SecurityEvent::Denied(denial).into(),
            LineEvent::Unregistered { line: "a".to_owned() }.into(),
            LogLine::verbose(1, "said by a dialplan").into(),
        ];
        events.iter().for_each(|event| bus.clone().publish(event));
        assert_eq!(recorders[0].events(), events);
        assert_eq!(recorders[1].events(), events);
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], "Called SIP/a");
        assert!(lines[1].starts_with("SecurityEvent=\"InvalidAccountID\","), "{}", lines[1]);
        assert_eq!(lines[2..], ["Unregistered SIP 'a'", "said by a dialplan"]);
    }
}
