//! The client transaction of every request but INVITE and ACK: RFC 3261 17.1.2.

use super::{Action, Class, Timer, TimerValues};
use std::time::Duration;

/// Where it stands (RFC 3261 figure 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Trying {
        /// After how long it was sent again last, or will be for the first time.
        interval: Duration,
    },
    /// A provisional answer came.
    Proceeding,
    /// Answered; retransmitted answers are absorbed.
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
    /// The network refused the request.
    TransportError,
}

/// RFC 3261 17.1.2.2: the request goes out, with timer F and, unless the transport is reliable, timer E.
pub fn start(values: &TimerValues) -> (State, Vec<Action>) {
    let mut actions = vec![Action::SendRequest];
    if !values.reliable {
        actions.push(Action::Start(Timer::E, values.t1));
    }
    actions.push(Action::Start(Timer::F, values.non_invite_timeout));
    (State::Trying { interval: values.t1 }, actions)
}

/// The next state, and what to do on the way.
pub fn step(state: State, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match state {
        State::Trying { interval } => trying(interval, input, values),
        State::Proceeding => proceeding(input, values),
        State::Completed => completed(input),
        State::Terminated => (State::Terminated, Vec::new()),
    }
}

fn trying(interval: Duration, input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 17.1.2.2: passed; timers E and F run on, E at T2 from its next turn.
        Input::Response(Class::Provisional) => (State::Proceeding, vec![Action::Pass]),
        Input::Response(Class::Success | Class::Refusal) => answered(values),
        // RFC 3261 17.1.2.2: after T1, 2 T1, 4 T1 and so on, at most T2.
        Input::Timer(Timer::E) => {
            let interval = values.back_off(interval);
            (State::Trying { interval }, vec![Action::SendRequest, Action::Start(Timer::E, interval)])
        }
        Input::Timer(Timer::F) => (State::Terminated, vec![Action::Stop(Timer::E), Action::Timeout]),
        Input::TransportError => failed(),
        Input::Timer(_) => (State::Trying { interval }, Vec::new()),
    }
}

fn proceeding(input: Input, values: &TimerValues) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 figure 6: passed.
        Input::Response(Class::Provisional) => (State::Proceeding, vec![Action::Pass]),
        Input::Response(Class::Success | Class::Refusal) => answered(values),
        // RFC 3261 17.1.2.2: in this state the interval is T2.
        Input::Timer(Timer::E) => (State::Proceeding, vec![Action::SendRequest, Action::Start(Timer::E, values.t2)]),
        Input::Timer(Timer::F) => (State::Terminated, vec![Action::Stop(Timer::E), Action::Timeout]),
        Input::TransportError => failed(),
        Input::Timer(_) => (State::Proceeding, Vec::new()),
    }
}

fn completed(input: Input) -> (State, Vec<Action>) {
    match input {
        // RFC 3261 17.1.2.2.
        Input::Timer(Timer::K) => (State::Terminated, Vec::new()),
        // RFC 3261 17.1.2.2: this state is there to absorb retransmitted responses.
        Input::Response(Class::Provisional | Class::Success | Class::Refusal)
        | Input::Timer(_)
        | Input::TransportError => (State::Completed, Vec::new()),
    }
}

/// RFC 3261 17.1.2.2: a final response is passed, and timer K absorbs its retransmissions.
fn answered(values: &TimerValues) -> (State, Vec<Action>) {
    let actions = vec![
        Action::Stop(Timer::E),
        Action::Stop(Timer::F),
        Action::Start(Timer::K, values.linger(values.t4)),
        Action::Pass,
    ];
    (State::Completed, actions)
}

/// RFC 3261 17.1.4.
fn failed() -> (State, Vec<Action>) {
    (State::Terminated, vec![Action::Stop(Timer::E), Action::Stop(Timer::F), Action::Failed])
}
