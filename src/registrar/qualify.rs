//! Qualify: whether a peer responds, and how long that takes. One state machine per peer, without sockets or timers.

use std::time::Duration;

use crate::clock::Time;

/// The interval between two rounds while a peer is not OK.
pub const RETRY: Duration = Duration::from_secs(10);

/// How many requests a round sends before the peer is called unreachable.
pub const ATTEMPTS: u32 = 3;

/// What is known of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// `qualify=no`.
    #[default]
    Unmonitored,
    /// Watched, and no round has ended yet, or the peer has no address.
    Unknown,
    /// Responded within the limit, after so many milliseconds (at least 1).
    Ok(u32),
    /// Responded after the limit and within twice the limit.
    Lagged(u32),
    /// Three requests in a row got no response within twice the limit.
    Unreachable,
}

/// The status as the console prints it: `OK (12 ms)`.
impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Status::Unmonitored => f.write_str("Unmonitored"),
            Status::Unknown => f.write_str("UNKNOWN"),
            Status::Ok(ms) => write!(f, "OK ({ms} ms)"),
            Status::Lagged(ms) => write!(f, "LAGGED ({ms} ms)"),
            Status::Unreachable => f.write_str("UNREACHABLE"),
        }
    }
}

/// What the owner of the state machine must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send one OPTIONS request, once, in a transaction of its own, so that each response belongs to one request.
    Send {
        /// The number to pass to `answered` or `failed`.
        attempt: u8,
        /// When the transaction may be forgotten: the end of this round.
        give_up: Duration,
    },
    /// Call `due` at this time. It replaces every earlier `Arm`.
    Arm(Time),
    /// The status changed: log it, and update the hints.
    Changed(Change),
}

/// A change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The status before.
    pub from: Status,
    /// The status now.
    pub to: Status,
    /// For how long it was unreachable, when it is reachable again.
    pub away: Option<Duration>,
    /// The limit that `qualify=` sets, in milliseconds.
    pub limit: u32,
    /// The latest round trip before, in milliseconds.
    pub last: u32,
}

/// The state machine. Every response counts, whatever its status; what is measured is the round trip of its own
/// request, so that one lost packet makes a peer neither lagged nor unreachable.
#[derive(Debug, Clone, Default)]
pub struct Qualify {
    limit: Duration,
    freq: Duration,
    status: Status,
    last: u32,
    since: Option<Time>,
    next: u8,
    phase: Phase,
}

#[derive(Debug, Clone, Default)]
enum Phase {
    /// Nothing to do: not monitored, or no address is known.
    #[default]
    Idle,
    /// The next round begins at this time.
    Waiting(Time),
    /// `tries` requests were sent; the next step is due at `at`.
    Round { tries: u32, at: Time, out: Vec<(u8, Time)> },
}

impl Qualify {
    /// A state machine for which a peer is OK up to `limit`, and which begins a round every `freq` while it is. A
    /// `limit` of zero is `qualify=no`: it never does anything.
    pub fn new(limit: Duration, freq: Duration) -> Qualify {
        let status = if limit.is_zero() { Status::Unmonitored } else { Status::Unknown };
        Qualify { limit, freq: freq.max(Duration::from_secs(1)), status, ..Qualify::default() }
    }

    /// What is known of the peer.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Since when the peer is unreachable.
    pub fn unreachable_since(&self) -> Option<Time> {
        self.since
    }

