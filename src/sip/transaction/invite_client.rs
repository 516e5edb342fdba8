//! The INVITE client transaction: RFC 3261 17.1.1 with the state that RFC 6026 7.2 adds.

use super::{Action, Class, Timer, TimerValues};
use std::time::Duration;

/// Where it stands (RFC 6026 7.2, its figure).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Calling {
        /// After how long it was sent again last, or will be for the first time.
        interval: Duration,
    },
    /// A provisional answer came.
    Proceeding,
    /// A 2xx came; more of them are awaited.
    Accepted,
    /// Refused and acknowledged; retransmitted refusals are awaited.
    Completed,
    /// Over: to be forgotten.
    Terminated,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A response came.
    Response(Class),
    /// A timer went off.
    Timer(Timer),
    /// We sent a CANCEL for it.
    Cancelled,
    /// The network refused a message of ours.
    TransportError,
}

/// RFC 3261 17.1.1.2: the request goes out, with timer B and, unless the transport is reliable, timer A.
pub fn start(values: &TimerValues) -> (State, Vec<Action>) {
    let mut actions = vec![Action::SendRequest];
    if !values.reliable {
        actions.push(Action::Start(Timer::A, values.t1));
    }
    actions.push(Action::Start(Timer::B, values.invite_timeout));
    (State::Calling { interval: values.t1 }, actions)
}

/// The next state, and what to do on the way.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match state {
        State::Calling { interval } => calling(interval, input, values),
        State::Proceeding => proceeding(input, values),
        State::Accepted => accepted(input),
        State::Completed => completed(input),
        State::Terminated => (State::Terminated, Vec::new()),
    }
}

fn calling(interval: Duration, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    let stop = [Action::Stop(Timer::A), Action::Stop(Timer::B)];
    match input {
        // RFC 3261 17.1.1.2: a provisional response ends the retransmissions, and timer B with them.
        Input::Response(Class::Provisional) => (State::Proceeding, [&stop[..], &[Action::Pass]].concat()),
        // RFC 6026 7.2: a 2xx is passed and timer M started.
        Input::Response(Class::Success) => {
            (State::Accepted, [&stop[..], &[Action::Start(Timer::M, values.life()), Action::Pass]].concat())
        }
        // RFC 3261 17.1.1.2: a refusal is acknowledged and passed, and timer D started.
        Input::Response(Class::Refusal) => (State::Completed, [&stop[..], &refused(values)].concat()),
        // RFC 3261 17.1.1.2: retransmitted after T1, 2 T1, 4 T1 and so on, without an upper limit.
        Input::Timer(Timer::A) => {
            let interval = interval.saturating_mul(2);
            (State::Calling { interval }, vec![Action::SendRequest, Action::Start(Timer::A, interval)])
        }
        // RFC 3261 17.1.1.2: the user is told of the timeout; no ACK is sent.
        Input::Timer(Timer::B) => (State::Terminated, vec![Action::Stop(Timer::A), Action::Timeout]),
        // RFC 3261 17.1.4.
        Input::TransportError => (State::Terminated, [&stop[..], &[Action::Failed]].concat()),
        // RFC 3261 9.1: nothing is cancelled before a provisional response.
        Input::Timer(_) | Input::Cancelled => (State::Calling { interval }, Vec::new()),
    }
}

fn proceeding(input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    let stop = Action::Stop(Timer::Cancelled);
    match input {
        // RFC 3261 17.1.1.2: any further provisional responses are passed.
        Input::Response(Class::Provisional) => (State::Proceeding, vec![Action::Pass]),
        // RFC 6026 7.2.
        Input::Response(Class::Success) => {
            (State::Accepted, vec![stop, Action::Start(Timer::M, values.life()), Action::Pass])
        }
        // RFC 3261 17.1.1.2.
        Input::Response(Class::Refusal) => (State::Completed, [&[stop][..], &refused(values)].concat()),
        // RFC 3261 9.1: without a final response 64 × T1 after the CANCEL the transaction is given up.
        Input::Cancelled => (State::Proceeding, vec![Action::Start(Timer::Cancelled, values.life())]),
        Input::Timer(Timer::Cancelled) => (State::Terminated, vec![Action::Timeout]),
        // RFC 3261 figure 5: here nothing of ours is on its way, and only the user's patience ends.
        Input::Timer(_) | Input::TransportError => (State::Proceeding, Vec::new()),
    }
}

fn accepted(input: Input) -> (State, Vec<Action>) {
    match input {
        // RFC 6026 7.2: every 2xx is passed, a retransmission and a fork alike.
        Input::Response(Class::Success) => (State::Accepted, vec![Action::Pass]),
        // RFC 6026 7.2.
        Input::Timer(Timer::M) => (State::Terminated, Vec::new()),
        // RFC 6026 7.2, its figure: nothing else counts any more.
        Input::Response(Class::Provisional | Class::Refusal)
        | Input::Timer(_)
        | Input::Cancelled
        | Input::TransportError => (State::Accepted, Vec::new()),
    }
}

fn completed(input: Input) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 17.1.1.2: a retransmitted refusal is acknowledged again and not passed.
        Input::Response(Class::Refusal) => (State::Completed, vec![Action::SendAck]),
        // RFC 3261 17.1.1.2.
        Input::Timer(Timer::D) => (State::Terminated, Vec::new()),
        // RFC 3261 17.1.1.2: the ACK could not be sent.
        Input::TransportError => (State::Terminated, vec![Action::Stop(Timer::D), Action::Failed]),
        Input::Response(Class::Provisional | Class::Success) | Input::Timer(_) | Input::Cancelled => {
            (State::Completed, Vec::new())
        }
    }
}

fn refused(values: &TimerValues) -> [Action; 3] {
    [Action::SendAck, Action::Start(Timer::D, values.linger(values.acknowledge)), Action::Pass]
}
