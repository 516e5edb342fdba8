//! The one thread that owns the switch: takes events in order, executes effects, sleeps until the next deadline.

use super::Sink;
use super::clock::Clock;
use super::control_view::{Later, View};
use super::log::Log;
use super::reload::{Renewal, Wanted};
use super::signalling::{Signalling, routes};
use super::sip_debug::Watch;
use super::threads::Post;
use crate::clock::Time;
use crate::config::peer::Names;
use crate::media::Media;
use crate::net::ingress::{AuthTable, Counters};
use crate::net::local_address;
use crate::net::rate_limit::Limiter;
use crate::observe::command::{self, Output};
use crate::observe::control::Request as ConsoleRequest;
use crate::pbx::effect::{Effects, Event, Level, Line};
use crate::pbx::switch::{Stopping, Switch, SwitchSettings};
use crate::rng::Rng;
use crate::sip::Flow;
use crate::store::{Found, Store};
use crate::wording::plural;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError};
use std::time::{Duration, Instant};

/// What the owner is asked.
pub(super) enum Order {
    /// Something happened.
    Event(Box<Event>),
    /// A console's command.
    Console(ConsoleRequest),
    /// Stop.
    Stop(Stopping),
    /// What the names of the configuration lead to now.
    Names(Names),
    /// A new configuration.
    Renew(Box<Renewal>),
}

/// The longest sleep without a deadline.
const NAP: Duration = Duration::from_secs(3600);
/// `core stop now` and SIGTERM: BYEs are repeated this long at most before the exchange ends all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// See the module.
pub(super) struct Owner {
    /// First, so that a switch that fails is told to have ended before its media thread, which ends with it.
    pub(super) post: Post,
    pub(super) clock: Clock,
    pub(super) inbox: Receiver<Order>,
    pub(super) signalling: Signalling,
    pub(super) media: Media,
    pub(super) sink: Sink,
    pub(super) counters: Arc<Counters>,
    pub(super) limiter: Arc<Limiter>,
    pub(super) watch: Arc<Watch>,
    pub(super) rtp: (u16, u16),
    pub(super) auth_table: Arc<AuthTable>,
    /// Takes the names that a new configuration has looked up.
    pub(super) names: Sender<BTreeMap<String, Duration>>,
    /// None: the log goes where `sink` has it, and there is nothing to be told to it.
    pub(super) log: Option<Log>,
    /// None: the configuration came from no files.
    pub(super) reloads: Option<SyncSender<Wanted>>,
    /// Set when the program is to start again after the stop.
    pub(super) restart: Arc<AtomicBool>,
}

/// What one turn of the owner has to carry out: all that was waiting in the inbox, or this many orders of it.
const BATCH: usize = 256;

/// What came of a turn's orders.
#[derive(Default)]
struct Turn {
    effects: Vec<Effects>,
    /// What consoles are told, once what they ordered is stored.
    answers: Vec<(ConsoleRequest, Output)>,
}

