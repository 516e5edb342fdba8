//! `qualify=`: which peers are asked whether they are there, when the next question is due, and what became of it.

use crate::config::peer::Peer;
use crate::event::LineEvent;
use crate::event::line::Reachability;
use crate::pbx::core::{Core, LineTimer, Timer};
use crate::registrar::qualify::{self, Action, Change, Qualify, Status};
use crate::sip::timer::TimerId;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// A peer that is asked whether it is there.
struct Watch {
    /// No other watch has it, a later one of the same peer neither.
    number: u64,
    qualify: Qualify,
    timer: Option<TimerId>,
}

/// One OPTIONS to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Poll {
    /// Whose question it is.
    pub(super) watch: u64,
    /// Which one of its round.
    pub(super) attempt: u8,
    /// How long the answer is awaited.
    pub(super) give_up: Duration,
}

/// What came of what happened to a watch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// What is to be sent.
    pub(super) polls: Vec<Poll>,
    /// A round ended without an answer.
    pub(super) unanswered: bool,
}

/// Where a peer is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The address, for what is said of it.
    pub(super) address: Option<SocketAddr>,
    /// It has another server, which is asked next: when this one is silent, that does not make the peer unreachable yet.
    pub(super) has_other: bool,
}

/// All watches.
#[derive(Default)]
pub(super) struct Watches {
    table: BTreeMap<String, Watch>,
    last: u64,
}

impl Watches {
    /// Begins to ask a peer at once, if it has `qualify=`.
    pub(super) fn start(&mut self, peer: &Peer, asked: Asked, core: &mut Core) -> Outcome {
        let now = core.now.mono;
        let Some(watch) = self.watch(peer) else { return Outcome::default() };
        let actions = watch.qualify.start(now);
        self.act(&peer.name, actions, asked, core)
    }

    /// Begins to ask a peer after this time.
    pub(super) fn start_after(&mut self, peer: &Peer, wait: Duration, core: &mut Core) {
        let at = core.now.mono + wait;
        let Some(watch) = self.watch(peer) else { return };
        let actions = watch.qualify.schedule(at);
        self.act(&peer.name, actions, Asked { address: None, has_other: false }, core);
    }

    /// The watch of a peer: the one there is, or a new one.
    fn watch(&mut self, peer: &Peer) -> Option<&mut Watch> {
        let limit = peer.settings.qualify?;
        let freq = peer.settings.qualify_freq;
        let last = &mut self.last;
        Some(self.table.entry(peer.name.clone()).or_insert_with(|| {
            *last = last.saturating_add(1);
            Watch { number: *last, qualify: Qualify::new(limit, freq), timer: None }
        }))
    }

    /// The timer of a peer's watch went off.
    pub(super) fn due(&mut self, name: &str, asked: Asked, core: &mut Core) -> Outcome {
        let Some(watch) = self.table.get_mut(name) else { return Outcome::default() };
        watch.timer = None;
        let actions = watch.qualify.due(core.now.mono);
        self.act(name, actions, asked, core)
    }

    /// A question was answered, in whatever way: the peer is there. Or it could not be sent.
    pub(super) fn polled(
        &mut self,
        name: &str,
        poll: (u64, u8),
        answered: bool,
        asked: Asked,
        core: &mut Core,
    ) -> Outcome {
        let (number, attempt) = poll;
        let Some(watch) = self.table.get_mut(name).filter(|watch| watch.number == number) else {
            return Outcome::default();
        };
        let (now, qualify) = (core.now.mono, &mut watch.qualify);
        let actions = if answered { qualify.answered(now, attempt) } else { qualify.failed(now, attempt) };
        self.act(name, actions, asked, core)
    }

    fn act(&mut self, name: &str, actions: Vec<Action>, asked: Asked, core: &mut Core) -> Outcome {
        let Some(watch) = self.table.get_mut(name) else { return Outcome::default() };
        let mut polls = Vec::new();
        // Only the end of a round waits without having sent anything.
        let is_over = matches!(actions.first(), Some(Action::Arm(_)));
        let unanswered = is_over && watch.qualify.status() == Status::Unreachable;
        for action in actions {
            match action {
                Action::Send { attempt, give_up } => polls.push(Poll { watch: watch.number, attempt, give_up }),
                Action::Arm(at) => {
                    let timer = core.timers.set(at, Timer::Line(LineTimer::Qualify(name.to_owned())));
                    if let Some(old) = watch.timer.replace(timer) {
                        core.timers.cancel(old);
                    }
                }
                Action::Changed(_) if unanswered && asked.has_other => {}
                Action::Changed(change) => {
                    if matches!(change.to, Status::Ok(_) | Status::Lagged(_)) {
                        core.returned.push(name.to_owned());
                    }
                    core.emit(event(name, change, asked.address));
                }
            }
        }
        Outcome { polls, unanswered }
    }

    /// A peer is nowhere: nothing is asked until it is somewhere again.
    pub(super) fn stop(&mut self, name: &str, core: &mut Core) {
        if let Some(watch) = self.table.get_mut(name) {
            watch.qualify.stop();
            if let Some(timer) = watch.timer.take() {
                core.timers.cancel(timer);
            }
        }
    }

    /// Nothing is asked any more. An answer under way names this watch, and so does not count for one that begins
    /// later.
    pub(super) fn forget(&mut self, name: &str, core: &mut Core) {
        if let Some(timer) = self.table.remove(name).and_then(|watch| watch.timer) {
            core.timers.cancel(timer);
        }
    }

    /// Is a peer watched?
    pub(super) fn contains(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The peers that are watched.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// A peer's state, when it is watched.
    pub(super) fn status(&self, name: &str) -> Option<Status> {
        self.table.get(name).map(|watch| watch.qualify.status())
    }

    /// How long a peer has been unreachable.
    pub(super) fn unreachable_for(&self, name: &str, core: &Core) -> Duration {
        let since = self.table.get(name).and_then(|watch| watch.qualify.unreachable_since());
        since.map_or(Duration::ZERO, |since| core.now.mono.since(since))
    }

    /// How many timers they have set.
    pub(super) fn timers(&self) -> usize {
        self.table.values().filter(|watch| watch.timer.is_some()).count()
    }
}

fn event(line: &str, change: Change, address: Option<SocketAddr>) -> LineEvent {
    LineEvent::Qualified {
        line: line.to_owned(),
        now: match change.to {
            Status::Ok(ms) => Reachability::Reachable(ms),
            Status::Lagged(ms) => Reachability::Lagged(ms),
            Status::Unreachable => Reachability::Unreachable,
            Status::Unknown | Status::Unmonitored => Reachability::Unknown,
        },
        limit_ms: change.limit,
        last_ms: change.last,
        away: change.away,
        address,
        attempts: qualify::ATTEMPTS,
    }
}
