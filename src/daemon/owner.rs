//! The one thread that owns the switch: takes events in order, executes effects, sleeps until the next deadline.

use super::Sink;
use super::clock::Clock;
use super::exchange::View;
use super::watch::Watch;
use crate::chance::Chance;
use crate::clock::Time;
use crate::media::Media;
use crate::net::limit::Limiter;
use crate::net::udp::Counters;
use crate::observe::command;
use crate::observe::control::Request as ConsoleRequest;
use crate::pbx::effect::{Effects, Event};
use crate::pbx::switch::{Stopping, Switch, SwitchSettings};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// What the owner is asked.
pub(super) enum Order {
    /// Something happened.
    Event(Box<Event>),
    /// A console's command.
    Console(ConsoleRequest),
    /// Stop.
    Stop(Stopping),
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
}

impl Owner {
    /// Runs until the switch was told to stop and has.
    pub(super) fn run(self, settings: SwitchSettings, chance: Chance) {
        let mut switch = Switch::new(self.clock.now(), settings, chance);
        let mut deadline: Option<Time> = None;
        loop {
            match self.inbox.recv_timeout(self.sleep(&switch)) {
                Ok(Order::Event(event)) => self.feed(&mut switch, *event),
                Ok(Order::Console(request)) => self.console(&mut switch, request),
                Ok(Order::Stop(how)) => self.stop(&mut switch, how),
                Err(RecvTimeoutError::Timeout) => self.feed(&mut switch, Event::Tick),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Some(how) = switch.stopping() {
                let now = self.clock.now().mono;
                let patience = deadline.get_or_insert(now + PATIENCE);
                if switch.is_stopped() || (how == Stopping::Now && now >= *patience) {
                    break;
                }
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
        let effects = switch.stop(self.clock.now(), how);
        self.execute(switch, effects);
    }

    fn console(&self, switch: &mut Switch, request: ConsoleRequest) {
        let mut effects = Vec::new();
        let output = {
            let mut view = View {
                switch,
                now: self.clock.now(),
                counters: &self.counters,
                watch: &self.watch,
                rtp: self.rtp,
                bound: self.bound,
                effects: &mut effects,
            };
            command::answer(&request.line, &mut view)
        };
        // A console that left does not hear the answer.
        let _ = request.reply.send(output);
        for effects in effects {
            self.execute(switch, effects);
        }
    }
}