impl Owner {
    /// Runs until the switch was told to stop and has.
    pub(super) fn run(mut self, settings: SwitchSettings, rng: Rng, store: Option<(Store, Found)>) {
        let mut switch = Switch::new(self.clock.now(), settings, rng);
        let mut store = store.map(|(store, found)| {
            self.take_back(&mut switch, found);
            store
        });
        let mut deadline: Option<Time> = None;
        let mut refused: Vec<Event> = Vec::new();
        loop {
            let mut turn = Turn::default();
            let nap = if refused.is_empty() { self.sleep(&switch, store.as_ref()) } else { Duration::ZERO };
            match self.inbox.recv_timeout(nap) {
                Ok(order) => self.take(&mut switch, order, &mut turn),
                Err(RecvTimeoutError::Timeout) => turn.effects.push(switch.handle(self.clock.now(), Event::Tick)),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            for event in std::mem::take(&mut refused) {
                turn.effects.push(switch.handle(self.clock.now(), event));
            }
            for _ in 0..BATCH {
                let Ok(order) = self.inbox.try_recv() else { break };
                self.take(&mut switch, order, &mut turn);
            }
            self.keep(&mut switch, store.as_mut(), &mut turn);
            for effects in turn.effects {
                self.execute(effects, &mut refused);
            }
            for (request, output) in turn.answers {
                // A console that left does not hear the answer.
                let _ = request.reply.send(output);
            }
            if switch.stopping() == Some(Stopping::Now) {
                let now = self.clock.now().mono;
                if now >= *deadline.get_or_insert(now + PATIENCE) {
                    break;
                }
            }
            if switch.is_stopped() {
                break;
            }
        }
        drop(self.post);
        close(self.inbox, self.media);
        if let Some(store) = store {
            store.close();
        }
    }

    fn take(&mut self, switch: &mut Switch, order: Order, turn: &mut Turn) {
        match order {
            Order::Event(event) => turn.effects.push(switch.handle(self.clock.now(), *event)),
            Order::Console(request) => self.console(switch, request, turn),
            Order::Stop(how) => turn.effects.push(self.stop(switch, how)),
            Order::Names(names) => turn.effects.push(self.rename(switch, names)),
            Order::Renew(renewal) => turn.effects.push(self.renew(switch, *renewal)),
        }
    }

    /// Stores what a turn changed, before a word of it is sent: a 200 that a phone received is never forgotten.
    fn keep(&self, switch: &mut Switch, store: Option<&mut Store>, turn: &mut Turn) {
        let orders = turn.effects.iter_mut().flat_map(|effects| std::mem::take(&mut effects.store)).collect();
        let Some(store) = store else { return };
        if let Some(found) = store.write(self.clock.now(), orders, || switch.everything()) {
            self.take_back(switch, found);
        }
    }

    /// Gives the switch what was stored before a restart.
    fn take_back(&self, switch: &mut Switch, mut found: Found) {
        for restored in &mut found.bindings {
            // The machine may have another address than before.
            let binding = &mut restored.binding;
            let (flow, bound) = (binding.flow, self.signalling.listening.of(binding.flow.transport));
            let ip = match bound.ip() {
                ip if ip.is_unspecified() => local_address::look_up(flow.remote.ip()).unwrap_or(flow.local.ip()),
                ip => ip,
            };
            let local = SocketAddr::new(ip, bound.port());
            let advertised = self.auth_table.admission().advertised_address(flow.transport, local, flow.remote.ip());
            binding.flow = Flow { local, advertised, ..flow };
        }
        switch.database().load(found.values);
        let restored = switch.restore(self.clock.now(), found.bindings);
        if restored > 0 {
            let text = format!("Restored {}: those peers can be called at once", plural(restored, "registration"));
            (self.sink)(&Line { level: Level::Notice, text });
        }
    }

    fn sleep(&self, switch: &Switch, store: Option<&Store>) -> Duration {
        let now = self.clock.now().mono;
        let next = [switch.next_deadline(), store.and_then(Store::next_deadline)];
        let next = next.into_iter().flatten().min().map_or(NAP, |at| at.since(now));
        if switch.stopping().is_some() { next.min(Duration::from_millis(100)) } else { next }
    }

    fn execute(&self, effects: Effects, refused: &mut Vec<Event>) {
        for command in effects.media {
            self.media.send(command);
        }
        for transmit in effects.transmit {
            self.watch.message(false, transmit.flow, &transmit.bytes);
            if let Err(why) = self.signalling.send(transmit.flow, transmit.bytes) {
                refused.push(Event::SendFailed { flow: transmit.flow, why });
            }
        }
        for line in &effects.lines {
            (self.sink)(line);
        }
        self.signalling.prove(&effects.proven);
        for source in effects.strangers {
            self.limiter.charge(source, Instant::now());
        }
    }

    fn stop(&self, switch: &mut Switch, how: Stopping) -> Effects {
        // Whoever stops the exchange from outside wants it stopped, whatever a console asked for before.
        self.restart.store(false, Ordering::Relaxed);
        switch.stop(self.clock.now(), how)
    }

    fn renew(&mut self, switch: &mut Switch, renewal: Renewal) -> Effects {
        let Renewal { mut settings, rtp, dscp, signalling, wanted, done } = renewal;
        let names = self.auth_table.admission().names().clone();
        settings.local_towards = routes(&settings.peers, &names);
        settings.admission = Arc::new(settings.admission.with_names(names));
        self.auth_table.renew(settings.admission.clone());
        self.signalling.renew(signalling);
        // The thread that looks names up ends with the exchange.
        let _ = self.names.send(wanted);
        self.media.set_ports(rtp.0..=rtp.1, dscp);
        self.rtp = rtp;
        let effects = switch.reload(self.clock.now(), settings);
        let said = effects.lines.iter().filter(|line| !matches!(line.level, Level::Verbose(_))).cloned().collect();
        // The reloader waits for it.
        let _ = done.send(said);
        effects
    }

    fn rename(&self, switch: &mut Switch, names: Names) -> Effects {
        self.signalling.set_names(&names);
        let admission = Arc::new(self.auth_table.admission().with_names(Arc::new(names)));
        self.auth_table.renew(admission.clone());
        let with_remote = routes(switch.configured(), admission.names());
        switch.names_changed(self.clock.now(), admission, with_remote)
    }

    fn reload(&self, wanted: Wanted) {
        let unserved = match &self.reloads {
            None => Some((wanted, "The configuration does not come from files: there is nothing to reload.\n")),
            Some(reloads) => match reloads.try_send(wanted) {
                Ok(()) => None,
                Err(TrySendError::Full(wanted) | TrySendError::Disconnected(wanted)) => {
                    Some((wanted, "Previous SIP reload not yet done: try again a little later.\n"))
                }
            },
        };
        if let Some((wanted, why)) = unserved
            && let Some(reply) = wanted.reply
        {
            let _ = reply.send(Output::failed(why.to_owned()));
        }
    }

    fn console(&self, switch: &mut Switch, request: ConsoleRequest, turn: &mut Turn) {
        let mut later = None;
        let mut view = View {
            switch,
            now: self.clock.now(),
            counters: &self.counters,
            watch: &self.watch,
            rtp: self.rtp,
            signalling: &self.signalling,
            effects: &mut turn.effects,
            restart: &self.restart,
            media: &self.media,
            sink: &self.sink,
            later: &mut later,
        };
        let output = command::serve(&request.line, &mut view);
        match later {
            Some(Later::Reload(what)) => self.reload(Wanted { what, reply: Some(request.reply) }),
            Some(Later::Log(what)) => match &self.log {
                Some(log) => log.order(what, request.reply),
                None => turn.answers.push((request, Output::failed("No log files are configured.\n".to_owned()))),
            },
            None => turn.answers.push((request, output)),
        }
    }
}

/// Ends the media thread, which may be waiting for room in the inbox.
fn close(inbox: Receiver<Order>, media: Media) {
    drop(inbox);
    media.stop();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaSettings;
    use crate::pbx::media::{MediaCommand, StreamId};
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_media_thread_that_waits_for_room_in_the_inbox_does_not_hold_up_the_end() {
        let (orders, inbox) = sync_channel(1);
        orders.send(Order::Stop(Stopping::Now)).unwrap();
        let (told, hears) = sync_channel(1);
        let settings = MediaSettings { ports: 42_600..=42_619, dscp: None, seed: [1; 32] };
        let media = Media::start(settings, move |event| {
            told.send(()).unwrap();
            let _ = orders.send(Order::Event(Box::new(Event::Media(event))));
        })
        .unwrap();
        media.send(MediaCommand::Reserve {
            stream: StreamId(1),
            local: "127.0.0.1".parse().unwrap(),
            kind: crate::pbx::media::StreamKind::Rtp,
        });
        hears.recv_timeout(Duration::from_secs(5)).unwrap();
        let (done, is_done) = sync_channel(1);
        std::thread::spawn(move || {
            close(inbox, media);
            done.send(()).unwrap();
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(5)), Ok(()));
    }
}
