//! The threads that find and read sounds, as a service: the core thread orders, and goes on with its calls until the
//! sounds come back as an input. A load that takes too long is given up by its call, and another thread takes the place of
//! the one that waits for it.

use super::order::{Console, Order};
use super::service::Service;
use crate::audio::sound::Sound;
use crate::config::Config;
use crate::pbx::effect::Input;
use crate::pbx::sounds::{SoundOrder, SoundReply, Wanted};
use crate::sounds::{LIMIT, Library, Places};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Orders that may wait for the thread; one beyond is refused.
const MAX_WAITING: usize = 1024;

/// Threads that load sounds.
const THREADS: usize = 2;
/// Maximum number of threads that wait for a disk that does not answer, besides.
const MAX_LOST: usize = 8;
/// How often it is looked who waits too long, while anybody loads.
const LOOK: Duration = Duration::from_millis(500);

/// Why a sound was refused.
const OVERLOADED: &str = "No sound is played: too many wait to be read from disk, which is slow or overloaded";

/// Why a sound was given up.
const HUNG: &str = "No sound is played: it could not be read within 3 s (a network mount that hangs, or a slow disk?)";

/// Where the core thread orders sounds.
#[derive(Clone)]
pub(super) struct SoundDesk(SyncSender<SoundOrder>);

impl SoundDesk {
    /// Orders sounds, and returns at once; the reply when that cannot be.
    pub(super) fn order(&self, order: SoundOrder) -> Option<SoundReply> {
        match self.0.try_send(order) {
            Ok(()) => None,
            Err(TrySendError::Full(refused) | TrySendError::Disconnected(refused)) => Some(refused.refused(OVERLOADED)),
        }
    }
}

/// Loads what is wanted; may wait for a disk.
type Load = Box<dyn Fn(&Wanted) -> Vec<Result<Sound, String>> + Send + Sync>;

/// Finds and reads sounds on threads of its own.
pub(super) struct SoundService {
    /// What the threads are started with, until they are.
    prepared: Option<(Receiver<SoundOrder>, SyncSender<Order>)>,
    library: Arc<Library>,
    desk: Option<SoundDesk>,
    pool: Option<Arc<Pool>>,
    /// The state folder, when there is one.
    state: Option<PathBuf>,
}

impl SoundService {
    /// Prepares the threads, and the desk where sounds are ordered.
    pub(super) fn new(config: &Config, state: Option<PathBuf>, orders: SyncSender<Order>) -> (SoundService, SoundDesk) {
        let (jobs, inbox) = sync_channel(MAX_WAITING);
        let desk = SoundDesk(jobs);
        let library = Arc::new(Library::new(Places::of_this_program(config, state.as_deref())));
        let prepared = Some((inbox, orders));
        (SoundService { prepared, library, desk: Some(desk.clone()), pool: None, state }, desk)
    }
}

impl Service for SoundService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        let Some((inbox, orders)) = self.prepared.take() else { return Ok(()) };
        let library = Arc::clone(&self.library);
        // An exchange that has ended needs no sounds.
        let reply = move |reply| drop(orders.send(Order::Input(Box::new(Input::Sounds(reply)))));
        let load = move |wanted: &Wanted| library.load(wanted);
        self.pool = Some(Pool::start(inbox, Box::new(load), Box::new(reply), LIMIT)?);
        Ok(())
    }

    fn renew(&mut self, config: &Config) {
        self.library.move_to(Places::of_this_program(config, self.state.as_deref()));
    }

    /// Does not wait for the threads: the disk may be slow.
    fn stop(&mut self) {
        self.desk = None;
        if let Some(pool) = self.pool.take() {
            pool.state().is_stopped = true;
            pool.changed.notify_all();
        }
    }
}

/// The threads, and what they are doing.
struct Pool {
    inbox: Mutex<Receiver<SoundOrder>>,
    load: Load,
    reply: Box<dyn Fn(SoundReply) + Send + Sync>,
    limit: Duration,
    state: Mutex<PoolState>,
    /// Somebody began to load, or it is over.
    changed: Condvar,
}

#[derive(Default)]
struct PoolState {
    /// What is being loaded since when, by the thread that does it.
    loading: BTreeMap<u64, (Instant, SoundOrder)>,
    /// How many threads there are that nobody has given up, and how many that were.
    working: usize,
    lost: usize,
    last: u64,
    is_stopped: bool,
}

