//! The receiver's way to the switch, to the log, and to whoever watches messages.

use super::Sink;
use super::clock::wall;
use super::owner::Order;
use super::watch::Watch;
use crate::clock::Wall;
use crate::guard::event::Note;
use crate::net::edge::Outlet;
use crate::pbx::effect::{Event, Level, Line};
use crate::sip::Flow;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

/// See the module.
pub(super) struct ToSwitch {
    pub(super) orders: SyncSender<Order>,
    pub(super) sink: Sink,
    pub(super) watch: Arc<Watch>,
}

impl Outlet for ToSwitch {
    fn pass(&self, event: Box<Event>) -> Result<(), Box<Event>> {
        match self.orders.try_send(Order::Event(event)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(Order::Event(event))) => Err(event),
            // The switch is gone: there is nobody left to tell.
            Err(TrySendError::Disconnected(_) | TrySendError::Full(_)) => Ok(()),
        }
    }

    fn note(&self, note: &Note) {
        match note {
            // Nobody proved anything: counted by the receiver, and not a line each, or strangers would write our log.
            Note::Challenged => {}
            Note::Refused { line, hint, .. } => {
                (self.sink)(&Line { level: Level::Security, text: line.clone() });
                (self.sink)(&Line { level: Level::Warning, text: hint.clone() });
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