    /// When `due` is to be called.
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Waiting(at) | Phase::Round { at, .. } => Some(*at),
        }
    }

    /// Begins a round at once: the peer registered, or a console command asked for it. A round in progress is dropped;
    /// the status does not change until the new one ends.
    pub fn start(&mut self, now: Time) -> Vec<Action> {
        self.schedule(now);
        self.due(now)
    }

    /// Begins a round at `at`: the peers of a configuration are spread by `qualifygap`.
    pub fn schedule(&mut self, at: Time) -> Vec<Action> {
        if self.limit.is_zero() {
            return Vec::new();
        }
        self.phase = Phase::Waiting(at);
        vec![Action::Arm(at)]
    }

    /// The peer has no address any more: nothing is sent, and nothing is known.
    pub fn stop(&mut self) {
        *self = Qualify { next: self.next, ..Qualify::new(self.limit, self.freq) };
    }

    /// Time has passed. Harmless when nothing is due.
    pub fn due(&mut self, now: Time) -> Vec<Action> {
        match std::mem::take(&mut self.phase) {
            Phase::Idle => Vec::new(),
            Phase::Waiting(at) if at <= now => self.send(now, 0, Vec::new()),
            Phase::Round { tries, at, out } if at <= now && tries < ATTEMPTS => self.send(now, tries, out),
            Phase::Round { at, .. } if at <= now => self.settle(now, Status::Unreachable),
            early @ (Phase::Waiting(_) | Phase::Round { .. }) => {
                self.phase = early;
                Vec::new()
            }
        }
    }

    /// A response came: any status, provisional or final. The first one ends the round; responses to requests of an
    /// earlier round are ignored.
    pub fn answered(&mut self, now: Time, attempt: u8) -> Vec<Action> {
        let Phase::Round { out, .. } = &self.phase else { return Vec::new() };
        let Some((_, sent)) = out.iter().find(|(number, _)| *number == attempt) else { return Vec::new() };
        let trip = now.since(*sent);
        let ms = milliseconds(trip).max(1);
        let status = if ms > milliseconds(self.limit) { Status::Lagged(ms) } else { Status::Ok(ms) };
        self.settle(now, status)
    }

    /// A request could not be sent, or its datagram came back as undeliverable. It counts as a lost one; when the
    /// last of a round fails and no other is pending, nothing is left to wait for.
    pub fn failed(&mut self, now: Time, attempt: u8) -> Vec<Action> {
        let Phase::Round { tries, out, .. } = &mut self.phase else { return Vec::new() };
        let before = out.len();
        out.retain(|(number, _)| *number != attempt);
        let none_left = out.len() < before && out.is_empty() && *tries >= ATTEMPTS;
        if none_left { self.settle(now, Status::Unreachable) } else { Vec::new() }
    }

    /// A third of the time after which the peer is given up, which is twice the limit.
    fn third(&self) -> Duration {
        self.limit.saturating_mul(2) / ATTEMPTS
    }

    fn send(&mut self, now: Time, tries: u32, mut out: Vec<(u8, Time)>) -> Vec<Action> {
        let attempt = self.next;
        self.next = self.next.wrapping_add(1);
        out.push((attempt, now));
        let at = now + self.third();
        let give_up = self.third().saturating_mul(ATTEMPTS.saturating_sub(tries));
        self.phase = Phase::Round { tries: tries.saturating_add(1), at, out };
        vec![Action::Send { attempt, give_up }, Action::Arm(at)]
    }

    fn settle(&mut self, now: Time, status: Status) -> Vec<Action> {
        let before = std::mem::replace(&mut self.status, status);
        let away = self.since.filter(|_| status != Status::Unreachable).map(|since| now.since(since));
        let change = Change { from: before, to: status, away, limit: milliseconds(self.limit), last: self.last };
        let pause = match status {
            Status::Ok(ms) => {
                self.last = ms;
                self.freq
            }
            Status::Lagged(ms) => {
                self.last = ms;
                RETRY
            }
            Status::Unreachable | Status::Unknown | Status::Unmonitored => RETRY,
        };
        self.since = (status == Status::Unreachable).then(|| self.since.unwrap_or(now));
        let at = now + pause;
        self.phase = Phase::Waiting(at);
        let mut actions = vec![Action::Arm(at)];
        if std::mem::discriminant(&before) != std::mem::discriminant(&status) {
            actions.push(Action::Changed(change));
        }
        actions
    }
}

