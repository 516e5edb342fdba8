//! What the other threads ask of the core thread, through its one bounded queue.

use crate::dialplan::originate::OriginateRequest;
use crate::event::LogLine;
use crate::names::Names;
use crate::observe::command::Output;
use crate::observe::control::Request as ConsoleRequest;
use crate::observe::control_api::Reload;
use crate::pbx::effect::Input;
use crate::pbx::switch::{Stopping, SwitchSettings};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Sender, SyncSender};
use tokio::sync::oneshot;

/// What the core thread is asked.
pub(super) enum Order {
    /// Handle this input.
    Input(Box<Input>),
    /// Look at the reports of the media thread, which are not in this queue.
    Reports,
    /// These are the addresses of this machine now.
    Addresses(BTreeSet<IpAddr>),
    /// Answer a console's command.
    Console(ConsoleRequest),
    /// Begin a call.
    Originate(Box<OriginateRequest>),
    /// Stop.
    Stop(Stopping),
    /// Use the servers that the names of the configuration lead to now.
    Names(Names),
    /// This is our address outside of a NAT, as a STUN server tells it.
    Outside(Option<SocketAddr>),
    /// Put a new configuration in force.
    Renew(Box<Renewal>),
}

/// What a new configuration changes of the switch.
pub(super) struct Renewal {
    pub(super) settings: SwitchSettings,
    /// First and last RTP port, for the console.
    pub(super) rtp: (u16, u16),
    /// Takes the notices and warnings of the switch about the change.
    pub(super) done: Sender<Vec<LogLine>>,
}

/// One reload that somebody asks for.
pub(super) struct ReloadRequest {
    pub(super) what: Reload,
    /// The console that waits for the outcome.
    pub(super) reply: Option<oneshot::Sender<Output>>,
}

/// Hands console lines to the switch.
#[derive(Clone)]
pub struct Console {
    orders: SyncSender<Order>,
}

impl Console {
    pub(super) fn new(orders: SyncSender<Order>) -> Console {
        Console { orders }
    }

    /// Has the switch answer a console's request; false when the exchange has ended.
    pub fn ask(&self, request: ConsoleRequest) -> bool {
        self.orders.send(Order::Console(request)).is_ok()
    }
}
