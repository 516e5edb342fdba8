//! The thread that finds and reads sounds, as a service: the core thread orders, and goes on with its calls until the
//! sounds come back as an input.

use super::order::{Console, Order};
use super::service::Service;
use crate::config::Config;
use crate::pbx::effect::Input;
use crate::pbx::sounds::{SoundOrder, SoundReply};
use crate::sounds::Library;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Orders that may wait for the thread; one beyond is refused.
const MAX_WAITING: usize = 1024;

/// What the thread is told.
enum Job {
    Load(SoundOrder),
}

/// Where the core thread orders sounds.
#[derive(Clone)]
pub(super) struct SoundDesk(SyncSender<Job>);

impl SoundDesk {
    /// Orders sounds, and returns at once; the reply when that cannot be.
    pub(super) fn order(&self, order: SoundOrder) -> Option<SoundReply> {
        let Err(refused) = self.0.try_send(Job::Load(order)) else { return None };
        let (std::sync::mpsc::TrySendError::Full(Job::Load(order))
        | std::sync::mpsc::TrySendError::Disconnected(Job::Load(order))) = refused;
        Some(order.refused("No sound is played: too many wait to be read from disk, which is slow or overloaded"))
    }
}

/// Finds and reads sounds on a thread of its own.
pub(super) struct SoundService {
    /// What the thread is started with, until it is.
    prepared: Option<(Receiver<Job>, SyncSender<Order>)>,
    desk: Option<SoundDesk>,
}

impl SoundService {
    /// Prepares the thread, and the desk where sounds are ordered.
    pub(super) fn new(orders: SyncSender<Order>) -> (SoundService, SoundDesk) {
        let (jobs, inbox) = sync_channel(MAX_WAITING);
        let desk = SoundDesk(jobs);
        (SoundService { prepared: Some((inbox, orders)), desk: Some(desk.clone()) }, desk)
    }
}

impl Service for SoundService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        let Some((inbox, orders)) = self.prepared.take() else { return Ok(()) };
        std::thread::Builder::new().name("sounds".into()).spawn(move || run(&inbox, &orders))?;
        Ok(())
    }

    fn renew(&mut self, _: &Config) {}

    /// Does not wait for the thread: the disk may be slow.
    fn stop(&mut self) {
        self.desk = None;
    }
}

/// Serves the orders one after the other, until nobody can send another.
fn run(inbox: &Receiver<Job>, orders: &SyncSender<Order>) {
    let mut library = Library;
    while let Ok(Job::Load(order)) = inbox.recv() {
        let sounds = library.load(&order.wanted);
        let reply = SoundReply { channel: order.channel, order: order.order, sounds };
        if orders.send(Order::Input(Box::new(Input::Sounds(reply)))).is_err() {
            return;
        }
    }
}