fn milliseconds(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_start(Duration::from_millis(ms))
    }

    fn guide() -> Qualify {
        Qualify::new(Duration::from_millis(200), Duration::from_secs(60))
    }

    fn sent(actions: &[Action]) -> Option<u8> {
        actions.iter().find_map(|action| match action {
            Action::Send { attempt, .. } => Some(*attempt),
            Action::Arm(_) | Action::Changed(_) => None,
        })
    }

    fn armed(actions: &[Action]) -> Option<Time> {
        actions.iter().find_map(|action| match action {
            Action::Arm(at) => Some(*at),
            Action::Send { .. } | Action::Changed(_) => None,
        })
    }

    /// The status it changed to, with the latest round trip before.
    fn changed(actions: &[Action]) -> Option<(Status, u32)> {
        actions.iter().find_map(|action| match action {
            Action::Changed(change) => {
                assert_eq!(change.limit, 200);
                Some((change.to, change.last))
            }
            Action::Send { .. } | Action::Arm(_) => None,
        })
    }

    /// Runs a round without a response; returns the time at which it ended and its last actions.
    fn silence(qualify: &mut Qualify, start: Time) -> (Time, Vec<Action>) {
        let mut actions = qualify.start(start);
        let mut now = start;
        for _ in 0..3 {
            now = armed(&actions).unwrap();
            actions = qualify.due(now);
        }
        (now, actions)
    }

    #[test]
    fn an_answer_within_the_limit_is_ok_and_the_next_round_comes_after_qualifyfreq() {
        let mut qualify = guide();
        assert_eq!(qualify.status(), Status::Unknown);
        let first = qualify.start(at(1000));
        assert_eq!(
            first[0],
            Action::Send { attempt: 0, give_up: Duration::from_millis(400) / 3 * 3 },
            "the whole of twice the limit"
        );
        let actions = qualify.answered(at(1012), 0);
        assert_eq!(qualify.status(), Status::Ok(12));
        assert_eq!(changed(&actions), Some((Status::Ok(12), 0)));
        assert_eq!(armed(&actions), Some(at(61_012)));
        assert_eq!(sent(&qualify.due(at(61_011))), None, "not yet");
        assert_eq!(sent(&qualify.due(at(61_012))), Some(1));
        assert_eq!(changed(&qualify.answered(at(61_030), 1)), None, "OK to OK is no news");
        assert_eq!(qualify.status(), Status::Ok(18));
    }

    #[test]
    fn an_answer_below_a_millisecond_is_one() {
        let mut qualify = guide();
        qualify.start(at(0));
        qualify.answered(at(0), 0);
        assert_eq!(qualify.status().to_string(), "OK (1 ms)");
    }

    #[test]
    fn the_limit_itself_is_still_ok_and_beyond_it_is_lagged() {
        for (ms, expected) in [(200, Status::Ok(200)), (201, Status::Lagged(201))] {
            let mut qualify = guide();
            qualify.start(at(0));
            qualify.answered(at(ms), 0);
            assert_eq!(qualify.status(), expected);
        }
    }

    #[test]
    fn one_lost_request_does_not_make_a_peer_lagged_or_unreachable() {
        let mut qualify = guide();
        let first = qualify.start(at(0));
        let second = qualify.due(armed(&first).unwrap());
        assert_eq!(sent(&second), Some(1), "a third of the give-up time later");
        assert_eq!(armed(&first), Some(Time::from_start(Duration::from_millis(400) / 3)));
        qualify.answered(at(143), 1);
        assert_eq!(qualify.status(), Status::Ok(9), "143 - 133.3: its own round trip, not the first one's");
    }

    #[test]
    fn a_slow_peer_is_measured_by_the_request_it_answers() {
        let mut qualify = guide();
        let first = qualify.start(at(0));
        let second = qualify.due(armed(&first).unwrap());
        qualify.due(armed(&second).unwrap());
        let actions = qualify.answered(at(300), 0);
        assert_eq!(qualify.status(), Status::Lagged(300));
        assert_eq!(changed(&actions), Some((Status::Lagged(300), 0)));
        assert_eq!(armed(&actions), Some(at(10_300)), "not OK: again in 10 s");
        assert!(qualify.answered(at(350), 1).is_empty(), "the first answer ended the round");
    }

    #[test]
    fn three_unanswered_requests_make_it_unreachable_after_twice_the_limit() {
        let mut qualify = guide();
        qualify.start(at(0));
        qualify.answered(at(12), 0);
        let (end, actions) = silence(&mut qualify, at(1000));
        assert_eq!(end.since(at(1000)), Duration::from_millis(400) / 3 * 3);
        assert_eq!(qualify.status(), Status::Unreachable);
        assert_eq!(changed(&actions), Some((Status::Unreachable, 12)));
        assert_eq!(armed(&actions), Some(end + RETRY));
        assert_eq!(qualify.unreachable_since(), Some(end));

        let (_, again) = silence(&mut qualify, at(20_000));
        assert_eq!(changed(&again), None, "reported once");
        assert_eq!(qualify.unreachable_since(), Some(end), "and counted from the first");
    }

    #[test]
    fn every_change_is_reported() {
        let mut qualify = guide();
        let (_, actions) = silence(&mut qualify, at(0));
        assert_eq!(changed(&actions), Some((Status::Unreachable, 0)));
        let attempt = sent(&qualify.start(at(1000))).unwrap();
        let actions = qualify.answered(at(1250), attempt);
        assert_eq!(changed(&actions), Some((Status::Lagged(250), 0)));
        assert_eq!(qualify.unreachable_since(), None);
        let attempt = sent(&qualify.start(at(2000))).unwrap();
        let actions = qualify.answered(at(2020), attempt);
        assert_eq!(changed(&actions), Some((Status::Ok(20), 250)));
        let attempt = sent(&qualify.start(at(3000))).unwrap();
        assert!(changed(&qualify.answered(at(3390), attempt)).is_some());
        let (_, actions) = silence(&mut qualify, at(4000));
        assert_eq!(changed(&actions), Some((Status::Unreachable, 390)));
    }

    #[test]
    fn a_request_that_cannot_be_sent_counts_as_lost() {
        let mut qualify = guide();
        let first = qualify.start(at(0));
        assert!(qualify.failed(at(0), 0).is_empty(), "two more to go");
        let second = qualify.due(armed(&first).unwrap());
        assert!(qualify.failed(at(134), 1).is_empty());
        qualify.due(armed(&second).unwrap());
        let end = qualify.failed(at(267), 2);
        assert_eq!(qualify.status(), Status::Unreachable, "no need to wait for the end");
        assert_eq!(armed(&end), Some(at(267) + RETRY));
        assert!(qualify.failed(at(268), 2).is_empty(), "reported twice");
    }

    #[test]
    fn a_failed_request_leaves_the_others_their_time() {
        let mut qualify = guide();
        let first = qualify.start(at(0));
        let second = qualify.due(armed(&first).unwrap());
        qualify.due(armed(&second).unwrap());
        assert!(qualify.failed(at(268), 2).is_empty());
        qualify.answered(at(290), 1);
        assert_eq!(qualify.status(), Status::Ok(156));
    }

    #[test]
    fn answers_of_an_earlier_round_say_nothing() {
        let mut qualify = guide();
        qualify.start(at(0));
        qualify.start(at(100));
        assert!(qualify.answered(at(101), 0).is_empty());
        assert!(qualify.answered(at(101), 77).is_empty());
        qualify.answered(at(110), 1);
        assert_eq!(qualify.status(), Status::Ok(10));
        assert!(qualify.answered(at(111), 1).is_empty(), "a duplicated answer");
    }

    #[test]
    fn a_stalled_exchange_still_sends_all_three() {
        let mut qualify = guide();
        qualify.start(at(0));
        assert_eq!(sent(&qualify.due(at(60_000))), Some(1));
        assert_eq!(qualify.status(), Status::Unknown);
        assert_eq!(sent(&qualify.due(at(120_000))), Some(2));
        qualify.answered(at(120_010), 2);
        assert_eq!(qualify.status(), Status::Ok(10));
    }

    #[test]
    fn unregistering_stops_it_and_forgets() {
        let mut qualify = guide();
        qualify.start(at(0));
        qualify.answered(at(5), 0);
        qualify.start(at(100));
        qualify.stop();
        assert_eq!(qualify.status(), Status::Unknown);
        assert_eq!(qualify.next_deadline(), None);
        assert!(qualify.due(at(1_000_000)).is_empty());
        assert!(qualify.answered(at(101), 1).is_empty());
        assert_eq!(sent(&qualify.start(at(200))), Some(2), "numbers go on, so that late responses are ignored");
    }

    #[test]
    fn an_unmonitored_peer_is_left_alone() {
        let mut qualify = Qualify::new(Duration::ZERO, Duration::from_secs(60));
        assert!(qualify.start(at(0)).is_empty());
        assert!(qualify.schedule(at(0)).is_empty());
        assert!(qualify.due(at(1)).is_empty());
        assert_eq!(qualify.status().to_string(), "Unmonitored");
    }

    #[test]
    fn a_scheduled_round_waits_for_its_time() {
        let mut qualify = guide();
        assert_eq!(qualify.schedule(at(300)), vec![Action::Arm(at(300))]);
        assert!(qualify.due(at(299)).is_empty());
        assert_eq!(sent(&qualify.due(at(300))), Some(0));
    }
}
