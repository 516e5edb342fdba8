//! The one thread that owns the switch: takes events in order, executes effects, sleeps until the next deadline.

use super::Sink;
use super::clock::Clock;
use super::exchange::View;
use super::reload::{Renewal, Wanted};
use super::watch::Watch;
use crate::chance::Chance;
use crate::clock::Time;
use crate::media::Media;
use crate::net::limit::Limiter;
use crate::net::udp::{Counters, Gate};
use crate::observe::command::{self, Output};
use crate::observe::control::Request as ConsoleRequest;
use crate::pbx::effect::{Effects, Event, Level};
use crate::pbx::switch::{Stopping, Switch, SwitchSettings};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

/// What the owner is asked.
pub(super) enum Order {
    /// Something happened.
    Event(Box<Event>),
    /// A console's command.
    Console(ConsoleRequest),
    /// Stop.
    Stop(Stopping),
    /// A new configuration.
    Renew(Box<Renewal>),
}

/// The longest sleep without a deadline.
const NAP: Duration = Duration::from_secs(3600);
/// `core stop now` and SIGTERM: BYEs are repeated this long at most before the exchange ends all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// See the module.
pub(super) struct Owner {
    pub(super) clock: Clock,
    pub(super) inbox: Receiver<Order>,
    pub(super) socket: UdpSocket,
    pub(super) media: Media,
    pub(super) sink: Sink,
    pub(super) counters: Arc<Counters>,
    pub(super) limiter: Arc<Limiter>,
    pub(super) watch: Arc<Watch>,
    pub(super) rtp: (u16, u16),
    pub(super) bound: SocketAddr,
    pub(super) gate: Arc<Gate>,
    /// None: the configuration came from no files.
    pub(super) reloads: Option<SyncSender<Wanted>>,
    /// Set when the program is to start again after the stop.
    pub(super) restart: Arc<AtomicBool>,
}

impl Owner {
    /// Runs until the switch was told to stop and has.
    pub(super) fn run(mut self, settings: SwitchSettings, chance: Chance) {
        let mut switch = Switch::new(self.clock.now(), settings, chance);
        let mut deadline: Option<Time> = None;
        loop {
            match self.inbox.recv_timeout(self.sleep(&switch)) {
                Ok(Order::Event(event)) => self.feed(&mut switch, *event),
                Ok(Order::Console(request)) => self.console(&mut switch, request),
                Ok(Order::Stop(how)) => self.stop(&mut switch, how),
                Ok(Order::Renew(renewal)) => self.renew(&mut switch, *renewal),
                Err(RecvTimeoutError::Timeout) => self.feed(&mut switch, Event::Tick),
                Err(RecvTimeoutError::Disconnected) => break,
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
        self.media.stop();
    }

    fn sleep(&self, switch: &Switch) -> Duration {
        let now = self.clock.now().mono;
        let next = switch.next_deadline().map_or(NAP, |at| at.since(now));
        if switch.stopping().is_some() { next.min(Duration::from_millis(100)) } else { next }
    }

    fn feed(&self, switch: &mut Switch, event: Event) {
        let effects = switch.handle(self.clock.now(), event);
        self.execute(switch, effects);
    }

    fn execute(&self, switch: &mut Switch, effects: Effects) {
        let mut refused = Vec::new();
        for command in effects.media {
            self.media.send(command);
        }
        for transmit in effects.transmit {
            self.watch.message(false, transmit.path.remote, &transmit.bytes);
            if let Err(error) = self.socket.send_to(&transmit.bytes, transmit.path.remote) {
                refused.push(Event::SendFailed { to: transmit.path.remote, why: error.to_string() });
            }
        }
        for line in &effects.lines {
            (self.sink)(line);
        }
        for source in effects.strangers {
            self.limiter.charge(source, Instant::now());
        }
        for event in refused {
            let effects = switch.handle(self.clock.now(), event);
            for line in &effects.lines {
                (self.sink)(line);
            }
        }
    }

    fn stop(&self, switch: &mut Switch, how: Stopping) {
        // Whoever stops the exchange from outside wants it stopped, whatever a console asked for before.
        self.restart.store(false, Ordering::Relaxed);
        let effects = switch.stop(self.clock.now(), how);
        self.execute(switch, effects);
    }

    fn renew(&mut self, switch: &mut Switch, renewal: Renewal) {
        let Renewal { settings, rtp, dscp, done } = renewal;
        self.gate.renew(settings.admission.clone());
        self.media.set_ports(rtp.0..=rtp.1, dscp);
        self.rtp = rtp;
        let effects = switch.reload(self.clock.now(), settings);
        let said = effects.lines.iter().filter(|line| !matches!(line.level, Level::Verbose(_))).cloned().collect();
        self.execute(switch, effects);
        // The reloader waits for it.
        let _ = done.send(said);
    }

    fn reload(&self, wanted: Wanted) {
        let unserved = match &self.reloads {
            None => Some((wanted, "The configuration came from no files: there is nothing to read again.\n")),
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

    fn console(&self, switch: &mut Switch, request: ConsoleRequest) {
        let mut effects = Vec::new();
        let mut reload = None;
        let output = {
            let mut view = View {
                switch,
                now: self.clock.now(),
                counters: &self.counters,
                watch: &self.watch,
                rtp: self.rtp,
                bound: self.bound,
                effects: &mut effects,
                restart: &self.restart,
                reload: &mut reload,
            };
            command::run(&request.line, &mut view)
        };
        match reload {
            Some(what) => self.reload(Wanted { what, reply: Some(request.reply) }),
            // A console that left does not hear the answer.
            None => drop(request.reply.send(output)),
        }
        for effects in effects {
            self.execute(switch, effects);
        }
    }
}