impl Pool {
    fn start(
        inbox: Receiver<SoundOrder>,
        load: Load,
        reply: Box<dyn Fn(SoundReply) + Send + Sync>,
        limit: Duration,
    ) -> io::Result<Arc<Pool>> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let pool = Arc::new(Pool { inbox: Mutex::new(inbox), load, reply, limit, state, changed });
        for _ in 0..THREADS {
            pool.begin()?;
        }
        let watching = Arc::clone(&pool);
        std::thread::Builder::new().name("sounds-watch".into()).spawn(move || watching.watch())?;
        Ok(pool)
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts another thread.
    fn begin(self: &Arc<Pool>) -> io::Result<()> {
        let pool = Arc::clone(self);
        let mut state = self.state();
        state.last = state.last.saturating_add(1);
        let number = state.last;
        std::thread::Builder::new().name("sounds".into()).spawn(move || pool.work(number))?;
        state.working = state.working.saturating_add(1);
        Ok(())
    }

    /// Serves the orders one after the other, until nobody can send another, or one took too long.
    fn work(&self, number: u64) {
        loop {
            let order = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(order) = order else { break };
            self.state().loading.insert(number, (Instant::now(), order.clone()));
            self.changed.notify_all();
            let sounds = (self.load)(&order.wanted);
            let mut state = self.state();
            if state.loading.remove(&number).is_none() {
                // Its call has been told, and another thread has its place.
                state.lost = state.lost.saturating_sub(1);
                return;
            }
            drop(state);
            (self.reply)(SoundReply { channel: order.channel, order: order.order, sounds });
        }
        let mut state = self.state();
        state.working = state.working.saturating_sub(1);
        state.is_stopped = true;
        self.changed.notify_all();
    }

    /// Gives up what takes too long, as long as there are threads.
    fn watch(self: &Arc<Pool>) {
        loop {
            let idle = |state: &mut PoolState| state.loading.is_empty() && state.working > 0 && !state.is_stopped;
            let mut state = self.changed.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
            if state.is_stopped {
                return;
            }
            let late: Vec<u64> = {
                let late = state.loading.iter().filter(|(_, (since, _))| since.elapsed() >= self.limit);
                late.map(|(number, _)| *number).collect()
            };
            let mut given_up = Vec::new();
            for number in late {
                given_up.extend(state.loading.remove(&number).map(|(_, order)| order));
                (state.working, state.lost) = (state.working.saturating_sub(1), state.lost.saturating_add(1));
            }
            let missing = THREADS.saturating_sub(state.working).min(MAX_LOST.saturating_sub(state.lost));
            let is_out = state.working == 0 && missing == 0;
            drop(state);
            given_up.iter().for_each(|order| (self.reply)(order.refused(HUNG)));
            for _ in 0..missing {
                // Without another the next round tries again.
                let _ = self.begin();
            }
            if is_out && let Ok(inbox) = self.inbox.try_lock() {
                inbox.try_iter().for_each(|order| (self.reply)(order.refused(HUNG)));
            }
            std::thread::sleep(LOOK.min(self.limit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::ChannelId;
    use std::sync::mpsc::channel;

    /// Names that begin with `hung` are waited for until the test lets them go.
    #[test]
    fn a_disk_that_hangs_keeps_nobody_elses_sound_and_its_own_call_goes_on() {
        let (jobs, inbox) = sync_channel(MAX_WAITING);
        let (sender, replies) = channel();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let held = Arc::clone(&gate);
        let load = move |wanted: &Wanted| {
            let Wanted::Names { names, .. } = wanted else { return Vec::new() };
            if names[0].starts_with("hung") {
                drop(held.1.wait_while(held.0.lock().unwrap(), |open| !*open));
            }
            vec![Err(names[0].clone())]
        };
        let reply = move |reply: SoundReply| drop(sender.send(reply));
        let pool = Pool::start(inbox, Box::new(load), Box::new(reply), Duration::from_millis(40)).unwrap();
        let order = |number: u64, name: &str| {
            let wanted = Wanted::Names { names: vec![name.to_owned()], language: String::new() };
            jobs.send(SoundOrder { channel: ChannelId(number), order: number, wanted }).unwrap();
        };
        let next = || {
            let reply = replies.recv_timeout(Duration::from_secs(20)).unwrap();
            (reply.order, reply.sounds[0].clone().unwrap_err())
        };
        for number in 0..20 {
            order(number, if number < 6 { "hung" } else { "there" });
        }
        let mut told: Vec<(u64, String)> = (0..20).map(|_| next()).collect();
        told.sort();
        for (number, why) in &told {
            assert_eq!(why, if *number < 6 { HUNG } else { "there" }, "{number}");
        }
        // More than there are threads for: each is told, too.
        for number in 20..40 {
            order(number, "hung");
        }
        assert!((0..20).all(|_| next().1 == HUNG));
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        // All is well again, and nobody is told twice.
        for number in 40..60 {
            order(number, "there");
        }
        let mut last: Vec<u64> = (0..20).map(|_| next().0).collect();
        last.sort_unstable();
        assert_eq!(last, (40..60).collect::<Vec<_>>());
        pool.state().is_stopped = true;
        pool.changed.notify_all();
        drop(jobs);
        assert!(replies.recv_timeout(Duration::from_millis(100)).is_err());
    }
}
