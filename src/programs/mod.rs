//! Programs that run for calls: commands of the dialplan, scripts that steer a call, web pages that are fetched, files. One thread
//! with a runtime of its own does all of it, so that neither the switch nor media ever waits.

mod fetch;
mod files;
mod locator;
mod process;
mod script;
mod settings;
mod speech;
mod talk;
mod ticket;
mod worker;

pub use locator::{Found, Locator};
pub use settings::{Allowed, Settings};

use crate::pbx::outside::{OutsideOrder, OutsideReport};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use worker::{Work, Worker};

/// Threads that look names up or read certificates.
const BLOCKING_THREADS: usize = 8;

/// Runs programs for calls.
pub struct Programs {
    settings: Arc<RwLock<Arc<Settings>>>,
    /// A channel has one order under way at most: that bounds the queue.
    work: UnboundedSender<Work>,
    inbox: Mutex<Option<UnboundedReceiver<Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Programs {
    /// Not started yet.
    pub fn new(settings: Settings) -> Programs {
        let (work, inbox) = unbounded_channel();
        let settings = Arc::new(RwLock::new(Arc::new(settings)));
        Programs { settings, work, inbox: Mutex::new(Some(inbox)), thread: Mutex::new(None) }
    }

    /// Starts the thread; what comes of each order goes to `report`.
    ///
    /// # Errors
    /// The system refuses a thread, or what a runtime needs.
    pub fn start(&self, report: impl Fn(OutsideReport) + Send + 'static) -> io::Result<()> {
        let Some(inbox) = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("programs-names")
            .build()?;
        let settings = self.settings.clone();
        let thread = std::thread::Builder::new().name("programs".into()).spawn(move || {
            let tasks = tokio::task::LocalSet::new();
            tasks.block_on(&runtime, Worker::new(settings, Box::new(report)).run(inbox));
            // Whatever still runs is ended with its task.
            drop(tasks);
            runtime.shutdown_background();
        })?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Has something done. Never waits.
    pub fn send(&self, order: OutsideOrder) {
        // After the stop nobody waits for anything.
        let _ = self.work.send(Work::Order(order));
    }

    /// These are in force from the next order on.
    pub fn set(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Ends all that runs, and the thread.
    pub fn stop(&self) {
        let _ = self.work.send(Work::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
