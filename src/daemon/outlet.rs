//! The receiver's way to the switch, to the log, and to whoever watches messages.

use super::Sink;
use super::clock::wall;
use super::crew::Post;
use super::owner::Order;
use super::watch::Watch;
use crate::clock::Wall;
use crate::guard::event::Note;
use crate::net::udp::Outlet;
use crate::pbx::effect::{Event, Level, Line};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// See the module.
pub(super) struct ToSwitch {
    pub(super) orders: SyncSender<Order>,
    /// The receiver's: it has this outlet for as long as it lives.
    pub(super) _post: Post,
    pub(super) sink: Sink,
    pub(super) watch: Arc<Watch>,
}

impl Outlet for ToSwitch {
    fn pass(&self, event: Event) -> bool {
        self.orders.try_send(Order::Event(Box::new(event))).is_ok()
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

    fn watch(&self, received: bool, remote: SocketAddr, bytes: &[u8]) {
        self.watch.message(received, remote, bytes);
    }

    fn wall(&self) -> Wall {
        wall()
    }
}
