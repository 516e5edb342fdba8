//! The thread that finds and reads sounds, as a service: the core thread orders, and goes on with its calls until the
//! sounds come back as an input.

use super::order::{Console, Order};
use super::service::Service;
use crate::config::Config;
use crate::pbx::effect::Input;
use crate::pbx::sounds::{SoundOrder, SoundReply};
use crate::sounds::{Library, Places};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Orders that may wait for the thread; one beyond is refused.
const MAX_WAITING: usize = 1024;

/// Why a sound was refused.
const OVERLOADED: &str = "No sound is played: too many wait to be read from disk, which is slow or overloaded";

/// What the thread is told.
enum Job {
    Load(SoundOrder),
    /// Sounds are looked for there from now on.
    Move(Places),
}

/// Where the core thread orders sounds.
#[derive(Clone)]
pub(super) struct SoundDesk(SyncSender<Job>);

impl SoundDesk {
    /// Orders sounds, and returns at once; the reply when that cannot be.
    pub(super) fn order(&self, order: SoundOrder) -> Option<SoundReply> {
        let Err(TrySendError::Full(refused) | TrySendError::Disconnected(refused)) = self.0.try_send(Job::Load(order))
        else {
            return None;
        };
        match refused {
            Job::Load(order) => Some(order.refused(OVERLOADED)),
            Job::Move(_) => None,
        }
    }
}

/// Finds and reads sounds on a thread of its own.
pub(super) struct SoundService {
    /// What the thread is started with, until it is.
    prepared: Option<(Receiver<Job>, SyncSender<Order>, Library)>,
    desk: Option<SoundDesk>,
    /// The state folder, when there is one.
    state: Option<PathBuf>,
}

impl SoundService {
    /// Prepares the thread, and the desk where sounds are ordered.
    pub(super) fn new(config: &Config, state: Option<PathBuf>, orders: SyncSender<Order>) -> (SoundService, SoundDesk) {
        let (jobs, inbox) = sync_channel(MAX_WAITING);
        let desk = SoundDesk(jobs);
        let library = Library::new(Places::of_this_program(config, state.as_deref()));
        let prepared = Some((inbox, orders, library));
        (SoundService { prepared, desk: Some(desk.clone()), state }, desk)
    }
}

impl Service for SoundService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        let Some((inbox, orders, library)) = self.prepared.take() else { return Ok(()) };
        std::thread::Builder::new().name("sounds".into()).spawn(move || run(library, &inbox, &orders))?;
        Ok(())
    }

    fn renew(&mut self, config: &Config) {
        let places = Places::of_this_program(config, self.state.as_deref());
        // A reload may wait, as it does for other files; an exchange that has ended needs no sounds.
        let _ = self.desk.as_ref().map(|desk| desk.0.send(Job::Move(places)));
    }

    /// Does not wait for the thread: the disk may be slow.
    fn stop(&mut self) {
        self.desk = None;
    }
}

/// Serves the orders one after the other, until nobody can send another.
fn run(mut library: Library, inbox: &Receiver<Job>, orders: &SyncSender<Order>) {
    while let Ok(job) = inbox.recv() {
        let order = match job {
            Job::Load(order) => order,
            Job::Move(places) => {
                library.move_to(places);
                continue;
            }
        };
        let sounds = library.load(&order.wanted);
        let reply = SoundReply { channel: order.channel, order: order.order, sounds };
        if orders.send(Order::Input(Box::new(Input::Sounds(reply)))).is_err() {
            return;
        }
    }
}
